"""Two photographs of a lesion compared by keyboard alone: side by side, then one on the other."""

import datetime
import os
from pathlib import Path

import pytest
from django.urls import reverse

from diagnosis.images.models import Image
from diagnosis.measures.models import Measurement
from tests.browser.conftest import DESKTOP, PHONE, sign_in
from tests.browser.test_accessibility import AXE_OPTIONS
from tests.diagnosis.comparing.test_comparing import NEVUS, turned
from tests.diagnosis.photographing import kept, sample
from tests.factories import LesionFactory, VisitFactory

# An alignment takes about a second, on a busy machine much longer.
ALIGNED_WITHIN = 240_000


@pytest.fixture
def lesion(patient, staff):
    lesion = LesionFactory(patient=patient)
    for year, data in ((2023, sample(NEVUS)), (2025, turned(sample(NEVUS)))):
        kept(VisitFactory(patient=patient, date=datetime.date(year, 3, 1)), lesion, staff, data)
    return lesion


@pytest.mark.parametrize(("size", "scheme"), [(DESKTOP, "light"), (PHONE, "dark")], ids=["desktop", "phone"])
def test_two_photographs_are_compared_by_keyboard(open_browser, dermatologist, lesion, size, scheme):
    from axe_playwright_python.sync_playwright import Axe

    page = open_browser(size, color_scheme=scheme)
    sign_in(page, dermatologist)
    page.goto(lesion.get_absolute_url())
    page.get_by_role("link", name="Compare photographs").click()

    views = page.locator(".compare-panes [data-view]")
    assert views.count() == 2
    views.first.focus()
    page.keyboard.press("+")
    page.keyboard.press("ArrowRight")
    assert {view.get_attribute("data-zoom") for view in views.all()} == {"1.50"}
    transforms = {view.locator("[data-layer]").evaluate("each => each.style.transform") for view in views.all()}
    assert len(transforms) == 1, "they move together"
    page.keyboard.press("0")
    assert views.last.get_attribute("data-zoom") == "1.00"

    overlay = page.locator("[data-overlay]")
    overlay.wait_for(timeout=ALIGNED_WITHIN)
    assert page.locator("[data-measure]").count() == 4
    slider = overlay.locator("[data-slider]")
    slider.focus()
    page.keyboard.press("Home")
    top = overlay.locator("[data-top]")
    assert top.evaluate("each => each.style.clipPath") == "inset(0px 0px 0px 0%)"
    # The second photograph lies where the first one is, turned back.
    assert overlay.locator("[data-top] img").evaluate("each => each.style.transform").startswith("matrix(")
    overlay.get_by_role("radio", name="Difference").check()
    assert top.evaluate("each => getComputedStyle(each).mixBlendMode") == "difference"
    overlay.get_by_role("radio", name="Blend").check()
    assert top.evaluate("each => each.style.opacity") == "0.5"
    overlay.get_by_role("radio", name="Blink").check()
    overlay.get_by_role("button", name="Show the other one").press("Enter")
    assert top.evaluate("each => each.style.visibility") == "hidden"
    page.get_by_label("Turn and scale the later photographs").check()
    assert views.last.locator("img").evaluate("each => each.style.transform").startswith("matrix(")

    found = Axe().run(page, options=AXE_OPTIONS).response["violations"]
    assert [each["id"] for each in found if each["impact"] in ("serious", "critical")] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    if os.environ.get("COMPARE_SHOT"):
        overlay.get_by_role("radio", name="Slider").check()
        page.screenshot(path=str(Path(os.environ["COMPARE_SHOT"]) / f"{size[0]}.png"), full_page=True)
    # Looking changes nothing: each photograph was measured once, when it was added.
    assert Image.objects.count() == 2
    assert Measurement.objects.count() == 2


def test_blinking_is_by_hand_for_who_wants_less_motion(open_browser, dermatologist, lesion):
    page = open_browser(DESKTOP, reduced_motion="reduce")
    sign_in(page, dermatologist)
    page.goto(reverse("lesion-compare", args=[lesion.pk]))
    overlay = page.locator("[data-overlay]")
    overlay.wait_for(timeout=ALIGNED_WITHIN)

    overlay.get_by_role("radio", name="Blink").check()

    assert not overlay.locator("[data-blink]").is_visible()
    assert overlay.get_by_role("button", name="Show the other one").is_visible()


def test_without_script_they_stand_side_by_side(open_browser, dermatologist, lesion):
    page = open_browser(PHONE, java_script_enabled=False)
    sign_in(page, dermatologist)
    page.goto(reverse("lesion-compare", args=[lesion.pk]))

    assert page.locator(".compare-panes img").count() == 2
    assert not page.locator(".compare-tools").first.is_visible()
    page.get_by_role("link", name="Align the two and show what has changed").click(timeout=ALIGNED_WITHIN)
    assert page.locator("[data-measure]").count() == 4
