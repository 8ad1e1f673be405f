"""The result page, and the pages of patient, visit and lesion, as the clinic reads them."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.html import escape

from diagnosis.assessment.candidates import percent
from diagnosis.assessment.explain import explain
from diagnosis.assessment.presentation import AssessmentView, meaning_of, present
from diagnosis.assessment.refusals import present_refusal
from diagnosis.images.models import Prediction, Tier
from diagnosis.reviews.services import record_review
from mlmodel.network.analyser import get_analyser
from mlmodel.network.quality import Verdict
from mlmodel.network.tiers import OperatingPoint, OperatingPoints
from mlmodel.taxonomy import CODES, CONDITIONS
from mlmodel.versions.models import ModelVersion
from patients.models import Patient, Visit, VisitStatus
from tests import factories
from tests.diagnosis.photographing import blurred, copies_of, kept, predict, sample
from tests.hooks import coded, codes, wording


@pytest.fixture
def visit(patient, staff):
    return factories.VisitFactory.create(patient=patient, clinician=staff)


@pytest.fixture
def lesion(patient):
    return factories.LesionFactory.create(patient=patient)


@pytest.fixture
def image(visit, lesion, staff, photograph):
    return kept(visit, lesion, staff, photograph)


@pytest.mark.parametrize(("date", "age"), [("2025-06-06", 50), ("2025-06-07", 51)])
def test_an_old_photograph_is_of_the_patient_at_that_age(sign_in, staff, image, date, age):
    Patient.objects.update(birth_date="1974-06-07")
    Visit.objects.update(date=date)
    assert (
        f"Photographed {date[-1]} Jun 2025 at age {age}"
        in sign_in(staff).get(image.get_absolute_url()).content.decode()
    )


@pytest.fixture
def refused(visit, lesion, staff, photograph):
    return kept(visit, lesion, staff, blurred(photograph))


def text_of(answer) -> str:
    """What is read: no tags, single spaces."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode())).replace("\xa0", " ")


def test_the_result_leads_with_the_tier_and_names_all_seven_classes(image, staff, sign_in):
    answer = sign_in(staff).get(image.get_absolute_url())

    prediction, page, text = image.predictions.get(), answer.content.decode(), text_of(answer)
    assert page.index(f'class="tier tier-{prediction.tier}"') < page.index('class="bars"')
    assert escape(str(Tier(prediction.tier).label)) in text
    assert page.count('class="bar-row"') == 7
    for condition in CONDITIONS:
        assert escape(condition.name.replace("Melanocytic nevus", "Melanocytic nevus (mole)")) in text
    shares = [float(value) for value in re.findall(r'<progress[^>]*value="([\d.]+)"', page)]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] == pytest.approx(prediction.confidence, abs=0.001)
    assert "The 90 % set is" in page[page.index('class="bars"') :].replace("\xa0", " ")
    assert "of 100" in text
    assert f"About: {escape(prediction.explained.name)}" in text
    assert wording("Decision support, not a diagnosis.") in text
    assert prediction.model_version.name in text
    assert reverse("image-file", args=[image.pk, "heat-map"]) in page
    assert "style=" not in page
    assert "<script>" not in page


