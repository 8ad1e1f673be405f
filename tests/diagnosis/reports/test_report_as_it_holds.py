"""Reports follow the dermatologists' labels: no calmer photograph and no replaced label contradicts them."""

import json
import subprocess

import pytest
from django.urls import reverse

from diagnosis.reports.addendum_content import SCHEMAS_WITHOUT_REPORT
from diagnosis.reports.content import canonical_json, content_sha256
from diagnosis.reports.models import Addendum, Report
from diagnosis.reviews.answers import ANSWERS, is_malignant_answer
from diagnosis.reviews.services import record_review
from tests import factories
from tests.diagnosis.reporting import signed_addendum, signed_report
from tests.hooks import articles, chips, coded, codes, wording

MALIGNANT = [answer for answer in ANSWERS if is_malignant_answer(answer)]


def answered(patient, tier: str = "calm", **facts):
    image = factories.ImageFactory(lesion__patient=patient, **facts)
    factories.PredictionFactory(image=image, code="mel" if tier == "urgent" else "nv", tier=tier)
    return image


def named(image, dermatologist, answer: str):
    text = "Its words" if answer.startswith("other") else ""
    record_review(image=image, reviewer=dermatologist, answer=answer, certainty="certain", other_text=text)
    return image


def read(client, visit) -> str:
    return " ".join(client.get(reverse("my-visit", args=[visit.pk])).content.decode().split())


@pytest.mark.parametrize("answer", MALIGNANT)
def test_a_malignant_label_explains_the_lesion_and_no_calmer_photograph_does(
    sign_in, patient, dermatologist, patient_user, answer
):
    image = named(answered(patient), dermatologist, answer)
    answered(patient, lesion=image.lesion, visit=image.visit)
    report = signed_report(image.visit, dermatologist, released=True)
    client = sign_in(patient_user)

    page = read(client, image.visit)
    data = json.loads(client.get(reverse("report-json", args=[report.pk])).content)

    assert [each["code"] for each in data["explanations"]] != []
    assert "nv" not in [each["code"] for each in data["explanations"]]
    assert page.count("About: ") == len(data["explanations"])
    assert "Nothing alarming" not in page
    assert "fewer than 1" not in page
    assert wording("The software did not recognise the danger.") in page
    assert wording("diagnosed this spot from another photograph") in page


def test_beside_a_malignant_label_one_haste_is_said(sign_in, patient, dermatologist, patient_user):
    image = named(answered(patient, "urgent"), dermatologist, "merkel")
    answered(patient, "urgent", lesion=image.lesion, visit=image.visit)
    signed_report(image.visit, dermatologist, released=True)
    page = read(sign_in(patient_user), image.visit)
    assert "without delay" in page
    assert "within two weeks" not in page


def test_a_more_dangerous_photograph_than_a_harmless_label_is_still_explained(patient, dermatologist, sign_in):
    image = named(answered(patient), dermatologist, "nv")
    answered(patient, "urgent", lesion=image.lesion, visit=image.visit)
    report = signed_report(image.visit, dermatologist)
    data = json.loads(sign_in(dermatologist).get(reverse("report-json", args=[report.pk])).content)
    assert [each["code"] for each in data["explanations"]] == ["mel", "nv"]


def test_what_a_lesion_was_confirmed_as_before_leads(sign_in, patient, dermatologist, patient_user):
    before = answered(patient, visit__date="2026-02-01")
    named(before, dermatologist, "bcc")
    now = answered(patient, lesion=before.lesion)
    report = signed_report(now.visit, dermatologist, released=True)
    client = sign_in(patient_user)

    page = read(client, now.visit)
    data = json.loads(client.get(reverse("report-json", args=[report.pk])).content)

    assert [each["code"] for each in data["explanations"]] == ["bcc"]
    assert wording("Basal cell carcinoma</strong> (malignant): confirmed at the visit of 1 Febr") in page
    assert "nv" not in articles(page)
    assert coded(client.get(reverse("my-visits")), "confirmed") == "Confirmed: Basal cell carcinoma"


