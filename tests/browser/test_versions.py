"""Two dermatologists overrule the gate, and one goes back."""

import pytest
from django.urls import reverse

from mlmodel.versions.models import Decision
from mlmodel.versions.serving import active_version
from tests import factories
from tests.browser.conftest import DESKTOP, PHONE, sign_in
from tests.candidates import candidate
from tests.hooks import at_code


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_promoting_what_is_held_back_and_going_back(open_browser, dermatologist, size):
    shipped, version = active_version(), candidate(verdict="hold")
    page = open_browser(size)
    sign_in(page, dermatologist)

    page.goto(reverse("versions"))
    page.get_by_role("link", name=version.name).click()
    page.get_by_label("Why?").fill("It finds more melanomas in our own test.")
    page.get_by_role("button", name="Propose").click()
    page.locator(at_code("required")).first.wait_for()
    assert page.get_by_label("Why?").input_value() == "It finds more melanomas in our own test."

    page.get_by_label("Promote it against the gate’s verdict").check()
    page.get_by_role("button", name="Propose").click()
    page.locator(at_code("may_not_approve")).first.wait_for()
    assert active_version() == shipped

    second = open_browser(size)
    sign_in(second, factories.MemberFactory(clinic=dermatologist.clinic, role="dermatologist"))
    second.goto(reverse("version", args=[version.pk]))
    second.get_by_role("button", name="Approve").click()
    second.locator(at_code("now_active")).first.wait_for()

    page.goto(reverse("version", args=[shipped.pk]))
    page.get_by_label("Why?").fill("It flagged too many.")
    page.get_by_role("button", name="Roll back").click()
    page.locator(at_code("now_active")).first.wait_for()

    decisions = Decision.objects.order_by("pk").values_list("kind", "version", "reason")
    assert list(decisions)[1:] == [
        ("force", version.pk, "It finds more melanomas in our own test."),
        ("roll_back", shipped.pk, "It flagged too many."),
    ]
    assert active_version() == shipped