def test_the_words_are_those_of_the_threshold(db):
    points = OperatingPoints(
        urgent=OperatingPoint(threshold=0.6, sensitivity=0.71, melanoma_sensitivity=0.66, specificity=0.904),
        watch=OperatingPoint(threshold=0.2, sensitivity=0.951, melanoma_sensitivity=0.93, specificity=0.68),
    )

    def said(tier: Tier, malignant: float) -> AssessmentView:
        probabilities = dict.fromkeys(CODES, 0.0) | {"mel": malignant, "nv": 1 - malignant}
        return present(
            probabilities=probabilities,
            tier=tier,
            malignant_probability=malignant,
            prediction_set=("nv", "mel"),
            operating_points=points,
        )

    urgent, watch, calm = said(Tier.URGENT, 0.62), said(Tier.WATCH, 0.3), said(Tier.CALM, 0.004)

    assert "finds 66 of 100 melanomas and 71 of 100 malignant" in urgent.cost
    assert "flags 10 of 100 benign ones" in urgent.cost
    assert "finds 93 of 100 melanomas and 95 of 100 malignant" in watch.cost
    assert "flags 32 of 100 benign ones" in watch.cost
    assert wording("wrongly calls 7 of 100 melanomas calm, and 5 of 100 malignant") in calm.cost
    assert "about 62 show" in urgent.meaning
    assert "fewer than 1 shows" in calm.meaning
    assert [view.explained_code for view in (urgent, watch, calm)] == ["mel", "mel", "nv"]
    assert [view.other_code for view in (urgent, watch, calm)] == ["", "nv", ""]
    assert [bool(view.reason) for view in (urgent, watch, calm)] == [True, True, False]
    assert [bar.in_set for bar in urgent.bars] == [True, True] + [False] * 5
    assert urgent.set_sentence.startswith("The 90 % set is Melanocytic nevus (mole), Melanoma. Whichever of the seven")
    assert "leads because" not in urgent.set_sentence
    assert urgent.next_steps[0].startswith(wording("See a dermatologist within two weeks"))


def test_a_class_that_the_set_passes_over_is_explained(db):
    view = present(
        probabilities=dict.fromkeys(CODES, 0.0) | {"mel": 0.6, "nv": 0.3, "akiec": 0.1},
        tier=Tier.URGENT,
        malignant_probability=0.7,
        prediction_set=("mel", "akiec"),
        operating_points=None,
    )
    assert wording("(mole) is not in it although a less probable class is") in view.set_sentence


def test_the_same_file_under_another_patient_is_told(sign_in, staff, patient, clinic, stranger):
    image = factories.ImageFactory(lesion__patient=patient)
    client = sign_in(staff)
    factories.ImageFactory(sha256=image.sha256, lesion__patient__clinic=stranger.clinic)
    assert "same_file" not in codes(client.get(image.get_absolute_url()).content.decode())
    other = factories.ImageFactory(sha256=image.sha256, lesion__patient__clinic=clinic)
    text = client.get(image.get_absolute_url()).content.decode()
    assert "same_file" in codes(text)
    assert f'href="{other.get_absolute_url()}">{other.lesion.patient.name}' in text


def test_a_leading_class_that_is_not_in_the_set_is_explained(db):
    view = present(
        probabilities=dict.fromkeys(CODES, 0.0) | {"mel": 0.4, "nv": 0.6},
        tier=Tier.URGENT,
        malignant_probability=0.4,
        prediction_set=("mel",),
        operating_points=None,
    )
    assert [bar.in_set for bar in view.bars[:2]] == [False, True]
    assert view.set_sentence.startswith("The 90 % set is Melanoma alone.")
    assert (
        wording("(mole) leads because it is more common, but fewer than one in ten of them look like")
        in view.set_sentence
    )


@pytest.mark.parametrize(
    ("probability", "said"),
    [
        (0, "< 1 %"),
        (0.0099, "< 1 %"),
        (0.01, "1 %"),
        (0.625, "62 %"),
        (0.99, "99 %"),
        (0.9901, "> 99 %"),
        (1, "> 99 %"),
    ],
)
def test_a_percentage_never_claims_certainty(probability, said):
    assert percent(probability).replace("\xa0", " ") == said
    assert " 0 show" not in meaning_of(probability)
    assert " 100 show" not in meaning_of(probability)


@pytest.mark.parametrize("verdict", [verdict for verdict in Verdict if verdict is not Verdict.ACCEPTED])
def test_every_refusal_says_what_was_wrong_and_what_to_do(verdict):
    refusal = present_refusal(verdict)

    assert refusal.title
    assert refusal.what_was_wrong
    assert len(refusal.tips) == 3


