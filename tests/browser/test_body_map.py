"""The body map and the timeline, as a clinician uses them: by pointer, by keyboard, and without scripts."""

import datetime

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from playwright.sync_api import expect

from patients.models import BodySite, Lesion, LesionPlacement, MapView, Side
from patients.services import place_lesion
from tests.browser.conftest import DESKTOP, PHONE, sign_in
from tests.browser.test_accessibility import AXE_OPTIONS
from tests.factories import LesionFactory, PredictionFactory

LOOKS = [(DESKTOP, "light"), (PHONE, "dark")]


def problems(page) -> list[str]:
    found = Axe().run(page, options=AXE_OPTIONS).response["violations"]
    excess = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return [each["id"] for each in found if each["impact"] in ("serious", "critical")] + ["sideways"] * (excess > 0)


@pytest.mark.parametrize(("size", "scheme"), LOOKS)
def test_a_lesion_is_added_on_the_map_and_its_pin_moved_by_keyboard(open_browser, staff, patient, size, scheme):
    page = open_browser(size, color_scheme=scheme)
    sign_in(page, staff)
    page.goto(reverse("body-map", args=[patient.pk]))
    assert problems(page) == []
    page.get_by_role("link", name="Add a lesion").first.click()

    # A point on the drawing proposes body site and side: the left forearm is at our right.
    frame = page.locator("[data-body-view=front]")
    frame.scroll_into_view_if_needed()
    box = frame.locator("svg").bounding_box()
    frame.locator("svg").click(position={"x": box["width"] * (665 - 270) / 460, "y": box["height"] * 0.43})
    expect(page.get_by_role("status").filter(has_text="left forearm")).to_be_visible()
    expect(page.get_by_label("Body site")).to_have_value("forearm")
    expect(page.get_by_role("radio", name="Left")).to_be_checked()
    assert problems(page) == []
    page.get_by_role("button", name="Add lesion").click()
    page.wait_for_url(lambda url: "/new/" not in url)
    lesion = Lesion.objects.get()
    first = lesion.placements.get()
    assert (lesion.body_site, lesion.side, first.view) == (BodySite.FOREARM, Side.LEFT, MapView.FRONT)

    page.goto(reverse("body-map", args=[patient.pk]))
    page.get_by_role("link", name="Move Lesion 1").click()
    frame = page.locator("[data-body-view=front]")
    frame.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Set the place")).to_be_focused()
    assert problems(page) == []
    page.keyboard.press("Enter")
    page.wait_for_url("**/map/**")

    second = LesionPlacement.objects.order_by("-number")[0]
    assert (second.number, second.x, second.y) == (2, first.x - 2, first.y + 10)
    page.get_by_role("link", name="Lesion 1, left forearm: no photographs", exact=True).focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{lesion.get_absolute_url()}")


def test_the_list_takes_back_a_point_that_it_contradicts(open_browser, staff, patient):
    page = open_browser()
    sign_in(page, staff)
    page.goto(reverse("lesion-new", args=[patient.pk]))
    page.locator("[data-body-view=back]").focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator("[name=map-view]")).to_have_value("back")
    page.get_by_label("Body site").select_option("sole")
    expect(page.locator("[name=map-view]")).to_have_value("")
    page.get_by_role("button", name="Add lesion").click()
    page.wait_for_url(lambda url: "/new/" not in url)

    assert Lesion.objects.get().body_site == BodySite.SOLE
    assert not LesionPlacement.objects.exists()


def test_two_neighbours_have_a_pin_each_and_the_region_is_enlarged(open_browser, staff, patient):
    for number, y in ((1, 300), (2, 305)):
        lesion = LesionFactory(patient=patient, number=number, body_site=BodySite.BACK, side=Side.LEFT)
        place_lesion(lesion=lesion, by=staff, view=MapView.BACK, x=450, y=y)
    page = open_browser()
    sign_in(page, staff)
    page.goto(reverse("body-map", args=[patient.pk]))
    page.goto(reverse("body-map", args=[patient.pk]) + "?view=back&region=left-back")

    one, two = (page.get_by_role("link", name=f"Lesion {n}, left back: no photographs", exact=True) for n in (1, 2))
    apart = [pin.locator("text").bounding_box() for pin in (one, two)]
    assert abs(apart[0]["y"] - apart[1]["y"]) + abs(apart[0]["x"] - apart[1]["x"]) > 24
    assert problems(page) == []
    two.click()
    page.wait_for_url(f"**{Lesion.objects.get(number=2).get_absolute_url()}")
    assert LesionPlacement.objects.count() == 2


def test_without_scripts_numbers_set_the_pin(open_browser, staff, patient):
    lesion = LesionFactory(patient=patient, body_site=BodySite.BACK, side=Side.LEFT)
    page = open_browser(java_script_enabled=False)
    sign_in(page, staff)
    page.goto(reverse("lesion-place", args=[lesion.pk]))
    page.get_by_label("Drawing", exact=True).select_option("back")
    page.get_by_label("Across").fill("450")
    page.get_by_label("Down").fill("300")
    page.get_by_role("button", name="Set the place").click()
    page.wait_for_url("**/map/**")

    assert LesionPlacement.objects.get().x == 450


@pytest.mark.parametrize(("size", "scheme"), LOOKS)
def test_the_timeline_is_read_by_keys_and_as_tables(open_browser, staff, patient, size, scheme):
    lesion = LesionFactory(patient=patient)
    for month, share in ((3, 0.02), (6, 0.5), (9, 0.7)):
        PredictionFactory(
            image__lesion=lesion,
            image__visit__date=datetime.date(2026, month, 9),
            code="mel",
            share=share,
            tier="urgent",
        )
    page = open_browser(size, color_scheme=scheme)
    sign_in(page, staff)
    page.goto(lesion.get_absolute_url())
    page.wait_for_load_state("networkidle")

    canvas = page.get_by_role("img", name="Malignant probability over time")
    canvas.press("Home")
    tip = canvas.locator("xpath=following-sibling::p")
    expect(tip).to_contain_text("9 March 2026")
    canvas.press("ArrowRight")
    expect(tip).to_contain_text("9 June 2026")
    cell = page.get_by_role("row", name="9 June 2026").get_by_role("cell").first
    expect(cell).to_be_hidden()
    page.locator("section[aria-labelledby=probability] .watch-table > summary").press("Enter")
    expect(cell).to_be_visible()
    assert problems(page) == []
    assert lesion.images.count() == 3
