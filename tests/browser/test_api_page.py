"""The browsable page in a real browser, which reaches nothing but us."""

from patients.models import ApiToken
from tests.browser.conftest import sign_in


def test_a_member_tries_a_request_out_with_the_browsers_session(open_browser, live_server, staff):
    page = open_browser()
    sign_in(page, staff)
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
    page.goto("/api/docs/")
    operation = page.locator("#operations-v1-explanation")
    operation.locator(".opblock-summary-control").first.click()
    operation.get_by_role("button", name="Try it out").click()
    operation.get_by_role("button", name="Execute").click()

    answer = operation.locator(".live-responses-table .response").first
    answer.locator(".response-col_status", has_text="200").wait_for()
    assert "when_to_seek_care" in answer.inner_text()
    assert page.locator(".opblock").count() == 6
    assert not elsewhere
    assert not complaints
    assert ApiToken.objects.count() == 0, "the session was enough"