def test_a_refused_photograph_says_why_and_what_to_do(refused, staff, dermatologist, sign_in):
    answer = sign_in(staff).get(refused.get_absolute_url())
    page = text_of(answer)

    assert {"blurred", "not_analysed"} <= {*codes(answer)}
    assert "Take it again" in page
    assert "What it could be" not in page
    assert "Analyse anyway" not in page
    assert "Analyse anyway" in text_of(sign_in(dermatologist).get(refused.get_absolute_url()))


def test_a_refused_photograph_has_no_explanation(refused, staff, sign_in):
    assert sign_in(staff).get(reverse("image-explanation", args=[refused.pk])).status_code == 404
    assert sign_in(staff).post(reverse("image-analyse", args=[refused.pk])).status_code == 302
    assert not Prediction.objects.exists()


def test_what_an_earlier_network_said_is_shown_as_such(image, staff, sign_in):
    ModelVersion.objects.update(name="xception-old", sha256="0" * 64)
    client = sign_in(staff)

    before = client.get(image.get_absolute_url())
    client.post(reverse("image-analyse", args=[image.pk]))
    after = client.get(image.get_absolute_url())

    assert "earlier_network" in codes(before)
    assert "earlier_network" not in codes(after)
    before, after = text_of(before), text_of(after)
    assert wording("At this threshold") not in before
    assert wording("At this threshold") in after
    assert "in the 90 % set" not in before
    assert "xception-old" in before
    assert get_analyser().version in after


def test_a_photograph_without_an_answer_can_be_judged(image, staff, sign_in):
    Prediction.objects.all().delete()
    client = sign_in(staff)

    before = client.get(image.get_absolute_url())
    after = text_of(client.post(reverse("image-analyse", args=[image.pk]), follow=True))

    assert "not_analysed" in codes(before)
    assert "What it could be" in after


def test_an_original_that_is_gone_is_said_to_be_gone(image, staff, sign_in):
    Prediction.objects.all().delete()
    image.original.storage.delete(image.original.name)

    page = sign_in(staff).post(reverse("image-analyse", args=[image.pk]), follow=True)

    assert "cannot_read_original" in codes(page)


def test_the_explanation_names_its_source_and_is_only_fetched_with_a_key(image, staff, sign_in, settings):
    client = sign_in(staff)
    fragment = reverse("image-explanation", args=[image.pk])

    without = client.get(image.get_absolute_url()).content.decode()
    settings.GEMINI_API_KEY = "key"
    settings.GEMINI_BASE_URL = "http://127.0.0.1:9"  # nobody listens: the library must answer
    settings.GEMINI_ATTEMPTS = 1
    with_key = client.get(image.get_absolute_url()).content.decode()
    answer = client.get(fragment)

    assert fragment not in without
    assert "From DermaScan" in without
    assert f'hx-get="{fragment}"' in with_key
    assert "From DermaScan" in answer.content.decode()
    assert "hx-get" not in answer.content.decode()
    assert "<html" not in answer.content.decode()


@pytest.mark.parametrize(
    ("code", "tier", "tier_speaks"),
    [
        ("nv", "urgent", True),
        ("bcc", "urgent", True),
        ("nv", "watch", True),
        ("mel", "watch", False),
        ("nv", "calm", False),
    ],
)
def test_the_explanation_never_asks_for_less_haste_than_the_tier(image, staff, sign_in, code, tier, tier_speaks):
    predict(image, code=code, tier=tier)

    for url in (image.get_absolute_url(), reverse("image-explanation", args=[image.pk])):
        text = text_of(sign_in(staff).get(url))
        assert (wording(f"Your result says: {Tier(tier).label}.") in text) == tier_speaks
        assert (explain(code=code).urgency in text) != tier_speaks


def test_the_strip_shows_the_lesions_other_photographs(image, visit, lesion, staff, sign_in):
    other = kept(visit, lesion, staff, sample(1))
    elsewhere = kept(visit, factories.LesionFactory.create(patient=visit.patient), staff, sample(2))

    page = sign_in(staff).get(image.get_absolute_url()).content.decode()

    assert other.get_absolute_url() in page
    assert elsewhere.get_absolute_url() not in page


