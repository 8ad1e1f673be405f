"""Find lesions by a filter, save it, take it off, and read the list as a file, without a serious axe violation."""

import csv
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

from diagnosis.record.search.models import SavedFilter
from tests.browser.conftest import DESKTOP, PHONE, sign_in
from tests.browser.test_accessibility import AXE_OPTIONS
from tests.diagnosis.record.search.test_filters import photographed


@pytest.mark.parametrize(("size", "scheme"), [(DESKTOP, "light"), (PHONE, "dark")])
def test_a_filter_is_used_saved_and_taken_off(open_browser, staff, patient, size, scheme):
    photographed(patient, "urgent", site="nail")
    photographed(patient, "calm")
    page = open_browser(size, color_scheme=scheme)

    def problems() -> list[str]:
        found = Axe().run(page, options=AXE_OPTIONS).response["violations"]
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        serious = [each["id"] for each in found if each["impact"] in ("serious", "critical")]
        return serious + (["scrolls sideways"] if wide > 0 else [])

    sign_in(page, staff)
    page.goto("/lesions/")
    assert page.locator("tbody tr").count() == 2
    assert problems() == []

    page.get_by_label("Urgency to the network").select_option("urgent")
    page.get_by_text("More filters").click()
    page.get_by_label("Body site").select_option("nail")
    page.get_by_role("button", name="Search").click()
    page.wait_for_url("**tier=urgent**")
    assert page.locator("tbody tr").count() == 1
    assert page.locator(".filter-chips li").count() == 3
    assert problems() == []

    page.get_by_text("Save this filter").click()
    page.get_by_label("Name of the filter").fill("Urgent nails")
    page.get_by_role("button", name="Save filter").click()
    page.get_by_role("link", name="Urgent nails").wait_for()
    assert page.get_by_role("link", name="Urgent nails").get_attribute("aria-current") == "page"

    with page.expect_download() as download:
        page.get_by_role("link", name="Download as CSV").click()
    with Path(download.value.path()).open(encoding="utf-8-sig", newline="") as file:
        _header, row = csv.reader(file)
    assert row[0] == patient.name

    page.locator(".filter-chip").filter(has_text="Nail").click()
    page.locator(".filter-chip").filter(has_text="Urgent").click()
    page.wait_for_url("**/lesions/")
    assert page.locator("tbody tr").count() == 2

    saved = SavedFilter.objects.get()
    assert (saved.member, saved.parameters) == (staff, "tier=urgent&site=nail")
