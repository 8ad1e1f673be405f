"""Signing, releasing and handing out reports, short of the PDF's looks."""

import datetime
import hashlib
import json
import logging

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.storage import default_storage
from django.db import IntegrityError, connection, transaction
from django.urls import reverse
from django.utils import timezone

from diagnosis.models import Certainty, Report
from diagnosis.reports.content import build_content, canonical_json
from diagnosis.services.errors import VisitIsClosed
from diagnosis.services.reports import (
    AlreadyReleased,
    ChangedMeanwhile,
    NothingToSign,
    PhotographUnreadable,
    draft_report,
    release_report,
    sign_visit,
)
from diagnosis.services.reviews import record_review
from mlmodel.taxonomy import CODES
from patients.models import Role, VisitStatus
from tests import factories

from .reporting import MELANOMA, NEVUS, photographed_visit, refused_photograph, signed_report


@pytest.fixture
def visit(patient):
    return photographed_visit(patient, MELANOMA, plan="Come back in two weeks.", notes="Very anxious.", itch=True)


def confirm(visit, dermatologist, code="mel", certainty=Certainty.CERTAIN):
    image = visit.images.get()
    return record_review(image=image, reviewer=dermatologist, answer=code, certainty=certainty, reason="Histology.")


def stored_reports() -> list[str]:
    """Every file under reports/, whatever its folder."""
    if not default_storage.exists("reports"):
        return []
    folders, _ = default_storage.listdir("reports")
    return [
        f"reports/{folder}/{name}" for folder in folders for name in default_storage.listdir(f"reports/{folder}")[1]
    ]


# --- What a report says ----------------------------------------------------------------------------------------


def test_the_content_holds_what_was_found_and_said(visit, dermatologist):
    confirm(visit, dermatologist)
    content = build_content(visit)
    (lesion,) = content["lesions"]
    (photograph,) = lesion["photographs"]
    image = visit.images.get()
    prediction = image.predictions.get()
    assert content["patient"]["name"] == visit.patient.name
    assert content["patient"]["record_number"] == visit.patient.record_number
    assert content["clinic"]["name"] == "Northside Clinic"
    assert content["visit"]["plan"] == "Come back in two weeks."
    assert content["visit"]["symptoms"] == ["itches"]
    assert photograph["sha256"] == image.sha256
    assert set(photograph["assessment"]["probabilities"]) == set(CODES)
    assert sum(photograph["assessment"]["probabilities"].values()) == pytest.approx(1, abs=1e-5)
    assert photograph["assessment"]["tier"] == prediction.tier
    assert photograph["assessment"]["model_version"] == prediction.model_version.name
    assert photograph["confirmed"]["code"] == "mel"
    assert photograph["confirmed"]["by"] == dermatologist.name
    assert content["explanations"][0]["code"] == "mel"
    assert content["explanations"][0]["source"] == "library"


def test_the_notes_stay_in_the_clinic(visit):
    assert "Very anxious" not in canonical_json(build_content(visit))


def test_the_newest_deciding_review_is_the_label(visit, dermatologist):
    confirm(visit, dermatologist, code="nv")
    confirm(visit, dermatologist, code="mel", certainty=Certainty.PROBABLE)
    confirm(visit, dermatologist, code="df", certainty=Certainty.UNSURE)
    assert build_content(visit)["lesions"][0]["photographs"][0]["confirmed"]["code"] == "mel"


def test_a_refused_photograph_has_no_answer(visit):
    refused_photograph(visit)
    photographs = [photograph for lesion in build_content(visit)["lesions"] for photograph in lesion["photographs"]]
    refused = photographs[1]
    assert refused["quality"]["verdict"] != "accepted"
    assert refused["assessment"] is None
    assert refused["confirmed"] is None