def test_only_the_clinic_sees_its_records(image, visit, lesion, stranger, patient_user, sign_in, client):
    for record in (image, visit, lesion, visit.patient):
        address = record.get_absolute_url()
        assert sign_in(stranger).get(address).status_code == 404
        assert sign_in(patient_user).get(address).status_code == 403
        assert client.get(address).url.startswith(reverse("account_login"))


def test_patient_visit_and_lesion_show_photographs_with_their_tiers(image, refused, visit, lesion, staff, sign_in):
    client = sign_in(staff)

    for record in (visit, lesion):
        page = client.get(record.get_absolute_url()).content.decode()
        assert f'class="badge badge-{image.predictions.get().tier}"' in page
        assert "Refused: blurred" in page
        assert image.get_absolute_url() in page
    patient_page = text_of(client.get(visit.patient.get_absolute_url()))
    assert "2 photographs" in patient_page
    assert visit.complaint in patient_page
    assert lesion.place in patient_page


def test_a_lesion_with_two_labels_is_told(image, visit, lesion, staff, dermatologist, sign_in):
    other = factories.ImageFactory(visit=visit, lesion=lesion)
    client, page = sign_in(staff), lesion.get_absolute_url()
    record_review(image=image, reviewer=dermatologist, answer="mel", certainty="certain")
    record_review(image=other, reviewer=dermatologist, answer="mel", certainty="certain")
    assert "contradictions" not in codes(client.get(page))
    record_review(image=other, reviewer=dermatologist, answer="bcc", certainty="certain")
    text = " ".join(client.get(page).content.decode().split())
    assert 'id="contradictions"' in text
    assert "Basal cell carcinoma, Melanoma." in coded(text, "contradictions")
    assert wording("Unless the lesion has changed") in text


def test_empty_pages_say_what_to_do_next(patient, visit, lesion, staff, sign_in):
    client = sign_in(staff)

    assert "no_photographs" in codes(client.get(visit.get_absolute_url()))
    assert "no_photographs" in codes(client.get(lesion.get_absolute_url()))
    stranger_to_us = factories.PatientFactory.create(clinic=patient.clinic)
    page = client.get(stranger_to_us.get_absolute_url())
    assert {"no_lesions", "no_visits"} <= {*codes(page)}


def test_the_visit_offers_what_its_state_and_the_role_allow(image, visit, staff, dermatologist, sign_in):
    sign = reverse("visit-sign", args=[visit.pk])
    upload = reverse("upload", args=[visit.pk])

    assert sign not in sign_in(staff).get(visit.get_absolute_url()).content.decode()
    assert sign in sign_in(dermatologist).get(visit.get_absolute_url()).content.decode()
    Visit.objects.update(status=VisitStatus.SIGNED)
    closed = sign_in(dermatologist).get(visit.get_absolute_url()).content.decode()
    assert sign not in closed
    assert upload not in closed


@pytest.mark.parametrize(("page", "most"), [("image", 36), ("visit", 23), ("lesion", 36), ("patient", 35)])
def test_more_photographs_ask_no_more_of_the_database(page, most, image, visit, lesion, staff, sign_in):
    client = sign_in(staff)
    record = {"image": image, "visit": visit, "lesion": lesion, "patient": visit.patient}[page]
    copies_of(image, 1)
    client.get(record.get_absolute_url())

    with CaptureQueriesContext(connection) as few:
        client.get(record.get_absolute_url())
    copies_of(image, 8)
    for number in range(2, 6):
        another = factories.LesionFactory.create(patient=visit.patient, number=number + 1000)
        factories.VisitFactory.create(patient=visit.patient, clinician=staff)
        kept_row = image.__class__.objects.get(pk=image.pk)
        kept_row.lesion = another
        kept_row.save()
        copies_of(kept_row, 1)
        kept_row.lesion = lesion
        kept_row.save()
    with CaptureQueriesContext(connection) as many:
        client.get(record.get_absolute_url())

    assert len(many) == len(few) <= most, [query["sql"][:120] for query in many.captured_queries]
