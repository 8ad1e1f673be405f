"""The outline over the photograph: shown and hidden by mouse and by keyboard, at the size of the photograph."""

import os
from pathlib import Path

import pytest

from tests.browser.conftest import DESKTOP, PHONE, sign_in
from tests.browser.test_accessibility import AXE_OPTIONS
from tests.diagnosis.photographing import kept, measured_as, sample
from tests.factories import LesionFactory, VisitFactory


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_outline_is_shown_on_request(open_browser, staff, patient, size):
    from axe_playwright_python.sync_playwright import Axe

    image = kept(VisitFactory(patient=patient), LesionFactory(patient=patient), staff, sample(7))
    measured_as(image)
    page = open_browser(size)
    sign_in(page, staff)
    page.goto(image.get_absolute_url())

    outline, button = page.locator("[data-outline]"), page.get_by_role("button", name="Outline")
    assert not outline.is_visible()
    button.focus()
    page.keyboard.press("Enter")
    assert outline.is_visible()
    assert button.get_attribute("aria-pressed") == "true"
    photograph = page.locator(".photo-frame > img").first
    assert outline.bounding_box() == pytest.approx(photograph.bounding_box(), abs=1)
    drawn = page.locator("[data-outline] polygon").first.bounding_box()
    # From 165 to 435 of 600 pixels across.
    assert drawn["width"] == pytest.approx(outline.bounding_box()["width"] * 270 / 600, abs=6)
    page.keyboard.press("Space")
    assert not outline.is_visible()

    page.get_by_text("Border: how it is measured").click()
    assert page.get_by_text("4 π times the area").is_visible()
    found = Axe().run(page, options=AXE_OPTIONS).response["violations"]
    assert [each["id"] for each in found if each["impact"] in ("serious", "critical")] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    if os.environ.get("ABCD_SHOT"):
        button.click()
        page.screenshot(path=str(Path(os.environ["ABCD_SHOT"]) / f"{size[0]}.png"), full_page=True)
