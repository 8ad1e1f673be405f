"""Reading: a lesion of three photographs, blinded first; then a photograph enlarged to its pixels and measured."""

import io

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image as PillowImage
from playwright.sync_api import expect

from diagnosis.images.models import FullPicture
from diagnosis.measures.models import PictureScale
from diagnosis.reviews.models import ConfirmedLabel, ManagementDecision, Review, ReviewGroup, SeenAnswer
from diagnosis.reviews.queue import refresh_queue_entry
from mlmodel.taxonomy import CODES
from tests.browser.conftest import DESKTOP, PHONE, sign_in
from tests.browser.test_accessibility import AXE_OPTIONS
from tests.diagnosis.photographing import kept, picture_of, sample
from tests.factories import ImageFactory, LesionFactory, PredictionFactory, VisitFactory
from tests.hooks import at_code

MELANOMA = str(CODES.index("mel") + 1)


@pytest.fixture(autouse=True)
def _nobody_is_drawn(settings):
    settings.REVIEW_RANDOM_SHARE = 0


def assert_accessible(page) -> None:
    found = Axe().run(page, options=AXE_OPTIONS).response["violations"]
    serious = [each for each in found if each["impact"] in ("serious", "critical")]
    assert [(each["id"], [node["html"][:120] for node in each["nodes"][:3]]) for each in serious] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def photographed_lesion(patient):
    lesion, visit = LesionFactory(patient=patient), VisitFactory(patient=patient)
    images = ImageFactory.create_batch(3, lesion=lesion, visit=visit)
    for image, tier in zip(images, ("calm", "urgent", "watch"), strict=True):
        PredictionFactory(image=image, code="mel" if tier == "urgent" else "nv", tier=tier)
        refresh_queue_entry(image=image)
    return images


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_lesion_is_read_blinded_and_the_network_appears_afterwards(open_browser, dermatologist, patient, size):
    images = photographed_lesion(patient)
    page = open_browser(size)
    sign_in(page, dermatologist)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/admin/review/")
    page.get_by_role("button", name="By lesion").click()
    page.get_by_role("heading", name="What is it?").wait_for()
    page.wait_for_load_state("networkidle")
    assert "What it could be" not in page.locator("main").inner_text()
    assert not [url for url in asked if "/images/" in url and ("heat-map" in url or "similar" in url)]
    assert page.get_by_role("radio", checked=True).count() == 0, "nothing is chosen for the reader"
    assert_accessible(page)

    # The keys go through the photographs, and one is enlarged.
    assert page.locator("[data-photograph]:visible").get_attribute("id") == "photograph-1"
    page.keyboard.press(".")
    shown = page.locator("[data-photograph]:visible")
    assert shown.get_attribute("id") == "photograph-2"
    before = shown.locator("img").first.bounding_box()["width"]
    page.keyboard.press("+")
    assert shown.locator("img").first.bounding_box()["width"] > before * 1.3
    page.keyboard.press("0")
    assert shown.locator("img").first.bounding_box()["width"] == pytest.approx(before, abs=1)

    # Without a certainty nothing is sent; a malignant answer asks what is to be done.
    page.keyboard.press(MELANOMA)
    assert not Review.objects.exists()
    page.keyboard.press("p")
    with page.expect_navigation():
        page.keyboard.press(MELANOMA)
    page.locator(at_code("decision_missing")).first.wait_for()
    assert not Review.objects.exists()
    page.keyboard.press("f")
    page.keyboard.type("3")
    page.keyboard.press("Enter")
    with page.expect_navigation():
        page.keyboard.press(MELANOMA)

    page.get_by_text("What it could be").first.wait_for()
    page.get_by_text("Decided:").wait_for()
    assert_accessible(page)
    with page.expect_navigation():
        page.keyboard.press("j")
    page.locator(at_code("nothing_to_review")).first.wait_for()

    group = ReviewGroup.objects.get()
    reviews = Review.objects.filter(group=group)
    assert {review.image for review in reviews} == set(images)
    assert {(each.answer, each.certainty, each.was_blinded, each.reviewer) for each in reviews} == {
        ("mel", "probable", True, dermatologist)
    }
    decision = ManagementDecision.objects.get()
    assert (decision.group, decision.lesion, decision.decision, decision.months) == (
        group, images[0].lesion, "follow", 3,
    )  # fmt: skip
    assert set(ConfirmedLabel.objects.values_list("answer", flat=True)) == {"mel"}
    assert ConfirmedLabel.objects.count() == 3
    assert SeenAnswer.objects.filter(member=dermatologist, seen_at__gt=group.created_at).count() == 3


