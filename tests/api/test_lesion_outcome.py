"""What became of a lesion, for programs: what the laboratory stated, as the signed report holds it."""

from decimal import Decimal

import pytest
from django.urls import reverse

from diagnosis.outcomes.closures import close_lesion
from diagnosis.reports.content import build_content
from tests.diagnosis.outcomes.records import confirmed, entered, photographed, sent

pytestmark = pytest.mark.django_db


@pytest.fixture
def answer(api, staff):
    def _answer(lesion):
        response = api(staff).get(reverse("api-lesion-outcome", args=[lesion.pk]))
        assert response.status_code == 200
        return response.json()

    return _answer


def test_it_is_what_the_report_holds(answer, patient, dermatologist):
    lesion = photographed(patient, 30)
    confirmed(
        sent(lesion, dermatologist, kind="excision", number="H26-1"), dermatologist, invasion="invasive",
        breslow_mm=Decimal("0.80"), margins="involved",
    )  # fmt: skip
    body = answer(lesion)
    (specimen,) = body["specimens"]
    assert (body["state"], specimen["number"], specimen["result"]["breslow_mm"]) == ("excised", "H26-1", "0.8")
    in_report = build_content(lesion.images.get().visit)["lesions"][0]["outcome"]
    assert {name: body[name] for name in in_report} == in_report


def test_what_is_not_confirmed_is_awaited_and_a_closed_lesion_says_so(answer, patient, dermatologist):
    lesion = photographed(patient, 30)
    entered(sent(lesion, dermatologist), dermatologist)
    body = answer(lesion)
    assert (body["state"], body["specimens"][0]["result"], body["closed"]) == ("sent", None, None)
    closed = photographed(patient, 20)
    close_lesion(lesion=closed, by=dermatologist, why="gone")
    assert answer(closed)["closed"]["why"] == "gone"


def test_another_clinic_and_a_patient_do_not_read_it(api, patient, stranger, patient_user):
    address = reverse("api-lesion-outcome", args=[photographed(patient, 3).pk])
    assert api(stranger).get(address).status_code == 404
    assert api(patient_user).get(address).status_code == 403
