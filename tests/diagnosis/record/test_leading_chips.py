"""What leads in a list and on a page: danger before comfort, and of equal danger what rests on most."""

import re

import pytest
from django.urls import reverse

from diagnosis.assessment.exclusions import exclude_image
from diagnosis.assessment.photographs import chips_by_visit
from diagnosis.images.models import Image
from diagnosis.reviews.queue import refresh_queue_entry
from diagnosis.reviews.services import record_review
from tests import factories
from tests.hooks import chips, coded, codes, wording

pytestmark = pytest.mark.usefixtures("network_shown")

COMFORT = "Nothing alarming"


@pytest.fixture(autouse=True)
def _nobody_is_drawn(settings):
    settings.REVIEW_RANDOM_SHARE = 0


@pytest.fixture
def visit(patient):
    return factories.VisitFactory(patient=patient)


@pytest.fixture
def lesion(patient):
    return factories.LesionFactory(patient=patient, number=1)


@pytest.fixture
def staff_client(sign_in, staff):
    return sign_in(staff)


def judged(lesion, visit, *, code="nv", tier="calm", share=0.9, **facts):
    image = factories.ImageFactory(lesion=lesion, visit=visit, **facts)
    factories.PredictionFactory(image=image, code=code, tier=tier, share=share)
    refresh_queue_entry(image=image)
    return image


def say(reader, image, answer, certainty="certain", **facts):
    return record_review(image=image, reviewer=reader, answer=answer, certainty=certainty, **facts)


def text(client, url) -> str:
    """The page; of an admin list its rows, without the filters beside them."""
    page = " ".join(client.get(url).content.decode().split())
    return page[page.index('id="result_list"') : page.index("</table>")] if 'id="result_list"' in page else page


def lists(image) -> list[str]:
    """Every page that lists the photograph with chips, but for the admin's."""
    visit, lesion = image.visit, image.lesion
    return [visit.get_absolute_url(), lesion.get_absolute_url(), lesion.patient.get_absolute_url(), reverse("visits")]


def admin_lists() -> list[str]:
    return [reverse("admin:diagnosis_image_changelist"), reverse("admin:diagnosis_queueentry_changelist")]


# --- A calm answer beside a word of danger -----------------------------------------------------------------------


@pytest.mark.parametrize("answer", ["merkel", "scc", "mel", "bcc"])
def test_no_calm_answer_comforts_beside_a_confirmed_cancer(sign_in, dermatologist, lesion, visit, answer):
    image = judged(lesion, visit)
    say(dermatologist, image, answer)
    client = sign_in(dermatologist)

    page = text(client, image.get_absolute_url())
    review = text(client, reverse("admin:review-photograph", args=[image.pk]))

    for shown in (page, review):
        assert wording("<h3>The network called it calm and missed it</h3>") in shown
        assert COMFORT not in shown
        assert "tier tier-calm" not in shown
    for url in (*lists(image), *admin_lists()):
        listed = text(client, url)
        assert COMFORT not in listed, url
        assert "badge-calm" not in listed, url
        assert "admin-tier-calm" not in listed, url


@pytest.mark.parametrize(
    ("answer", "certainty", "text_", "tone"),
    [
        ("mel", "unsure", "", "urgent"),
        ("meltump", "certain", "", "watch"),
        ("meltump", "unsure", "", "watch"),
        ("other", "certain", "Clear cell acanthoma", "watch"),
    ],
)
def test_nor_beside_what_is_suspected_or_may_be_malignant(
    sign_in, dermatologist, lesion, visit, answer, certainty, text_, tone
):
    image = judged(lesion, visit)
    say(dermatologist, image, answer, certainty, other_text=text_)
    client = sign_in(dermatologist)

    page = text(client, image.get_absolute_url())

    assert wording("<h3>The network saw nothing alarming</h3>") in page
    assert f"tier tier-{tone}" in page
    assert "tier-calm" not in page
    assert wording("Nothing needs doing today") not in page
    for url in (*lists(image), *admin_lists()):
        assert COMFORT not in text(client, url), url


def test_a_visit_with_a_confirmed_cancer_has_no_green_chip_for_its_other_spots(
    staff_client, dermatologist, patient, lesion, visit
):
    say(dermatologist, judged(lesion, visit), "scc")
    judged(factories.LesionFactory(patient=patient, number=2), visit)

    page = text(staff_client, reverse("visits"))

    assert ("confirmed", "urgent") in chips(page)
    assert "badge-calm" not in page


