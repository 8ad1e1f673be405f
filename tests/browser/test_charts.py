"""The charts of the performance page: in the colours of the theme, for pointers and for keys, and as tables."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from diagnosis.monitoring.days import store_day
from diagnosis.reviews.models import QueueEntry
from diagnosis.reviews.services import record_review
from mlmodel.versions.serving import active_version
from tests import factories
from tests.browser.conftest import DESKTOP, PHONE, sign_in

# --accent and --ink of static/css/tokens.css: bars, and the strokes upon them.
ACCENT = {"light": (11, 107, 107), "dark": (92, 195, 189)}
INK = {"light": (20, 33, 43), "dark": (232, 238, 240)}
PIXELS = """(canvas, [r, g, b]) => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let count = 0;
  for (let at = 0; at < data.length; at += 4) count += data[at] === r && data[at + 1] === g && data[at + 2] === b;
  return count;
}"""
# What there are figures of, with one answer, its review and one photograph that waits.
DRAWN = {"agreement", "calibration", "predictions", "calm", "seconds", "queue-ages", "queue-oldest"}


@pytest.fixture
def figures(clinic, dermatologist) -> None:
    prediction = factories.PredictionFactory(
        image__lesion__patient__clinic=clinic, model_version=active_version(), duration=timedelta(seconds=2)
    )
    record_review(image=prediction.image, reviewer=dermatologist, answer="nv", certainty="certain")
    QueueEntry.objects.create(
        image=factories.ImageFactory(lesion=prediction.image.lesion, visit=prediction.image.visit),
        clinic=clinic, state="waiting", reason="no_label", reasons=["no_label"], needs=1,
        entered_at=timezone.now() - timedelta(days=2),
    )  # fmt: skip
    store_day(clinic)


def chart(page: Page, slug: str):
    return page.locator(f"section[aria-labelledby={slug}]")


def pixels(page: Page, slug: str, colour: tuple[int, int, int]) -> int:
    return chart(page, slug).locator("canvas").evaluate(PIXELS, colour)


@pytest.mark.parametrize(("size", "scheme", "other"), [(DESKTOP, "light", "dark"), (PHONE, "dark", "light")])
def test_charts_are_drawn_in_the_themes_colours(open_browser, dermatologist, figures, size, scheme, other):
    page = open_browser(size, color_scheme=scheme)
    sign_in(page, dermatologist)
    page.goto(reverse("watch"))
    page.wait_for_load_state("networkidle")

    assert page.locator("canvas").count() == len(DRAWN)
    for slug in DRAWN:
        box = chart(page, slug).locator("canvas").bounding_box()
        assert box["width"] > 250, slug
        assert box["height"] > 200, slug
        assert box["x"] + box["width"] <= size[0], slug
        assert pixels(page, slug, ACCENT[scheme]) > 100, slug
        assert pixels(page, slug, ACCENT[other]) == 0, slug
    for slug, what in {"calibration": "whisker", "queue-oldest": "mark", "agreement": "limit"}.items():
        assert pixels(page, slug, INK[scheme]) > 20, what
    assert pixels(page, "queue-ages", INK[scheme]) == 0, "there is nothing but bars"

    page.evaluate("theme => { document.documentElement.dataset.theme = theme }", other)
    assert pixels(page, "agreement", ACCENT[other]) > 100
    assert pixels(page, "agreement", ACCENT[scheme]) == 0


def test_pointer_and_keys_show_the_figures_of_a_bar(open_browser, dermatologist, figures):
    page = open_browser()
    sign_in(page, dermatologist)
    page.goto(reverse("watch"))
    ages = chart(page, "queue-ages")
    canvas, tip = ages.locator("canvas"), ages.get_by_role("status")
    box = canvas.bounding_box()

    canvas.hover(position={"x": box["width"] - 20, "y": 80})
    expect(tip).to_have_text("30 days or more none")
    expect(tip).to_have_css("opacity", "1")
    page.mouse.move(0, 0)
    expect(tip).to_have_css("opacity", "0")

    canvas.press("Home")
    expect(tip).to_have_text("less than a day none")
    canvas.press("ArrowRight")
    expect(tip).to_have_text("1 to 3 days 1")
    canvas.press("ArrowLeft")
    canvas.press("ArrowLeft")
    expect(tip).to_have_text("less than a day none")
    canvas.press("End")
    expect(tip).to_have_text("30 days or more none")
    expect(tip).to_have_css("opacity", "1")
    canvas.press("Escape")
    expect(tip).to_have_css("opacity", "0")

    # The keyboard arrives at the newest figure, and leaves none behind.
    chart(page, "seconds").locator("summary").focus()
    page.keyboard.press("Tab")
    expect(canvas).to_be_focused()
    expect(tip).to_have_css("opacity", "1")
    page.keyboard.press("Tab")
    expect(tip).to_have_css("opacity", "0")


def test_the_table_is_closed_where_a_chart_is_drawn_and_opens(open_browser, dermatologist, figures):
    page = open_browser()
    sign_in(page, dermatologist)
    page.goto(reverse("watch"))
    ages = chart(page, "queue-ages")
    expect(ages.locator("canvas")).to_be_visible()
    cell = ages.get_by_role("row", name="1 to 3 days").get_by_role("cell")

    expect(cell).to_be_hidden()
    ages.locator("summary").press("Enter")
    expect(cell).to_have_text("1")


def test_without_scripts_the_tables_are_open(open_browser, dermatologist, figures):
    page = open_browser(java_script_enabled=False)
    sign_in(page, dermatologist)
    page.goto(reverse("watch"))

    for slug in DRAWN:
        expect(chart(page, slug).locator("canvas")).to_be_hidden()
        expect(chart(page, slug).get_by_role("table")).to_be_visible()
