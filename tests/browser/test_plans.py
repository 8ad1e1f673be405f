"""From Today to a lesion's next step and back, by keyboard too, without a serious axe violation."""

import datetime

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone

from diagnosis.followup.models import Ending, LesionPlan, NextStep, TodayFilter
from tests import factories
from tests.browser.conftest import DESKTOP, PHONE, sign_in
from tests.browser.test_accessibility import AXE_OPTIONS
from tests.hooks import at_code


@pytest.mark.parametrize(("size", "scheme"), [(DESKTOP, "light"), (PHONE, "dark")])
def test_an_overdue_recall_is_found_and_planned_anew(open_browser, dermatologist, patient, size, scheme):
    lesion = factories.LesionFactory(patient=patient)
    today = timezone.localdate()
    overdue = factories.LesionPlanFactory(lesion=lesion, due_on=today - datetime.timedelta(days=9))
    page = open_browser(size, color_scheme=scheme)

    def problems() -> list[str]:
        found = Axe().run(page, options=AXE_OPTIONS).response["violations"]
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        serious = [each["id"] for each in found if each["impact"] in ("serious", "critical")]
        return serious + (["scrolls sideways"] if wide > 0 else [])

    sign_in(page, dermatologist)
    page.wait_for_url("**/today/")
    page.get_by_text("9 days overdue").wait_for()
    assert problems() == []

    page.get_by_role("link", name="Call for an appointment").click()
    page.get_by_role("link", name="Change the next step").click()
    assert not page.get_by_label("1 week").is_visible(), "nothing to date before a step is chosen"
    page.get_by_label("See again").focus()
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    assert page.get_by_label("Biopsy or excision").is_checked()
    page.get_by_label("1 week").check()
    page.get_by_label("Note").fill("Deep shave.")
    assert problems() == []
    page.get_by_role("button", name="Save next step").click()
    page.locator(at_code("planned")).first.wait_for()
    assert problems() == []

    page.goto("/today/")
    page.get_by_label("Whose").select_option("mine")
    page.get_by_role("button", name="Show", exact=True).click()
    page.locator(at_code("filter_is_on")).first.wait_for()
    assert page.get_by_role("link", name="Arrange the biopsy").count() == 1
    assert problems() == []

    overdue.refresh_from_db()
    assert (overdue.ending, overdue.ended_by) == (Ending.REPLACED, dermatologist)
    plan = LesionPlan.objects.standing().get()
    assert (plan.step, plan.due_on) == (NextStep.BIOPSY, today + datetime.timedelta(days=7))
    assert TodayFilter.objects.get().whose == "mine"
