"""Chromium in front of the real server, and what it must never show."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from patients.models import Member, User
from tests.factories import PASSWORD

# Playwright runs an event loop in the test's own thread, which Django takes for asynchronous code.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
DESKTOP, PHONE = (1280, 900), (390, 844)
# Root may not use the sandbox; the others keep Chromium from calling home where there is no way out.
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def open_browser(chromium, live_server):
    """Return a page of a fresh browser at the given size. A script error or a blocked resource fails the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def _open(size: tuple[int, int] = DESKTOP, **options) -> Page:
        width, height = size
        context = chromium.new_context(
            base_url=live_server.url, viewport={"width": width, "height": height}, **options
        )
        context.set_default_timeout(60_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(f"script error: {error}"))
        page.on(
            "console",
            lambda message: complaints.append(message.text) if "Content Security Policy" in message.text else None,
        )
        return page

    yield _open
    for context in contexts:
        context.close()
    assert complaints == []


def sign_in(page: Page, who: Member | User) -> None:
    """Sign in as a person does."""
    user = who.user if isinstance(who, Member) else who
    page.goto("/accounts/login/")
    page.get_by_label("User name or e-mail address").fill(user.username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(lambda url: "/accounts/login" not in url)
