"""The browsable page in a real browser, which reaches nothing but us."""

import pytest
from playwright.sync_api import sync_playwright

from tests import factories

pytestmark = [pytest.mark.slow, pytest.mark.browser]


@pytest.fixture
def page(live_server, monkeypatch):
    # Playwright's event loop makes Django think that tests run asynchronously; they do not.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page()
        page.set_default_timeout(15_000)
        yield page
        browser.close()


@pytest.mark.django_db(transaction=True)
def test_a_member_tries_a_request_out_with_the_browsers_session(page, live_server, sign_in):
    elsewhere: list[str] = []
    complaints: list[str] = []

    def note_request(request):
        if not request.url.startswith((live_server.url, "data:")):
            elsewhere.append(request.url)

    def note_message(message):
        if message.type == "error":
            complaints.append(message.text)

    page.on("request", note_request)
    page.on("console", note_message)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    session = sign_in(factories.MemberFactory()).cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])

    page.goto(f"{live_server.url}/api/docs/")
    operation = page.locator("#operations-v1-explanation")
    operation.locator(".opblock-summary-control").first.click()
    operation.get_by_role("button", name="Try it out").click()
    operation.get_by_role("button", name="Execute").click()

    answer = operation.locator(".live-responses-table .response").first
    answer.locator(".response-col_status", has_text="200").wait_for()
    assert "when_to_seek_care" in answer.inner_text()
    assert page.locator(".opblock").count() == 4
    assert not elsewhere
    assert not complaints