def test_the_patients_list_names_every_diagnosis_as_staffs_list_does(sign_in, patient, dermatologist, patient_user):
    visit = factories.VisitFactory(patient=patient)
    for answer in ("mel", "merkel", "bcc", "scc"):
        named(answered(patient, visit=visit), dermatologist, answer)
    answered(patient, "urgent", visit=visit, measures={"smartphone": 1.0})
    signed_report(visit, dermatologist, released=True)

    own = sign_in(patient_user).get(reverse("my-visits")).content.decode()
    staffs = sign_in(dermatologist).get(reverse("visits")).content.decode()

    for name in ("Melanoma", "Merkel cell carcinoma", "Basal cell carcinoma", "Squamous cell carcinoma"):
        assert f"Confirmed: {name}" in own
        assert f"Confirmed: {name}" in staffs
    assert ("no_dermatoscope", "urgent") in chips(own)


@pytest.mark.parametrize(
    ("answer", "chips"),
    [
        ("nv", {"badge-watch": "Software: see within two weeks", "badge-accent": "Confirmed: Melanocytic nevus"}),
        ("meltump", {"badge-urgent": "See within two weeks", "badge-watch": "Confirmed: Melanocytic tumour"}),
    ],
)
def test_no_label_hides_an_urgent_answer_in_the_patients_list(
    sign_in, patient, dermatologist, patient_user, answer, chips
):
    image = named(answered(patient, "urgent"), dermatologist, answer)
    signed_report(image.visit, dermatologist, released=True)
    listed = " ".join(sign_in(patient_user).get(reverse("my-visits")).content.decode().split())
    for tone, words in chips.items():
        assert f'class="badge {tone}">{words}' in listed
    page = read(sign_in(patient_user), image.visit)
    assert ('badge-urgent">See' in page) is (answer == "meltump")


def test_visits_of_one_day_are_told_apart_by_their_lesions(sign_in, patient, dermatologist, patient_user):
    for site in ("shoulder", "lower_leg"):
        image = answered(patient, lesion__body_site=site)
        signed_report(image.visit, dermatologist, released=True)
    page = sign_in(patient_user).get(reverse("my-visits")).content.decode()
    assert "left shoulder" in page
    assert "left lower leg" in page


# --- After an addendum -----------------------------------------------------------------------------------------------


@pytest.fixture
def replaced(patient, dermatologist) -> Report:
    """A nevus that is a melanoma since."""
    image = answered(patient, visit__plan="Come again in nine months.")
    named(image, dermatologist, "nv")
    report = signed_report(image.visit, dermatologist, released=True)
    named(image, dermatologist, "mel")
    signed_addendum(report, dermatologist, words="It is a melanoma. It is removed within two weeks.")
    return report


def test_the_patients_page_leads_with_what_holds_now(sign_in, replaced, patient_user):
    page = read(sign_in(patient_user), replaced.visit)
    assert page.index("It is a melanoma.") < page.index("Come again in nine months.")
    assert "About: Melanoma" in page
    assert "nv" not in articles(page)
    assert "Replaced on " in page
    assert "<s>Melanocytic nevus (mole)</s>" in page
    assert "<s>Come again in nine months.</s>" in page
    assert "tier-calm" not in page
    assert "Nothing alarming" not in page


def test_what_the_laboratory_says_is_said_as_that(sign_in, patient, dermatologist, patient_user):
    image = named(answered(patient), dermatologist, "nv")
    report = signed_report(image.visit, dermatologist, released=True)
    record_review(
        image=image, reviewer=dermatologist, answer="mel", certainty="certain", basis="histopathology", other_text=""
    )
    (change,) = json.loads(signed_addendum(report, dermatologist).content)["labels"]
    assert (change["now"]["certainty"], change["now"]["basis"]) == ("certain", "histopathology")
    page = read(sign_in(patient_user), image.visit)
    assert page.count("· certain · histopathology") == 2, "in what was added, and beside the photograph"
    assert wording("The laboratory has examined it") in page


def test_staff_see_that_the_plan_was_replaced(sign_in, replaced, staff):
    page = " ".join(sign_in(staff).get(replaced.visit.get_absolute_url()).content.decode().split())
    assert page.index("plan_replaced") < page.index("<s>Come again in nine months.</s>")
    image = replaced.visit.images.get()
    page = " ".join(sign_in(staff).get(image.get_absolute_url()).content.decode().split())
    assert page.index("plan_replaced") < page.index("<s>Come again in nine months.</s>")
    assert "It is a melanoma. It is removed within two weeks." in page


