"""A dermatologist has a better network made, and sees it come about."""

import logging
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from celery.contrib.testing.worker import start_worker
from django.conf import settings
from django.urls import reverse

from dermascan.celery import app
from diagnosis.retraining.models import RunStatus, TrainingRun
from mlmodel.versions.serving import active_version
from tests.browser.conftest import DESKTOP, PHONE, sign_in
from tests.browser.test_accessibility import AXE_OPTIONS
from tests.diagnosis.retraining.cases import confirmed_cases

# What the page writes down as its figures change: they may come and go faster than a test can ask.
REMEMBER = """
window.shares = [];
new MutationObserver(() => {
  const share = document.querySelector("progress")?.value;
  if (share !== undefined && share !== window.shares.at(-1)) window.shares.push(share);
}).observe(document.querySelector("main"), {subtree: true, childList: true, attributes: true});
"""


@pytest.fixture
def worker(transactional_db) -> Iterator[None]:
    """A worker of the long queue beside the site, as ``make run`` starts one."""
    app.conf.task_always_eager = False
    app.loader.import_default_modules()
    app.control.purge()
    level = logging.getLogger().level
    try:
        with start_worker(app, pool="solo", queues=[settings.LONG_QUEUE], perform_ping_check=False, loglevel="ERROR"):
            yield
    finally:
        app.conf.task_always_eager = True
        # A worker sets the level of the whole process, and the tests after this one listen to it.
        logging.getLogger().setLevel(level)


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_a_run_is_started_and_followed_without_reloading(open_browser, dermatologist, worker, size):
    confirmed_cases(dermatologist, 120)
    shipped = active_version()
    page = open_browser(size)
    sign_in(page, dermatologist)

    page.goto(reverse("admin:retraining"))
    page.get_by_role("button", name="Retrain now").click()
    page.wait_for_url("**/admin/retraining/*/")
    page.evaluate(REMEMBER)
    page.get_by_role("heading", name="Verdict").wait_for()

    shares = page.evaluate("window.shares")
    assert len(shares) > 2, "it is seen to move"
    assert shares == sorted(shares), "and not to go back"
    run = TrainingRun.objects.get()
    assert run.candidate is not None
    assert (run.status, run.started_by) == (RunStatus.DONE, dermatologist.user)
    assert page.get_by_role("link", name=run.candidate.name).is_visible()
    assert page.get_by_text("A person decides").is_visible()
    assert active_version() == shipped


@pytest.mark.parametrize(("size", "scheme"), [(DESKTOP, "light"), (PHONE, "dark")])
def test_the_button_stands_alone_and_can_be_read_by_everybody(open_browser, dermatologist, size, scheme):
    confirmed_cases(dermatologist, 3)
    page = open_browser(size, color_scheme=scheme)
    sign_in(page, dermatologist)
    page.goto(reverse("admin:retraining"))

    assert page.get_by_role("button", name="Retrain now").is_enabled()
    found = Axe().run(page, options=AXE_OPTIONS).response["violations"]
    assert [each["id"] for each in found if each["impact"] in {"serious", "critical"}] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    assert not TrainingRun.objects.exists()
