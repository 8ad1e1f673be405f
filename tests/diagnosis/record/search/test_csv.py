"""The lists as CSV files: what is shown, safe in a spreadsheet, of the own clinic, and never with hidden names."""

import csv
import datetime
import io

import pytest
from django.urls import reverse
from django.utils import timezone

from dermascan.core.spreadsheets import safe_cell
from diagnosis.reviews.services import record_review
from tests import factories
from tests.diagnosis.record.search.test_filters import label, photographed

ADDRESSES = ["lesions-csv", "visits-csv"]


def rows_of(response) -> list[list[str]]:
    content = b"".join(response.streaming_content)
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize("role", ["staff", "dermatologist", "manager"])
@pytest.mark.parametrize("address", ADDRESSES)
def test_the_filtered_rows_of_the_clinic(sign_in, request, patient, other_clinic, address, role):
    for tier in ("urgent", "calm"):
        photographed(patient, tier)
    photographed(factories.PatientFactory(clinic=other_clinic), "urgent")
    response = sign_in(request.getfixturevalue(role)).get(reverse(address), {"tier": "urgent"})
    name = f"{address.removesuffix('-csv')}-{timezone.localdate().isoformat()}.csv"
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert response.headers["Content-Disposition"] == f'attachment; filename="{name}"'
    assert "no-store" in response.headers["Cache-Control"]
    header, row = rows_of(response)
    assert header[:3] == ["Patient", "Record number", "Birth date"]
    assert row[:3] == [patient.name, patient.record_number, patient.birth_date.isoformat()]


def test_a_lesions_row_says_what_the_page_says(sign_in, staff, patient, dermatologist):
    lesion = photographed(patient, "urgent", site="nail")
    label(lesion, dermatologist, "nv")
    plan = factories.LesionPlanFactory(lesion=lesion)
    header, row = rows_of(sign_in(staff).get(reverse("lesions-csv")))
    said = dict(zip(header, row, strict=True))
    assert said["Body site"] == "Nail"
    assert said["Label"] == "Melanocytic nevus (mole)"
    assert "Confirmed: Melanocytic nevus" in said["State"]
    assert said["Next step"].startswith(str(plan.get_step_display()))


def test_a_label_of_an_earlier_photograph_is_called_so(sign_in, staff, patient, dermatologist):
    lesion = photographed(patient, "calm", date=timezone.localdate() - datetime.timedelta(days=300))
    label(lesion, dermatologist, "nv")
    client = sign_in(staff)

    def said() -> tuple[str, str]:
        header, row = rows_of(client.get(reverse("lesions-csv")))
        (shown,) = client.get(reverse("lesions")).context["rows"]
        return row[header.index("Label")], shown.label_note

    assert said() == ("Melanocytic nevus (mole)", "")
    visit = factories.VisitFactory(patient=patient)
    newer = factories.ImageFactory(lesion=lesion, visit=visit)
    assert said() == ("Melanocytic nevus (mole); newest photograph not labelled", "newest photograph not labelled")
    record_review(image=newer, reviewer=dermatologist, answer="nv", certainty="certain")
    assert said() == ("Melanocytic nevus (mole)", "")
    factories.ImageFactory(lesion=lesion, visit=visit)
    assert said()[1] == "newest photographs not all labelled"


@pytest.mark.parametrize("beginning", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_begins_a_formula(sign_in, staff, clinic, beginning):
    assert safe_cell(f"{beginning}1+1") == f"'{beginning}1+1"
    hostile = f'{beginning}HYPERLINK("http://evil.example","x")'
    patient = factories.PatientFactory(clinic=clinic, given_name=hostile, record_number=f"{beginning}1")
    factories.VisitFactory(patient=patient, complaint=hostile)
    factories.LesionFactory(patient=patient)
    for address in ADDRESSES:
        header, row = rows_of(sign_in(staff).get(reverse(address)))
        assert row[header.index("Record number")] == f"'{beginning}1"
        assert not any(cell[:1] in tuple("=+-@\t\r") and cell for cell in row)


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_page_up_to_a_limit_that_is_said(sign_in, staff, clinic, address, monkeypatch):
    for _number in range(30):
        photographed(factories.PatientFactory(clinic=clinic), "calm")
    client = sign_in(staff)
    assert len(rows_of(client.get(reverse(address), {"page": "2"}))) == 31
    monkeypatch.setattr("diagnosis.record.search.export.MOST_ROWS", 10)
    *rows, last = rows_of(client.get(reverse(address)))
    assert len(rows) == 11
    assert last[0].startswith("Cut after 10 rows")


@pytest.mark.parametrize("address", ADDRESSES)
def test_privacy_mode_is_switched_off_first(sign_in, staff, patient, address):
    photographed(patient, "calm")
    client = sign_in(staff)
    client.post(reverse("privacy-mode"), {"on": "1"})
    response = client.get(reverse(address))
    assert response.status_code == 409
    assert patient.family_name not in response.text