def test_a_benign_label_leaves_a_calm_answer_green(staff_client, dermatologist, lesion, visit):
    image = judged(lesion, visit)
    say(dermatologist, image, "nv")
    assert "tier-second" not in text(staff_client, image.get_absolute_url())
    assert "badge-calm" in text(staff_client, visit.get_absolute_url())


@pytest.mark.parametrize("tier", ["calm", "watch", ""])
@pytest.mark.parametrize(
    ("answer", "certainty"), [("meltump", "certain"), ("spitz_atypical", "unsure"), ("other", "probable")]
)
def test_a_name_of_unknown_danger_does_not_hide_that_another_photograph_is_urgent(
    sign_in, dermatologist, lesion, visit, answer, certainty, tier
):
    own_words = {"other_text": "Odd thing"} if answer == "other" else {}
    image = judged(lesion, visit, tier=tier) if tier else factories.ImageFactory(lesion=lesion, visit=visit)
    judged(lesion, factories.VisitFactory(patient=visit.patient), code="mel", tier="urgent")
    say(dermatologist, image, answer, certainty, **own_words)
    client = sign_in(dermatologist)

    assert "tier tier-urgent" in text(client, image.get_absolute_url())
    warning = "Warning: another photograph of this lesion says: see within two weeks"
    for url in (visit.get_absolute_url(), reverse("visits"), reverse("admin:diagnosis_image_changelist")):
        assert warning in text(client, url), url
    assert 'class="badge badge-urgent"' in text(client, visit.get_absolute_url())


@pytest.mark.parametrize("answer", ["meltump", "other"])
def test_nor_that_the_photograph_itself_is_urgent(staff_client, dermatologist, lesion, visit, answer):
    image = judged(lesion, visit, code="mel", tier="urgent")
    say(dermatologist, image, answer, other_text="Odd thing" if answer == "other" else "")
    for url in lists(image):
        assert ("network", "urgent") in chips(text(staff_client, url)), url


# --- A label whose danger is not known ----------------------------------------------------------------------------


def test_a_review_of_unknown_danger_takes_no_warning_away(staff_client, dermatologist, lesion, visit):
    visit.__class__.objects.filter(pk=visit.pk).update(growth=True)
    image = judged(lesion, visit)
    other = judged(lesion, visit)
    say(dermatologist, other, "scc")
    before = staff_client.get(image.get_absolute_url()).context["view"]
    assert len(before.caveats) == 2

    say(dermatologist, image, "other", other_text="Epitheloid lump")
    after = staff_client.get(image.get_absolute_url())

    assert [caveat.words for caveat in before.caveats] == [
        caveat.words for caveat in after.context["view"].caveats[1:]
    ]
    assert after.context["view"].caveats[0].code == "not_settled"
    assert after.context["view"].next_steps == before.next_steps
    assert after.context["view"].tone == before.tone == "urgent"
    assert before.next_steps[0] in after.content.decode()


def test_it_lowers_no_chip_either(staff_client, dermatologist, lesion, visit):
    image = judged(lesion, visit, tier="urgent", code="mel")
    say(dermatologist, image, "other", other_text="Epitheloid lump")
    page = text(staff_client, visit.get_absolute_url())
    assert 'class="badge badge-urgent">See within two weeks</span>' in page
    assert "tier tier-urgent" in text(staff_client, image.get_absolute_url())


# --- A harmless label against an urgent answer --------------------------------------------------------------------


@pytest.mark.parametrize(("basis", "tone"), [("dermatoscopy", "watch"), ("histopathology", "refused")])
def test_a_harmless_label_is_said_with_what_the_network_says_against_it(
    staff_client, dermatologist, lesion, visit, basis, tone
):
    image = judged(lesion, visit, code="mel", tier="urgent")
    record_review(image=image, reviewer=dermatologist, answer="nv", certainty="certain", basis=basis, reason="")
    chip = f'class="badge badge-{tone}">Network: see within two weeks</span>'
    for page in (visit, lesion, visit.patient):
        shown = text(staff_client, page.get_absolute_url())
        assert chip in shown
        assert "confirmed" in codes(shown)
        assert "badge-urgent" not in shown
    assert (chip in text(staff_client, reverse("visits"))) is (basis == "dermatoscopy")
    own = text(staff_client, image.get_absolute_url())
    assert "network_disagrees" in codes(own)
    assert f"tier tier-{tone}" in own
    assert "tier tier-urgent" not in own