def test_the_same_records_give_the_same_bytes(visit):
    first, second = (canonical_json(build_content(visit)) for _ in range(2))
    assert first == second
    assert first == json.dumps(json.loads(first), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


# --- Who may sign, and when ------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", [Role.STAFF, Role.MANAGER])
def test_only_a_dermatologist_signs(visit, clinic, role):
    with pytest.raises(PermissionDenied):
        sign_visit(visit=visit, by=factories.MemberFactory(clinic=clinic, role=role))
    assert not Report.objects.exists()


def test_a_dermatologist_of_another_clinic_does_not_sign(visit, stranger):
    with pytest.raises(PermissionDenied):
        sign_visit(visit=visit, by=stranger)


def test_a_visit_without_photographs_is_not_signed(patient, dermatologist):
    with pytest.raises(NothingToSign):
        sign_visit(visit=factories.VisitFactory(patient=patient), by=dermatologist)


def test_a_signed_visit_is_not_signed_again(visit, dermatologist):
    signed_report(visit, dermatologist)
    with pytest.raises(VisitIsClosed):
        sign_visit(visit=visit, by=dermatologist)


def test_what_was_not_read_is_not_signed(visit, dermatologist):
    seen = draft_report(visit=visit).fingerprint
    confirm(visit, dermatologist)
    with pytest.raises(ChangedMeanwhile):
        sign_visit(visit=visit, by=dermatologist, seen=seen)
    assert not Report.objects.exists()


def test_a_missing_photograph_stops_the_signature(visit, dermatologist, caplog):
    image = visit.images.get()
    image.display.storage.delete(image.display.name)
    with caplog.at_level(logging.ERROR), pytest.raises(PhotographUnreadable):
        sign_visit(visit=visit, by=dermatologist)
    visit.refresh_from_db()
    assert visit.is_open
    assert str(visit.pk) in caplog.text


# --- Signing through the page ----------------------------------------------------------------------------------


def sign_form(client, visit) -> dict[str, str]:
    """The form as the browser sends it when nothing is changed."""
    page = client.get(reverse("visit-sign", args=[visit.pk]))
    assert page.status_code == 200
    form = page.context["form"]
    return {"plan": form["plan"].value(), "seen": form["seen"].value()}


def test_the_page_shows_what_will_be_signed(sign_in, visit, dermatologist):
    refused_photograph(visit)
    visit.plan = ""
    visit.save()
    page = sign_in(dermatologist).get(reverse("visit-sign", args=[visit.pk]))
    text = page.content.decode()
    assert visit.patient.name in text
    assert "2 photographs have no confirmed label" in text
    assert "1 photograph was not judged" in text
    assert "The plan is empty" in text


def test_the_page_says_where_label_and_software_disagree(sign_in, patient, dermatologist):
    visit = photographed_visit(patient, NEVUS)
    assert visit.images.get().predictions.get().tier == "calm"
    client, url = sign_in(dermatologist), reverse("visit-sign", args=[visit.pk])
    confirm(visit, dermatologist, code="mel")
    assert "disagree" in client.get(url).content.decode()
    confirm(visit, dermatologist, code="nv")
    assert "disagree" not in client.get(url).content.decode()


def test_the_page_asks_whether_the_plan_fits_what_is_dangerous(sign_in, patient, dermatologist):
    visit = photographed_visit(patient, NEVUS, plan="Come back in three months.")
    client, url = sign_in(dermatologist), reverse("visit-sign", args=[visit.pk])
    assert "Does the plan say what" not in client.get(url).content.decode()
    confirm(visit, dermatologist, code="mel")
    title = visit.images.get().lesion.title
    assert f"{title}: malignant by the label, or urgent by the software." in client.get(url).content.decode()


def test_reviews_after_the_signature_are_seen_beside_the_report(sign_in, visit, dermatologist):
    signed_report(visit, dermatologist)
    client, url = sign_in(dermatologist), reverse("visit", args=[visit.pk])
    assert "since the report was signed" not in client.get(url).content.decode()
    confirm(visit, dermatologist, code="mel")
    text = " ".join(client.get(url).content.decode().split())
    assert "Reviews say otherwise since the report was signed" in text
    assert "Melanoma <span" in text
    assert "(signed without a label)" in text
    assert "Before it is released, tell the patient" in text


def test_a_confirmed_condition_says_whose_word_counts(visit, dermatologist):
    confirm(visit, dermatologist, code="mel")
    content = build_content(visit)
    assert [(each["code"], each["is_confirmed"]) for each in content["explanations"]] == [("mel", True)]


def test_the_page_of_an_empty_visit_leads_to_the_upload(sign_in, patient, dermatologist):
    visit = factories.VisitFactory(patient=patient)
    page = sign_in(dermatologist).get(reverse("visit-sign", args=[visit.pk]))
    assert reverse("upload", args=[visit.pk]) in page.content.decode()
    assert "Sign the report" not in page.content.decode()


@pytest.mark.slow
def test_sign_and_release_in_one_go(sign_in, visit, dermatologist, patient_user):
    client = sign_in(dermatologist)
    form = {**sign_form(client, visit), "plan": "Cut it out.\r\nSoon.", "release": "on"}
    response = client.post(reverse("visit-sign", args=[visit.pk]), form)
    assert response.status_code == 302
    assert response.url == visit.get_absolute_url()
    visit.refresh_from_db()
    report = visit.report
    assert visit.status == VisitStatus.RELEASED
    assert visit.plan == "Cut it out.\nSoon."
    assert report.signed_by == report.released_by == dermatologist
    assert json.loads(report.content)["visit"]["plan"] == "Cut it out.\nSoon."
    assert hashlib.sha256(report.content.encode()).hexdigest() == report.content_sha256

    # Sent twice, it is signed once.
    again = client.post(reverse("visit-sign", args=[visit.pk]), form, follow=True)
    assert "already signed" in again.content.decode()
    assert Report.objects.count() == 1
    assert stored_reports().count(report.pdf.name) == 1

    # Both read the same PDF; the JSON is what was hashed.
    for reader in (dermatologist, patient_user):
        pdf = sign_in(reader).get(reverse("report-pdf", args=[report.pk]))
        assert hashlib.sha256(pdf.content).hexdigest() == report.pdf_sha256
        assert pdf["Content-Type"] == "application/pdf"
        assert "no-store" in pdf["Cache-Control"]
        data = sign_in(reader).get(reverse("report-json", args=[report.pk]))
        assert hashlib.sha256(data.content).hexdigest() == report.content_sha256


def test_a_change_while_reading_shows_the_page_again(sign_in, visit, dermatologist):
    client = sign_in(dermatologist)
    form = {**sign_form(client, visit), "plan": "Typed with care."}
    confirm(visit, dermatologist)
    response = client.post(reverse("visit-sign", args=[visit.pk]), form)
    assert response.status_code == 422
    assert "changed while you read it" in response.content.decode()
    assert "Typed with care." in response.content.decode()
    # What is shown now is what may be signed next.
    assert response.context["form"]["seen"].value() == draft_report(visit=visit).fingerprint
    assert not Report.objects.exists()


@pytest.mark.parametrize("plan", ["a\0b", "x" * 10_001])
def test_a_plan_that_cannot_be_kept_is_a_form_error(sign_in, visit, dermatologist, plan):
    client = sign_in(dermatologist)
    response = client.post(reverse("visit-sign", args=[visit.pk]), {**sign_form(client, visit), "plan": plan})
    assert response.status_code == 422
    assert "There is a problem" in response.content.decode()
    assert not Report.objects.exists()


@pytest.mark.slow
def test_a_failed_signature_leaves_nothing_behind(sign_in, visit, dermatologist, monkeypatch):
    """Somebody uploads while the PDF is made: the check under the lock finds it, and the file is gone again."""
    from diagnosis.services import reports

    render = reports.render_pdf

    def render_while_somebody_reviews(*args, **kwargs):
        confirm(visit, dermatologist)
        return render(*args, **kwargs)

    monkeypatch.setattr(reports, "render_pdf", render_while_somebody_reviews)
    before = stored_reports()
    with pytest.raises(ChangedMeanwhile):
        sign_visit(visit=visit, by=dermatologist)
    visit.refresh_from_db()
    assert visit.is_open
    assert stored_reports() == before
    assert not Report.objects.exists()


# --- Releasing -------------------------------------------------------------------------------------------------


def test_release_once(visit, dermatologist):
    report = signed_report(visit, dermatologist)
    released = release_report(report=report, by=dermatologist)
    visit.refresh_from_db()
    assert visit.status == VisitStatus.RELEASED
    assert released.released_by == dermatologist
    with pytest.raises(AlreadyReleased):
        release_report(report=report, by=dermatologist)


def test_only_the_clinics_dermatologist_releases(visit, dermatologist, staff, stranger):
    report = signed_report(visit, dermatologist)
    for member in (staff, stranger):
        with pytest.raises(PermissionDenied):
            release_report(report=report, by=member)
    visit.refresh_from_db()
    assert visit.status == VisitStatus.SIGNED


def test_release_through_the_page(sign_in, visit, dermatologist):
    client = sign_in(dermatologist)
    url = reverse("visit-release", args=[visit.pk])
    client.post(url)
    visit.refresh_from_db()
    assert visit.is_open, "what is not signed is not released"
    signed_report(visit, dermatologist)
    assert client.get(url).status_code == 405
    assert client.post(url).status_code == 302
    visit.refresh_from_db()
    assert visit.status == VisitStatus.RELEASED
    assert client.post(url, follow=True).status_code == 200, "twice is harmless"


# --- Who reads a report ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["report-pdf", "report-json"])
def test_other_clinics_and_other_patients_find_nothing(sign_in, visit, dermatologist, stranger, patient_user, name):
    report = signed_report(visit, dermatologist)
    url = reverse(name, args=[report.pk])
    assert sign_in(stranger).get(url).status_code == 404
    assert sign_in(patient_user).get(url).status_code == 404, "not released yet"
    release_report(report=report, by=dermatologist)
    assert sign_in(patient_user).get(url).status_code == 200
    assert sign_in(factories.UserFactory()).get(url).status_code == 404


def test_the_file_name_does_not_name_the_patient(sign_in, visit, dermatologist):
    report = signed_report(visit, dermatologist)
    disposition = sign_in(dermatologist).get(reverse("report-pdf", args=[report.pk]))["Content-Disposition"]
    assert disposition.startswith("attachment")
    assert visit.patient.family_name not in disposition
    assert visit.patient.record_number not in disposition


# --- Frozen ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["altered", "deleted"])
def test_an_altered_pdf_is_refused_loudly(sign_in, visit, dermatologist, how, caplog):
    report = signed_report(visit, dermatologist)
    assert report.pdf.name
    path = report.pdf.path
    report.pdf.storage.delete(report.pdf.name)
    if how == "altered":
        with open(path, "wb") as file:
            file.write(b"%PDF-1.7 another")
    with caplog.at_level(logging.ERROR):
        response = sign_in(dermatologist).get(reverse("report-pdf", args=[report.pk]))
    assert response.status_code == 409
    assert "Contact the operator" in response.content.decode()
    assert str(report.pk) in response.content.decode()
    assert str(report.pk) in caplog.text


def test_altered_content_is_refused_loudly(sign_in, visit, dermatologist, patient_user):
    report = signed_report(visit, dermatologist, released=True)
    with connection.cursor() as cursor:
        cursor.execute(
            "DROP TRIGGER report_is_frozen" + (" ON diagnosis_report" if connection.vendor == "postgresql" else "")
        )
    Report.objects.filter(pk=report.pk).update(content=report.content.replace("Come back", "Stay away"))
    assert sign_in(dermatologist).get(reverse("report-json", args=[report.pk])).status_code == 409
    assert sign_in(patient_user).get(reverse("my-visit", args=[visit.pk])).status_code == 409


@pytest.mark.parametrize(
    "change",
    [
        {"content": "{}"},
        {"content_sha256": "0" * 64},
        {"pdf": "reports/other.pdf"},
        {"pdf_sha256": "0" * 64},
        {"signed_at": "2020-01-01T00:00:00Z"},
        {"released_at": None, "released_by": None},
    ],
    ids=lambda change: next(iter(change)),
)
def test_the_database_refuses_to_alter_a_report(visit, dermatologist, change):
    report = signed_report(visit, dermatologist, released=True)
    with pytest.raises(IntegrityError, match="report_is_frozen"), transaction.atomic():
        Report.objects.filter(pk=report.pk).update(**change)


@pytest.mark.parametrize("field", ["content_sha256", "pdf_sha256"])
def test_a_report_is_hashed(visit, dermatologist, field):
    report = signed_report(visit, dermatologist)
    copy = Report.objects.get(pk=report.pk)
    copy._state.adding, copy.pk = True, None
    copy.visit = factories.VisitFactory(patient=visit.patient)
    setattr(copy, field, "not a hash")
    with pytest.raises(IntegrityError, match="report_is_hashed"), transaction.atomic():
        copy.save(force_insert=True)


def test_a_release_names_who_and_when(visit, dermatologist):
    report = signed_report(visit, dermatologist)
    before = report.signed_at - datetime.timedelta(days=1)
    for release in (
        {"released_by": dermatologist},
        {"released_at": timezone.now()},
        {"released_by": dermatologist, "released_at": before},
    ):
        with pytest.raises(IntegrityError, match="report_is_released_after_signing_by_someone"), transaction.atomic():
            Report.objects.filter(pk=report.pk).update(**release)


def test_a_visit_has_one_report(visit, dermatologist):
    signed_report(visit, dermatologist)
    with pytest.raises(IntegrityError), transaction.atomic():
        signed_report(visit, dermatologist)


def test_two_photographs_of_two_kinds(patient, dermatologist):
    """The explanations cover each class that is named, the dangerous one first."""
    visit = photographed_visit(patient, MELANOMA, NEVUS)
    for image, code in zip(visit.images.order_by("created_at"), ["nv", "mel"], strict=True):
        record_review(image=image, reviewer=dermatologist, answer=code, certainty=Certainty.CERTAIN, reason="")
    assert [explanation["code"] for explanation in build_content(visit)["explanations"]] == ["mel", "nv"]