def test_a_photograph_is_enlarged_to_its_pixels_and_measured(open_browser, staff, patient):
    large = PillowImage.open(io.BytesIO(sample(7))).resize((2400, 1800))
    data = io.BytesIO()
    large.save(data, "JPEG", quality=90)
    image = kept(VisitFactory(patient=patient), LesionFactory(patient=patient), staff, data.getvalue())
    page = open_browser()
    sign_in(page, staff)
    page.goto(image.get_absolute_url())
    frame, picture = page.locator("[data-viewer]"), page.locator(".photo-frame > img").first
    assert picture.evaluate("element => element.naturalWidth") == 1600
    assert page.locator("[data-heat-map]").first.is_hidden()
    fitted = picture.bounding_box()

    # Two points by keyboard: pixels while no scale is stated.
    page.get_by_role("button", name="Measure").click()
    output = page.locator("[data-measure-output]")
    assert "pixels of the original. No scale is stated" in output.inner_text()
    first = page.get_by_role("button", name="First point")
    first.focus()
    counted = int("".join(filter(str.isdigit, output.inner_text().split(" ")[0])))
    page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert int("".join(filter(str.isdigit, output.inner_text().split(" ")[0]))) == counted + 11
    # And by clicks, a quarter of the width apart.
    middle = fitted["y"] + fitted["height"] / 2
    page.mouse.click(fitted["x"] + fitted["width"] * 0.25, middle)
    page.mouse.click(fitted["x"] + fitted["width"] * 0.5, middle)
    assert output.inner_text().startswith(("599 ", "600 ", "601 "))
    assert_accessible(page)

    page.get_by_role("button", name="Original pixels").click()
    expect(picture).to_have_js_property("naturalWidth", 2400)
    assert picture.bounding_box()["width"] == pytest.approx(2400, abs=2)
    left = picture.bounding_box()["x"]
    frame.focus()
    page.keyboard.press("ArrowLeft")
    assert picture.bounding_box()["x"] > left
    box = frame.bounding_box()
    page.mouse.move(box["x"] + 200, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 150, box["y"] + 60, steps=5)
    page.mouse.up()
    page.mouse.wheel(0, -300)
    page.wait_for_timeout(100)
    assert picture.bounding_box()["width"] > 2400
    page.keyboard.press("0")
    assert picture.bounding_box() == pytest.approx(fitted, abs=1)

    PictureScale.objects.create(image=image, member=staff, width_mm=24)
    page.reload()
    page.get_by_role("button", name="Measure").click()
    page.mouse.click(fitted["x"] + fitted["width"] * 0.25, middle)
    page.mouse.click(fitted["x"] + fitted["width"] * 0.5, middle)
    assert page.locator("[data-measure-output]").inner_text().startswith("6.0 mm")
    assert FullPicture.objects.get().image == image
    stored = picture_of(FullPicture.objects.get().file)
    assert (stored.size, dict(stored.getexif())) == ((2400, 1800), {})


def test_a_photograph_is_enlarged_by_two_fingers(open_browser, staff, patient):
    image = kept(VisitFactory(patient=patient), LesionFactory(patient=patient), staff, sample(7))
    page = open_browser(PHONE, has_touch=True, is_mobile=True)
    sign_in(page, staff)
    page.goto(image.get_absolute_url())
    frame, picture = page.locator("[data-viewer]"), page.locator(".photo-frame > img").first
    frame.scroll_into_view_if_needed()
    expect(frame).to_have_attribute("data-ready", "")
    box, fitted = frame.bounding_box(), picture.bounding_box()
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    session = page.context.new_cdp_session(page)

    def touch(kind, *apart) -> None:
        points = [{"x": middle[0] + side * each, "y": middle[1], "id": side} for each in apart for side in (-1, 1)]
        for point in points:
            point["id"] += 1
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    def pinch(start: int, end: int) -> None:
        touch("touchStart", start)
        for step in range(1, 11):
            touch("touchMove", start + (end - start) * step / 10)
        touch("touchEnd")
        page.wait_for_timeout(100)

    pinch(30, 90)
    wide = picture.bounding_box()
    assert wide["width"] / fitted["width"] == pytest.approx(3, rel=0.1), (
        "three times as far apart, three times as large"
    )
    centre = wide["x"] + wide["width"] / 2
    assert centre == pytest.approx(middle[0], abs=12), "and what was between the fingers stays there"
    assert page.evaluate("visualViewport.scale") == pytest.approx(1), "the photograph is enlarged and not the page"
    pinch(90, 20)
    assert picture.bounding_box() == pytest.approx(fitted, abs=1)
