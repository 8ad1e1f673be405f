"""Risk and symptoms, edited where they are shown, and privacy mode, by keyboard and on a telephone."""

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from patients.models import LesionSymptoms, RiskFact
from tests.browser.conftest import DESKTOP, PHONE, sign_in
from tests.browser.test_accessibility import problems_of
from tests.factories import ImageFactory, PredictionFactory
from tests.hooks import at_code, wording


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_risk_and_symptoms_are_edited_where_they_are_shown(open_browser, dermatologist, patient, size):
    image = ImageFactory(lesion__patient=patient)
    PredictionFactory(image=image, code="nv", tier="calm")
    page = open_browser(size)
    sign_in(page, dermatologist)
    page.goto(image.get_absolute_url())
    page.get_by_text(wording("Nothing needs doing today")).wait_for()

    page.get_by_role("link", name="Edit risk").press("Enter")
    page.get_by_role("group", name="Previous melanoma").get_by_label("Yes").check()
    page.get_by_role("group", name="Allergies").get_by_label("Yes").check()
    assert list(problems_of(page, "risk form")) == []
    page.get_by_role("button", name="Save risk").press("Enter")
    page.locator(at_code("detail_missing")).first.wait_for()
    page.get_by_label("Allergies: To what").fill("latex")
    page.get_by_role("button", name="Save risk").press("Enter")
    expect(page.locator("#risk")).to_contain_text("Previous melanoma")
    expect(page.locator("#risk")).to_contain_text("Allergies: latex")

    page.get_by_role("link", name="Record symptoms").press("Enter")
    page.get_by_role("group", name="It bleeds").get_by_label("Yes").check()
    page.get_by_role("button", name="Save symptoms").press("Enter")
    expect(page.locator(".symptoms-row")).to_contain_text("bleeds")
    assert list(problems_of(page, "saved")) == []
    page.locator(".symptoms-row").get_by_role("link", name="Show it with this").click()
    page.locator(at_code("symptoms")).first.wait_for()
    assert page.get_by_text(wording("Nothing needs doing today")).count() == 0

    assert {(row.kind, row.answer, row.detail) for row in RiskFact.objects.all()} == {
        ("melanoma", "yes", ""),
        ("allergies", "yes", "latex"),
    }
    assert (LesionSymptoms.objects.get().lesion, LesionSymptoms.objects.get().bleeding) == (image.lesion, "yes")


@pytest.mark.usefixtures("network_shown")
def test_keys_of_the_review_screen_answer_nothing_while_a_form_is_open(open_browser, dermatologist, patient):
    image = ImageFactory(lesion__patient=patient)
    PredictionFactory(image=image)
    page = open_browser()
    sign_in(page, dermatologist)
    page.goto(reverse("admin:review-photograph", args=[image.pk]))
    page.get_by_role("link", name="Edit risk").click()
    yes = page.get_by_role("group", name="Previous melanoma").get_by_label("Yes")
    yes.check()
    yes.press("5")
    page.get_by_role("button", name="Save risk").click()
    page.get_by_role("link", name="Edit risk").wait_for()
    assert image.reviews.count() == 0

    page.locator("body").press("c")
    page.locator("body").press("5")
    page.get_by_text("Recorded:").wait_for()
    assert [review.answer for review in image.reviews.all()] == ["mel"], "the page still takes an answer afterwards"


@pytest.mark.usefixtures("network_shown")
@pytest.mark.parametrize("by", ["key", "click"])
@pytest.mark.parametrize("is_being_saved", [False, True], ids=["open", "being saved"])
def test_no_answer_leaves_the_page_while_a_form_is_open_or_being_saved(
    open_browser, dermatologist, patient, by, is_being_saved
):
    image = ImageFactory(lesion__patient=patient)
    PredictionFactory(image=image)
    page = open_browser()
    sign_in(page, dermatologist)
    page.goto(reverse("admin:review-photograph", args=[image.pk]))
    page.locator("body").press("c")
    page.get_by_role("link", name="Edit risk").click()
    page.get_by_role("group", name="Previous melanoma").get_by_label("Yes").check()
    held = []
    if is_being_saved:
        page.route("**/risk/**", lambda route: held.append(route))
        page.get_by_role("button", name="Save risk").click()
        expect(page.locator("#risk form.htmx-request")).to_be_visible()
    # The reader's focus is on the page and not in the form.
    page.evaluate("document.activeElement.blur()")
    if by == "key":
        page.keyboard.press("5")
    else:
        page.locator("[data-answer] [data-key='5']").click()
    said = page.locator("[data-kept-back]")
    expect(said).to_contain_text("being saved" if is_being_saved else "Save this form first")
    assert image.reviews.count() == 0
    if is_being_saved:
        (route,) = held
        route.continue_()
    else:
        page.get_by_role("button", name="Save risk").click()
    expect(page.locator("#risk")).to_contain_text("Previous melanoma")
    expect(said).to_have_count(0)
    assert [(row.kind, row.answer) for row in RiskFact.objects.all()] == [("melanoma", "yes")]
    assert image.reviews.count() == 0, "and the key is not remembered either"
    page.keyboard.press("5")
    page.get_by_text("Recorded:").wait_for()
    assert [review.answer for review in image.reviews.all()] == ["mel"]


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_privacy_mode_by_keyboard(open_browser, dermatologist, patient, size):
    page = open_browser(size)
    sign_in(page, dermatologist)
    page.goto(patient.get_absolute_url())
    expect(page.get_by_role("region", name="Patient", exact=True)).to_contain_text(patient.name)
    if size == PHONE:
        page.get_by_role("button", name="Menu").press("Enter")
    page.locator(".site-user details.menu").last.locator("summary").press("Enter")
    page.get_by_role("button", name="Privacy mode").press("Enter")
    page.locator(at_code("privacy_mode")).first.wait_for()
    assert patient.family_name not in page.content()
    assert patient.family_name not in page.title()
    assert list(problems_of(page, "private")) == []
    page.get_by_role("link", name="Edit", exact=True).click()
    page.get_by_role("button", name="Turn privacy mode off and open it").press("Enter")
    expect(page.get_by_label("Family name")).to_have_value(patient.family_name)
    patient.refresh_from_db()
    assert patient.changed_at is None, "looking changed nothing"