# --- Of equal urgency what rests on most ---------------------------------------------------------------------------


def test_a_melanoma_through_the_dermatoscope_leads_before_a_phones(staff_client, lesion, visit):
    phone = judged(lesion, visit, code="mel", tier="urgent", share=0.53, measures={"smartphone": 1.0})
    dermatoscopic = judged(lesion, visit, code="mel", tier="urgent", share=0.53)
    for first, second in ((phone, dermatoscopic), (dermatoscopic, phone)):
        first.__class__.objects.filter(pk=first.pk).update(created_at="2026-01-02T00:00:00Z")
        first.__class__.objects.filter(pk=second.pk).update(created_at="2026-01-01T00:00:00Z")

        page = text(staff_client, visit.get_absolute_url())
        together = page[page.index("Overall, most urgent first:") :].split("</span>")[1]

        assert together.endswith('class="badge badge-urgent">See within two weeks')
        card = staff_client.get(visit.patient.get_absolute_url()).context["lesions"][0]
        assert card.leading.image.pk == dermatoscopic.pk
        assert [(sign.code, sign.tone) for sign in card.chips] == [("network", "urgent")]
        assert "no_dermatoscope" not in codes(text(staff_client, reverse("visits")))


def test_a_warning_leads_before_what_could_not_be_judged(staff_client, lesion, visit):
    visit.__class__.objects.filter(pk=visit.pk).update(growth=True)
    judged(lesion, visit, measures={"smartphone": 1.0})
    judged(lesion, visit)
    page = text(staff_client, reverse("visits"))
    assert "warning:symptoms_of_the_visit" in codes(page)
    assert "no_dermatoscope" not in codes(page)


def test_an_urgent_phone_photograph_leads_before_the_warning_that_it_gives(staff_client, lesion, visit):
    judged(lesion, visit, code="mel", tier="urgent", measures={"smartphone": 1.0})
    judged(lesion, visit)
    page = text(staff_client, reverse("visits"))
    assert ("no_dermatoscope", "urgent") in chips(page)


def test_a_confirmed_label_leads_before_any_answer(staff_client, dermatologist, lesion, visit):
    judged(lesion, visit, code="mel", tier="urgent")
    confirmed = judged(lesion, visit)
    say(dermatologist, confirmed, "scc")
    card = staff_client.get(visit.patient.get_absolute_url()).context["lesions"][0]
    assert card.leading.image.pk == confirmed.pk
    assert (card.chips[0].code, card.chips[0].tone) == ("confirmed", "urgent")


# --- Warnings first, and which -------------------------------------------------------------------------------------


def test_lists_begin_with_the_warning_and_say_which(sign_in, dermatologist, lesion, visit):
    earlier = factories.VisitFactory(patient=visit.patient, date="2026-01-05")
    say(dermatologist, judged(lesion, earlier), "scc")
    image = judged(lesion, visit)
    client = sign_in(dermatologist)
    for url in (*lists(image), *admin_lists()):
        page = text(client, url)
        assert "Warning: another photograph of this lesion is confirmed as Squamous cell carcinoma" in page, url
        assert COMFORT not in page, url


def test_a_watch_answer_names_what_makes_it_urgent(staff_client, dermatologist, lesion, visit):
    say(dermatologist, judged(lesion, visit), "mel", "unsure")
    judged(lesion, visit, tier="watch")
    page = text(staff_client, visit.get_absolute_url())
    assert "warning:other_photograph_suspected" in codes(page)


def test_a_refused_photograph_is_warned_of_too(staff_client, dermatologist, lesion, visit):
    say(dermatologist, judged(lesion, visit), "scc")
    later = factories.VisitFactory(patient=visit.patient)
    refused = factories.ImageFactory(lesion=lesion, visit=later, verdict="blurred")
    listed = text(staff_client, later.get_absolute_url())
    words = "Refused: blurred. Warning: another photograph of this lesion is confirmed as Squamous cell carcinoma"
    assert f'class="badge badge-urgent">{words}</span>' in listed
    own = text(staff_client, refused.get_absolute_url())
    assert "Squamous cell carcinoma" in coded(own, "other_photograph_confirmed")