def test_staff_see_that_a_plan_was_made_before_its_label_changed(sign_in, patient, dermatologist, staff):
    image = named(answered(patient, visit__plan="Come again in nine months."), dermatologist, "nv")
    signed_report(image.visit, dermatologist)
    named(image, dermatologist, "mel")
    for page in (image, image.visit):
        shown = " ".join(sign_in(staff).get(page.get_absolute_url()).content.decode().split())
        assert "plan_made_before" in codes(shown)
        assert "</span> <br> Come again in nine months." in shown


def test_an_addendum_of_words_alone_adds_to_the_plan(sign_in, patient, dermatologist, patient_user):
    image = named(answered(patient, visit__plan="Come again in nine months."), dermatologist, "nv")
    signed_addendum(signed_report(image.visit, dermatologist, released=True), dermatologist, words="Bring your card.")
    page = read(sign_in(patient_user), image.visit)
    assert wording("what was added above counts.") in page
    assert "<s>" not in page
    assert "nv" in articles(page)


def test_one_file_holds_report_and_addenda_and_what_was_signed_stays_verifiable(sign_in, replaced, patient_user):
    client, addendum = sign_in(patient_user), replaced.addenda.get()
    whole = client.get(reverse("report-json", args=[replaced.pk]))
    data = json.loads(whole.content)
    assert "with-addenda" in whole["Content-Disposition"]
    (told,) = data["addenda"]
    for part, record in ((told, addendum), (data["report"], replaced)):
        assert content_sha256(canonical_json(part["content"])) == part["content_sha256"] == record.content_sha256
    first = client.get(reverse("report-json", args=[replaced.pk]), {"as": "signed"})
    assert first.content.decode() == replaced.content


@pytest.mark.slow
def test_one_pdf_holds_the_addendum_first_and_marks_each_page_of_the_report(
    sign_in, patient, dermatologist, patient_user
):
    image = named(answered(patient, visit__plan="Come again in nine months."), dermatologist, "nv")
    report = signed_report(image.visit, dermatologist, released=True)
    named(image, dermatologist, "mel")
    sent = {"words": "It is a melanoma.", "replaces_plan": "yes", "seen": seen_of(report)}
    sign_in(dermatologist).post(reverse("visit-addendum", args=[image.visit_id]), sent)
    assert Addendum.objects.count() == 1

    download = sign_in(patient_user).get(reverse("report-pdf", args=[report.pk]))
    (*pages, _end) = text_of(download.content).split("\f")

    assert "It is a melanoma." in pages[0]
    assert "Come again in nine months." not in pages[0]
    later = [page for page in pages if "Addendum of" in page]
    assert later == pages[1:]
    whole = " ".join(" ".join(pages).split())
    assert "Come again in nine months." in whole
    assert "Replaced on" in whole
    assert "About: Melanoma" in whole
    assert "About: Melanocytic" not in whole
    assert report.content_sha256 in whole
    assert Addendum.objects.get().content_sha256 in whole

    # Older addenda were stored without the report: the PDF is laid out again with it.
    content = json.loads(Addendum.objects.get().content) | {"schema": SCHEMAS_WITHOUT_REPORT[0], "number": 2}
    old = Addendum.objects.get()
    old.pk, old.number, old._state.adding = content["addendum"]["id"][:-2] + "00", 2, True
    old.content = canonical_json(content)
    old.content_sha256 = content_sha256(old.content)
    old.save(force_insert=True)
    again = text_of(sign_in(patient_user).get(reverse("report-pdf", args=[report.pk])).content)
    assert "Addendum 2" in again
    assert "Come again in nine months." in again


def seen_of(report: Report) -> str:
    from diagnosis.reports.addenda import draft_addendum

    return draft_addendum(report=report).fingerprint


def text_of(pdf: bytes) -> str:
    return subprocess.run(
        ["pdftotext", "-layout", "-", "-"], input=pdf, capture_output=True, check=True
    ).stdout.decode()
