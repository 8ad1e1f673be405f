"""Sixty photographs reviewed without touching the mouse, and the same screen without a script."""

from collections import Counter

import pytest

from diagnosis.images.models import Image
from diagnosis.reviews.models import ConfirmedLabel, LabelChange, QueueEntry, QueueSkip, Review
from diagnosis.reviews.queue import refresh_queue_entry
from mlmodel.taxonomy import CODES
from patients.models import Reading, ReviewRule
from tests.browser.conftest import DESKTOP, PHONE, sign_in
from tests.factories import ImageFactory, LesionFactory, ModelVersionFactory, PredictionFactory, VisitFactory
from tests.hooks import at_code

PHOTOGRAPHS = 24
SLOWEST = 60_000


@pytest.fixture(autouse=True)
def _nobody_is_drawn(settings):
    settings.REVIEW_RANDOM_SHARE = 0


@pytest.fixture(autouse=True)
def _the_network_is_shown(clinic):
    """As a clinic may choose; tests/browser/test_reading.py has the default."""
    clinic.reading = Reading.NETWORK_SHOWN
    clinic.save(update_fields=["reading"])


def queue_of(patient, count: int, *, tier: str = "calm") -> list[Image]:
    """Photographs that wait, in the order in which they will be asked for."""
    visit, version = VisitFactory(patient=patient), ModelVersionFactory()
    images: list[Image] = []
    for _number in range(count):
        image = ImageFactory.create(visit=visit, lesion=LesionFactory(patient=patient))
        PredictionFactory(image=image, model_version=version, tier=tier)
        refresh_queue_entry(image=image)
        images.append(image)
    return images


def on_screen(page) -> str:
    """The photograph that is asked for, by its key."""
    return page.locator("[data-answer]").get_attribute("action").rstrip("/").rsplit("/", 1)[-1]


def press(page, *keys: str) -> None:
    """Press the keys; the last one leads to another page."""
    for key in keys[:-1]:
        page.keyboard.press(key)
    with page.expect_navigation(wait_until="load", timeout=SLOWEST):
        page.keyboard.press(keys[-1])


def test_a_row_of_photographs_without_the_mouse(open_browser, dermatologist, patient):
    images = queue_of(patient, PHOTOGRAPHS)
    page = open_browser()
    sign_in(page, dermatologist)
    page.goto("/admin/review/")
    said: dict[str, tuple[str, str, str]] = {}

    def answer(code: str, before: str = "c", certainty: str = "certain", note: str = "") -> None:
        key = on_screen(page)
        if note:
            page.evaluate("scrollTo(0, 0)")
            page.keyboard.press("n")
            page.keyboard.type(note)
            page.keyboard.press("Escape")
            assert page.evaluate("scrollY") == 0, "photograph and answers are in sight again"
        press(page, before, str(CODES.index(code) + 1))
        said[key] = (code, certainty, note)

    # A photograph is skipped, by mistake at first, and one is answered wrongly and taken back.
    skipped = on_screen(page)
    press(page, "s")
    press(page, "z")
    assert on_screen(page) == skipped
    press(page, "s")
    slip = on_screen(page)
    page.keyboard.press(str(CODES.index("mel") + 1))
    assert not Review.objects.exists(), "no answer without a certainty"
    press(page, "c", str(CODES.index("mel") + 1))
    press(page, "z")
    assert on_screen(page) == slip, "what was taken back is asked again"
    # The certainty of what was taken back is still chosen; a second press would take it back too.
    press(page, str(CODES.index("nv") + 1))
    said[slip] = ("nv", "certain", "")
    answer("bcc", "p", certainty="probable")
    # Digits in a note are no answers.
    answer("df", note="Dimple sign, 5 mm")
    unsure = on_screen(page)
    answer("mel", "u", certainty="unsure")
    while len(said) < PHOTOGRAPHS - 1:
        answer(CODES[len(said) % len(CODES)])
    page.locator(at_code("only_skipped_left")).first.wait_for()
    press(page, "b")
    assert on_screen(page) == skipped
    page.keyboard.press("c")
    page.keyboard.press("8")
    page.keyboard.type("Clear cell acanthoma")
    page.get_by_label("Not known").check()
    press(page, "Enter")
    page.locator(at_code("nothing_to_review")).first.wait_for()
    assert f"{PHOTOGRAPHS} of {PHOTOGRAPHS} today" in page.locator("main").inner_text()

    said[skipped] = ("other", "certain", "")
    standing = Review.objects.standing()
    assert {str(review.image_id): (review.answer, review.certainty, review.reason) for review in standing} == said
    assert set(said) == {str(image.pk) for image in images}
    assert {review.reviewer for review in standing} == {dermatologist}
    assert Review.objects.filter(retraction__isnull=False).get().answer == "mel"
    assert standing.get(answer="other").other_text == "Clear cell acanthoma"
    labels = {str(label.image_id): label for label in ConfirmedLabel.objects.all()}
    assert Counter(label.state for label in labels.values()) == {"settled": PHOTOGRAPHS - 1, "open": 1}
    assert labels[unsure].state == "open"
    assert all(labels[key].answer == code for key, (code, *_rest) in said.items() if key != unsure)
    assert Counter(QueueEntry.objects.values_list("state", flat=True)) == {"done": PHOTOGRAPHS - 1, "waiting": 1}
    assert LabelChange.objects.filter(image__pk=slip).count() == 3
    assert not QueueSkip.objects.exists()