@pytest.mark.parametrize(
    ("known", "tone"), [("bleeds", "watch"), ("meltump", "watch"), ("scc", "urgent"), ("mel", "urgent")]
)
@pytest.mark.parametrize("verdict", ["blurred", "accepted"])
def test_page_and_list_warn_of_a_photograph_without_an_answer_in_one_colour(
    staff_client, dermatologist, lesion, visit, known, tone, verdict
):
    later = factories.VisitFactory(patient=visit.patient, bleeding=known == "bleeds")
    without = factories.ImageFactory(lesion=lesion, visit=later, verdict=verdict)
    if known != "bleeds":
        say(dermatologist, judged(lesion, visit), known)
    page, listed = text(staff_client, without.get_absolute_url()), text(staff_client, later.get_absolute_url())
    assert f'<div class="tier tier-{tone}">' in page
    assert f'class="badge badge-{tone}">' in listed
    assert page.count("tier tier-urgent") == listed.count("badge badge-urgent")


def test_the_page_for_signing_has_the_chips_of_the_lists(sign_in, dermatologist, lesion, patient):
    visit = factories.VisitFactory(patient=patient, bleeding=True)
    judged(lesion, visit)
    judged(factories.LesionFactory(patient=patient), visit, measures={"smartphone": 1.0})
    factories.ImageFactory(lesion=factories.LesionFactory(patient=patient), visit=visit, verdict="too_dark")
    say(dermatologist, judged(factories.LesionFactory(patient=patient), visit), "merkel", "unsure")
    say(dermatologist, judged(factories.LesionFactory(patient=patient), visit), "scc")
    client = sign_in(dermatologist)
    signing, listed = (
        set(re.findall(r'class="badge badge-\w+">[^<]*</span>', text(client, url)))
        for url in (reverse("visit-sign", args=[visit.pk]), visit.get_absolute_url())
    )
    signing.remove('class="badge badge-watch">Needs a next step</span>')
    assert len(signing) == 7
    assert signing <= listed
    assert 'class="badge badge-urgent">Suspected: Merkel cell carcinoma</span>' in signing


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"verdict": "blurred"}, "Failed the quality check. Warning: another photograph"),
        ({"measures": {"smartphone": 1.0}}, "Taken without a dermatoscope. Warning: another photograph"),
    ],
)
def test_a_warning_does_not_hide_that_a_photograph_could_not_be_judged(
    sign_in, dermatologist, lesion, visit, facts, words
):
    judged(lesion, visit, code="mel", tier="urgent")
    later = factories.VisitFactory(patient=visit.patient)
    judged(lesion, later, **facts)
    client = sign_in(dermatologist)
    for url in (later.get_absolute_url(), lesion.get_absolute_url(), reverse("visits"), *admin_lists()):
        assert f"{words} of this lesion says: see within two weeks" in text(client, url), url


# --- One file in two records ---------------------------------------------------------------------------------------


def test_the_same_file_elsewhere_is_marked_in_every_list(sign_in, dermatologist, clinic, lesion, visit):
    image = judged(lesion, visit)
    words = "The same file is stored under another lesion too"
    client = sign_in(dermatologist)
    assert words not in text(client, visit.get_absolute_url())
    stranger = factories.LesionFactory(patient__clinic=clinic, number=1)
    twin = judged(stranger, factories.VisitFactory(patient=stranger.patient), sha256=image.sha256)
    for each in (image, twin):
        for url in (*lists(each), *admin_lists()):
            assert words in text(client, url), url
    elsewhere = factories.LesionFactory(number=1)
    same = factories.ImageFactory(lesion=elsewhere, sha256=image.sha256)
    factories.ImageFactory(lesion=same.lesion, visit=same.visit)
    twin.__class__.objects.filter(pk=twin.pk).update(sha256="0" * 64)
    assert words not in text(client, visit.get_absolute_url()), "another clinic's files are nobody's business"


# --- One fact, one chip ------------------------------------------------------------------------------------------


def warnings_in(page: str) -> list[str]:
    return re.findall(r'class="badge badge-\w+">((?:Suspected|Confirmed|Warning|Labels)[^<]*)<', page)


