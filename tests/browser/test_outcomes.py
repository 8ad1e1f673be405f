"""A specimen in a browser: sent by staff, its result entered, confirmed by a dermatologist, listed as a miss."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from django.utils import timezone

from diagnosis.outcomes.models import PathologyResult
from diagnosis.outcomes.states import outcome_of
from diagnosis.reviews.models import ConfirmedLabel
from tests.browser.conftest import DESKTOP, PHONE, sign_in
from tests.diagnosis.outcomes.records import PDF, photographed
from tests.hooks import at_code

AXE_OPTIONS = {"preload": {"assets": ["media"]}}


def problems(page) -> list[str]:
    """What axe and the width of the page have to say."""
    found = Axe().run(page, options=AXE_OPTIONS).response["violations"]
    words = [f"{page.url}: {each['id']}" for each in found if each["impact"] in ("serious", "critical")]
    wide = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    return [*words, *([f"{page.url} scrolls sideways"] if wide else [])]


@pytest.mark.parametrize(("size", "scheme"), [(DESKTOP, "light"), (PHONE, "dark")])
def test_from_the_biopsy_to_the_missed_diagnosis(open_browser, patient, staff, dermatologist, size, scheme):
    lesion = photographed(patient, 20)
    found = []
    page = open_browser(size, color_scheme=scheme)
    sign_in(page, staff)
    page.goto(lesion.get_absolute_url())
    found += problems(page)
    page.get_by_role("link", name="Send for biopsy").click()
    page.get_by_label("Excision").check()
    page.get_by_label("Specimen number").fill("H26-00042")
    found += problems(page)
    page.get_by_role("button", name="Record as sent").click()
    page.get_by_text("0 days without a result").wait_for()

    page.get_by_role("link", name="All awaited results").click()
    page.get_by_role("heading", name="Results awaited").wait_for()
    found += problems(page)
    page.get_by_role("link", name="Enter result").click()
    thickness = page.get_by_label("Breslow thickness in mm")
    assert not thickness.is_visible(), "it is asked of melanomas alone"
    page.get_by_label("Diagnosis", exact=True).select_option("mel")
    page.get_by_label("Invasive", exact=True).check()
    thickness.fill("60")
    page.get_by_label("Received on").fill(timezone.localdate().isoformat())
    page.get_by_role("button", name="Enter result").click()
    page.get_by_role("heading", name="There is a problem").wait_for()
    found += problems(page)
    thickness.fill("1.1")
    page.get_by_label("The report as a file").set_input_files(
        {"name": "report.pdf", "mimeType": "application/pdf", "buffer": PDF}
    )
    page.get_by_role("button", name="Enter result").click()
    page.get_by_role("heading", name="To be confirmed by a dermatologist").wait_for()
    assert page.get_by_role("button", name="Confirm the result").count() == 0, "staff cannot confirm"
    with page.expect_download() as download:
        page.get_by_role("link", name="Download report.pdf").click()
    assert download.value.suggested_filename == "report.pdf"

    doctor = open_browser(size, color_scheme=scheme)
    sign_in(doctor, dermatologist)
    doctor.goto(f"{reverse('outcomes-awaited')}?waiting=confirmation")
    found += problems(doctor)
    doctor.get_by_role("link", name="Check and confirm").click()
    doctor.get_by_role("button", name="Confirm the result").wait_for()
    found += problems(doctor)
    doctor.get_by_role("button", name="Confirm the result").press("Enter")
    doctor.locator(at_code("result_confirmed")).first.wait_for()
    doctor.goto(reverse("outcomes-misses"))
    doctor.get_by_role("heading", name="Melanoma, invasive, Breslow 1.1 mm").wait_for()
    found += problems(doctor)
    doctor.goto(lesion.get_absolute_url())
    doctor.get_by_role("link", name="Close lesion").click()
    doctor.get_by_label("Excised, no further follow-up needed").check()
    found += problems(doctor)
    doctor.get_by_role("button", name="Close lesion").click()
    doctor.get_by_role("link", name="Reopen lesion").wait_for()

    assert found == []
    result = PathologyResult.objects.get()
    assert (result.entered_by, result.confirmed_by, result.file_type) == (staff, dermatologist, "application/pdf")
    label = ConfirmedLabel.objects.get(image__lesion=lesion)
    assert (label.answer, label.basis) == ("mel", "histopathology")
    assert outcome_of(lesion).state == "closed"
