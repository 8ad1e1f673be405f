"""Signing and releasing: who may do it and when, and the signing page."""

import hashlib
import json
import logging
import subprocess

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.storage import default_storage
from django.urls import reverse

from diagnosis.reports.drafts import VisitChanged, draft_report
from diagnosis.reports.errors import AlreadyReleased, NothingToSign, PhotographUnreadable, PlanMissing
from diagnosis.reports.models import Report
from diagnosis.reports.services import release_report, sign_visit
from patients.models import Role, VisitStatus
from patients.services.visits import VisitIsClosed
from tests import factories
from tests.diagnosis.reporting import MELANOMA, NEVUS, confirm, photographed_visit, refused_photograph, signed_report
from tests.hooks import coded, codes, wording


@pytest.fixture
def visit(patient):
    return photographed_visit(patient, MELANOMA, plan="Come back in two weeks.", notes="Very anxious.", itch=True)


def stored_reports() -> list[str]:
    """Every file under reports/, whatever its folder."""
    if not default_storage.exists("reports"):
        return []
    folders, _ = default_storage.listdir("reports")
    return [
        f"reports/{folder}/{name}" for folder in folders for name in default_storage.listdir(f"reports/{folder}")[1]
    ]


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
    with pytest.raises(VisitChanged):
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
    assert coded(text, "no_confirmed_label").startswith("2 ")
    assert coded(text, "not_analysed").startswith("1 ")
    assert "plan_empty" in codes(text)


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
    assert "does_the_plan_say" not in codes(client.get(url).content.decode())
    confirm(visit, dermatologist, code="mel")
    title = visit.images.get().lesion.title
    page = client.get(url).content.decode()
    assert coded(page, "does_the_plan_say").startswith(f"{title}:")


def test_the_page_of_an_empty_visit_leads_to_the_upload(sign_in, patient, dermatologist):
    visit = factories.VisitFactory(patient=patient)
    page = sign_in(dermatologist).get(reverse("visit-sign", args=[visit.pk]))
    assert reverse("upload", args=[visit.pk]) in page.content.decode()
    assert "Sign report" not in page.content.decode()


@pytest.mark.slow
def test_danger_without_a_plan_is_not_signed_and_a_reason_is_kept(sign_in, patient, dermatologist):
    visit = photographed_visit(patient, MELANOMA)
    client, address = sign_in(dermatologist), reverse("visit-sign", args=[visit.pk])
    for plan in ("", "  ", "–", "\u200b"):
        refused = client.post(address, {**sign_form(client, visit), "plan": plan})
        assert refused.status_code == 422, plan
    assert not Report.objects.exists()

    form = {**sign_form(client, visit), "plan": "", "no_plan_reason": "Told in person.", "release": "on"}
    assert client.post(address, form).status_code == 302

    visit.refresh_from_db()
    assert visit.status == VisitStatus.SIGNED, "released by a click of its own"
    assert visit.report.no_plan_reason == "Told in person."
    assert "Told in person" not in visit.report.content, "the patient is given that"
    assert "Told in person." in client.get(visit.get_absolute_url()).content.decode()
    assert client.post(reverse("visit-release", args=[visit.pk])).status_code == 302
    visit.refresh_from_db()
    assert visit.status == VisitStatus.RELEASED


@pytest.mark.parametrize("answer", ["mel", "akiec", "merkel", "other_malignant"])
def test_a_malignant_label_needs_a_plan_whatever_the_network_says(patient, dermatologist, answer):
    visit = photographed_visit(patient, NEVUS)
    confirm(visit, dermatologist, answer, other_text="Seldom seen" if answer.startswith("other") else "")
    with pytest.raises(PlanMissing):
        sign_visit(visit=visit, by=dermatologist)
    assert not Report.objects.exists()


@pytest.mark.slow
def test_sign_and_release_in_one_go(sign_in, patient, dermatologist, patient_user):
    visit = photographed_visit(patient, NEVUS)
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
    assert stored_reports().count(str(report.pdf.name)) == 1

    # Both read the same PDF; the JSON is what was hashed.
    for reader in (dermatologist, patient_user):
        pdf = sign_in(reader).get(reverse("report-pdf", args=[report.pk]))
        assert hashlib.sha256(pdf.content).hexdigest() == report.pdf_sha256
        assert pdf["Content-Type"] == "application/pdf"
        assert "no-store" in pdf["Cache-Control"]
        data = sign_in(reader).get(reverse("report-json", args=[report.pk]))
        assert hashlib.sha256(data.content).hexdigest() == report.content_sha256


@pytest.mark.slow
def test_the_pdf_can_be_seen_before_it_is_signed(sign_in, visit, dermatologist):
    client, before = sign_in(dermatologist), stored_reports()
    form = {**sign_form(client, visit), "plan": "Cut it out soon."}
    shown = client.post(reverse("visit-preview", args=[visit.pk]), form)
    assert shown["Content-Type"] == "application/pdf"
    assert shown["Content-Disposition"].startswith("inline")
    assert "no-store" in shown["Cache-Control"]
    text = subprocess.run(
        ["pdftotext", "-layout", "-", "-"], input=shown.content, capture_output=True, check=True
    ).stdout.decode()
    assert "Cut it out soon." in text
    for page in text.split("\f")[:-1]:
        assert wording("Draft: not signed") in page
    visit.refresh_from_db()
    assert visit.is_open
    assert visit.plan == "Come back in two weeks."
    assert not Report.objects.exists()
    assert stored_reports() == before


def test_there_is_no_draft_of_nothing(sign_in, patient, dermatologist):
    visit = factories.VisitFactory(patient=patient)
    response = sign_in(dermatologist).post(reverse("visit-preview", args=[visit.pk]), {"plan": ""})
    assert response.status_code == 422
    assert "no photograph" in response.content.decode()


def test_a_change_while_reading_shows_the_page_again(sign_in, visit, dermatologist):
    client = sign_in(dermatologist)
    form = {**sign_form(client, visit), "plan": "Typed with care."}
    confirm(visit, dermatologist)
    response = client.post(reverse("visit-sign", args=[visit.pk]), form)
    assert response.status_code == 409
    assert "visit_changed" in codes(response.content.decode())
    assert "Typed with care." in response.content.decode()
    # What is shown now is what may be signed next.
    assert response.context["form"]["seen"].value() == draft_report(visit=visit).fingerprint
    assert not Report.objects.exists()


@pytest.mark.parametrize("plan", ["a\0b", "x" * 10_001])
def test_a_plan_that_cannot_be_kept_is_a_form_error(sign_in, visit, dermatologist, plan):
    client = sign_in(dermatologist)
    response = client.post(reverse("visit-sign", args=[visit.pk]), {**sign_form(client, visit), "plan": plan})
    assert response.status_code == 422
    assert "error-summary" in response.content.decode()
    assert not Report.objects.exists()


@pytest.mark.slow
def test_a_failed_signature_leaves_nothing_behind(sign_in, visit, dermatologist, monkeypatch):
    """Somebody uploads while the PDF is made: the check under the lock finds it, and the file is gone again."""
    from diagnosis.reports import services as reports

    render = reports.render_pdf

    def render_while_somebody_reviews(*args, **kwargs):
        confirm(visit, dermatologist)
        return render(*args, **kwargs)

    monkeypatch.setattr(reports, "render_pdf", render_while_somebody_reviews)
    before = stored_reports()
    with pytest.raises(VisitChanged):
        sign_visit(visit=visit, by=dermatologist)
    visit.refresh_from_db()
    assert visit.is_open
    assert stored_reports() == before
    assert not Report.objects.exists()


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