@pytest.mark.parametrize("tier", ["watch", "calm"])
def test_a_suspicion_is_told_once(sign_in, dermatologist, lesion, visit, tier):
    image = judged(lesion, visit, tier=tier)
    say(dermatologist, image, "mel", "unsure")
    client = sign_in(dermatologist)

    for url in (visit.get_absolute_url(), lesion.get_absolute_url(), lesion.patient.get_absolute_url()):
        assert warnings_in(text(client, url)) == ["Suspected: Melanoma"], url
    assert "warning:suspected" not in codes(text(client, reverse("admin:diagnosis_queueentry_changelist")))
    if tier == "watch":
        assert ("network", "watch") in chips(text(client, visit.get_absolute_url())), "what the network found stays"


@pytest.mark.parametrize(
    ("answer", "certainty", "chip"),
    [("mel", "unsure", "Suspected: Melanoma"), ("mel", "certain", "Confirmed: Melanoma")],
)
def test_nor_does_another_photograph_repeat_in_one_list_what_a_label_says(
    sign_in, dermatologist, patient, lesion, visit, answer, certainty, chip
):
    say(dermatologist, judged(lesion, visit), answer, certainty)
    judged(lesion, visit)
    client = sign_in(dermatologist)
    together = f"{text(client, visit.get_absolute_url())}<ul"
    together = together[together.index("Overall, most urgent first") :].split("<ul")[0]
    assert warnings_in(together) == [chip]
    assert warnings_in(text(client, patient.get_absolute_url())) == [chip]


def test_nor_does_a_harmless_label_repeat_it(sign_in, dermatologist, patient, lesion, visit):
    say(dermatologist, judged(lesion, visit), "mel", "unsure")
    say(dermatologist, judged(lesion, visit, tier="urgent"), "nv")
    client = sign_in(dermatologist)
    for url in (patient.get_absolute_url(), reverse("visits")):
        assert re.findall(r">(Suspected[^<]*)<", text(client, url)) == ["Suspected: Melanoma"], url
    assert "Network: see" not in text(client, visit.get_absolute_url()), "no label tempers it that is in doubt itself"


def test_of_two_lesions_each_has_its_warning(sign_in, dermatologist, patient, lesion):
    before, now = (factories.VisitFactory(patient=patient, date=date) for date in ("2026-01-05", "2026-03-09"))
    other = factories.LesionFactory(patient=patient, number=2)
    say(dermatologist, judged(other, before), "mel")
    judged(other, now)
    say(dermatologist, judged(lesion, now), "mel")

    (chips,) = (found for visit, found in chips_by_visit(Image.objects.filter(visit=now)).items())

    assert [chip.code for chip in chips if chip.is_danger] == ["confirmed", "warning:other_photograph_confirmed"]


# --- Where the page warns of danger, a calm answer is second ------------------------------------------------------


@pytest.mark.parametrize("danger", ["contradiction", "suspicion", "file", "set aside"])
def test_a_calm_answer_comes_second_where_the_page_warns(sign_in, dermatologist, clinic, lesion, visit, danger):
    image = judged(lesion, visit, sha256="d" * 64)
    say(dermatologist, image, "nv")
    client = sign_in(dermatologist)
    assert text(client, image.get_absolute_url()).count("tier tier-calm") == 2
    if danger == "file":
        factories.ImageFactory(visit=visit, lesion__patient=lesion.patient, sha256="d" * 64)
    elif danger == "set aside":
        exclude_image(image=image, by=dermatologist, reason="other_lesion")
    else:
        say(dermatologist, judged(lesion, factories.VisitFactory(patient=lesion.patient)), *(
            ("bkl", "certain") if danger == "contradiction" else ("mel", "unsure")
        ))  # fmt: skip

    page = text(client, image.get_absolute_url())

    assert wording("<h3>The network saw nothing alarming</h3>") in page
    assert "tier-calm" not in page
    assert wording("Nothing alarming was found") not in page
    if danger == "suspicion":
        assert "Melanoma" in coded(page, "suspected_elsewhere")
        assert wording("This diagnosis counts.") not in page
    if danger in ("contradiction", "file"):
        for url in (*lists(image), *admin_lists()):
            assert "badge-calm" not in text(client, url), url
        review = text(client, reverse("admin:review-photograph", args=[image.pk]))
        assert "tier-calm" not in review
