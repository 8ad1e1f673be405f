"""A visit that was logged under the wrong patient: moved, read about, and moved back."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse

from diagnosis.corrections.models import Correction
from patients.models import RecordChange, Visit
from tests import factories
from tests.browser.conftest import DESKTOP, PHONE, sign_in
from tests.browser.test_accessibility import AXE_OPTIONS
from tests.hooks import at_code

REASON = "The appointment book names the other patient."


def serious(page) -> list[str]:
    found = Axe().run(page, options=AXE_OPTIONS).response["violations"]
    return [each["id"] for each in found if each["impact"] in ("serious", "critical")]


def sideways(page) -> int:
    return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_visit_moves_to_the_right_patient_and_back(open_browser, dermatologist, patient, size):
    other = factories.PatientFactory(clinic=patient.clinic)
    image = factories.ImageFactory(lesion__patient=patient)
    page = open_browser(size)
    sign_in(page, dermatologist)
    page.goto(image.visit.get_absolute_url())
    page.get_by_text("Correct a mistake").click()
    page.get_by_role("link", name="Move to another patient").click()
    page.get_by_label("Record number of the other patient").fill(other.record_number)
    page.get_by_role("button", name="Show what will happen").click()
    assert "1 photograph" in page.locator("main").inner_text()
    assert (serious(page), sideways(page)) == ([], 0)
    page.get_by_label("Why?").fill(REASON)
    page.get_by_role("button", name="Move it").click()
    page.get_by_role("heading", name="Undo it").wait_for()
    assert (serious(page), sideways(page)) == ([], 0)
    assert Visit.objects.get(pk=image.visit_id).patient == other

    page.goto(reverse("visit-history", args=[image.visit_id]))
    assert REASON in page.locator("main").inner_text()
    assert (serious(page), sideways(page)) == ([], 0)
    page.goto(Correction.objects.get().get_absolute_url())
    page.get_by_label("Why?").fill(REASON)
    page.get_by_role("button", name="Undo").click()
    page.locator(at_code("correction_undone")).first.wait_for()

    assert Visit.objects.get(pk=image.visit_id).patient == patient
    assert Correction.objects.get().undone_by == dermatologist
    assert RecordChange.objects.of(image.visit).count() == 2
