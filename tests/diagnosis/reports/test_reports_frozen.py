"""Who may read a report, and that nothing alters it."""

import datetime
import logging

import pytest
from django.db import IntegrityError, connection, transaction
from django.urls import reverse
from django.utils import timezone

from diagnosis.reports.models import Report
from diagnosis.reports.services import release_report
from tests import factories
from tests.diagnosis.reporting import MELANOMA, photographed_visit, signed_report
from tests.hooks import codes


@pytest.fixture
def visit(patient):
    return photographed_visit(patient, MELANOMA, plan="Come back in two weeks.", notes="Very anxious.", itch=True)


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
    assert "report_altered" in codes(response.content.decode())
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
    client = sign_in(patient_user)
    assert client.get(reverse("my-visit", args=[visit.pk])).status_code == 409
    assert "cannot_be_shown" in codes(client.get(reverse("my-visits")).content.decode())


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