def test_a_blinded_reader_compares_only_after_the_answer(open_browser, dermatologist, patient, clinic):
    clinic.review_rule = ReviewRule.TWO_BLINDED_READERS
    clinic.save(update_fields=["review_rule"])
    queue_of(patient, 2, tier="urgent")
    page = open_browser()
    sign_in(page, dermatologist)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/admin/review/")
    page.wait_for_load_state("networkidle")
    assert "What it could be" not in page.locator("main").inner_text()
    first = on_screen(page)

    press(page, "c", str(CODES.index("nv") + 1))
    page.wait_for_load_state("networkidle")
    assert not [url for url in asked if "/images/" in url and ("heat-map" in url or "similar" in url)]
    assert [url for url in asked if url.endswith("/display/")], "the photographs themselves are there"
    page.get_by_role("link", name="Compare with the network").click()
    page.get_by_text("What it could be").wait_for()

    review = Review.objects.get()
    assert (str(review.image_id), review.was_blinded) == (first, True)
    assert ConfirmedLabel.objects.get().state == "open"


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_everything_works_without_a_script(open_browser, dermatologist, patient, size):
    first, second, third = queue_of(patient, 3)
    page = open_browser(size, java_script_enabled=False)
    sign_in(page, dermatologist)
    page.goto("/admin/review/")
    page.get_by_role("button", name="Skip").click()
    page.get_by_label("Probable").check()
    page.get_by_label("How is it known?").select_option("histopathology")
    page.get_by_label("Note").fill("Reported by the pathologist.")
    page.get_by_role("button", name="Melanoma").click()
    page.get_by_text("Recorded:").wait_for()
    page.get_by_role("button", name="Undo").click()
    assert page.get_by_label("Note").input_value() == "Reported by the pathologist."
    page.get_by_role("radio", name="Certain").check()
    page.get_by_label("How is it known?").select_option("dermatoscopy")
    page.get_by_role("button", name="Basal cell carcinoma").click()
    page.get_by_role("radio", name="Certain").check()
    page.get_by_role("button", name="Not a lesion").click()
    page.get_by_role("button", name="that I skipped").click()
    page.get_by_role("radio", name="Certain").check()
    page.get_by_label("Another diagnosis").fill("Wart")
    page.get_by_role("button", name="Another diagnosis", exact=True).click()
    page.locator(at_code("nothing_to_review")).first.wait_for()

    said = {review.image: (review.answer, review.certainty, review.basis) for review in Review.objects.standing()}
    assert said == {
        first: ("wart", "certain", "dermatoscopy"),
        second: ("bcc", "certain", "dermatoscopy"),
        third: ("not_a_lesion", "certain", "dermatoscopy"),
    }
    (taken_back,) = Review.objects.filter(retraction__isnull=False)
    assert (taken_back.answer, taken_back.certainty, taken_back.basis) == ("mel", "probable", "histopathology")
    assert taken_back.reason == "Reported by the pathologist."


@pytest.mark.parametrize("size", [PHONE, DESKTOP])
def test_another_diagnosis_is_found_and_chosen_with_keys_alone(open_browser, dermatologist, patient, size):
    queue_of(patient, 1)
    page = open_browser(size)
    sign_in(page, dermatologist)
    page.goto("/admin/review/")
    page.keyboard.press("c")
    page.keyboard.press("8")
    field = page.locator("#id_other_text")
    assert page.evaluate("document.activeElement.id") == "id_other_text"
    assert page.locator(f"#{field.get_attribute('list')} option[label*='MCC']").get_attribute("value")
    page.keyboard.type("Merkel")
    press(page, "Enter")
    meant = page.get_by_role("button", name="Merkel cell carcinoma")
    meant.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    assert not Review.objects.exists()
    # The summary of what is wrong has the focus, then its link, then what may be meant.
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.value") == "merkel"
    press(page, "Enter")
    page.locator(at_code("nothing_to_review")).first.wait_for()
    assert Review.objects.get().answer == "merkel"


def test_the_keys_can_be_turned_off_and_the_photograph_enlarged(open_browser, dermatologist, patient):
    queue_of(patient, 1)
    page = open_browser()
    sign_in(page, dermatologist)
    page.goto("/admin/review/")
    picture, frame = page.locator(".photo-frame > img").first, page.locator("[data-viewer]")
    before, height = picture.bounding_box()["width"], frame.bounding_box()["height"]
    page.keyboard.press("+")
    page.keyboard.press("+")
    assert picture.bounding_box()["width"] > before * 1.8
    assert frame.bounding_box()["height"] == pytest.approx(height, abs=1), "nothing below it moves"
    page.keyboard.press("0")
    assert picture.bounding_box()["width"] == pytest.approx(before, abs=1)
    heat = page.locator("[data-heat-map]")
    assert heat.is_hidden()
    page.keyboard.press("h")
    assert heat.is_visible()
    page.get_by_role("button", name="Keys are on").click()
    page.reload()
    page.keyboard.press("1")
    page.get_by_role("button", name="Keys are off").wait_for()
    assert not Review.objects.exists()
    page.get_by_role("button", name="Keys are off").click()
    press(page, "c", "1")
    assert Review.objects.get().answer == CODES[0]
