"""Sessions that end, connections that break and clicks that come twice, while a page is open."""

import re

import pytest
from playwright.sync_api import Page, expect

from dermascan.core.submission import Submission
from diagnosis.images.models import Image
from diagnosis.retraining.models import TrainingRun
from diagnosis.reviews.models import Review
from mlmodel.versions.serving import active_version
from patients.models import Lesion, Patient
from tests import factories
from tests.browser.conftest import DESKTOP, PHONE, sign_in
from tests.conftest import PHOTOGRAPHS

MELANOMA = PHOTOGRAPHS / "ISIC_0024310.jpg"
NEVUS = PHOTOGRAPHS / "ISIC_0024322.jpg"
SLOWEST = 60_000


@pytest.fixture
def visit(patient, staff):
    return factories.VisitFactory(patient=patient, clinician=staff)


@pytest.fixture
def lesion(patient):
    return factories.LesionFactory(patient=patient)


def end_session(page: Page) -> None:
    page.context.clear_cookies(name="sessionid")


def notice(page: Page):
    return page.locator("[data-request-notice]")


def sign_in_beside(page: Page, who) -> None:
    """Follow the notice's link, which opens a tab of its own, and sign in there."""
    with page.context.expect_page() as opened:
        notice(page).get_by_role("link", name="Sign in").click()
    tab = opened.value
    sign_in(tab, who)
    tab.close()


def choose_two(page: Page, visit) -> None:
    page.goto(f"/visits/{visit.pk}/upload/")
    page.get_by_role("radio").first.check()
    page.locator("#id_files").set_input_files([MELANOMA, NEVUS])


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_an_upload_after_the_session_ended(open_browser, staff, visit, lesion, size):
    page = open_browser(size)
    sign_in(page, staff)
    choose_two(page, visit)
    end_session(page)
    page.get_by_role("button", name="Upload and analyse").click()

    expect(notice(page)).to_be_visible()
    expect(page.locator("#upload-progress")).to_have_text(re.compile("^0 of 2 done"))
    expect(page.locator("#uploads [data-open]:visible")).to_have_count(0)
    assert not Image.objects.exists()

    sign_in_beside(page, staff)
    notice(page).get_by_role("button", name="Continue").click()
    expect(page.locator("#upload-progress")).to_have_text("2 of 2 done", timeout=SLOWEST)
    expect(notice(page)).to_have_count(0)
    ids = {str(image.pk) for image in Image.objects.all()}
    links = page.locator("#uploads [data-open]:visible").evaluate_all("links => links.map(link => link.href)")
    assert {link.rstrip("/").rsplit("/", 1)[-1] for link in links} == ids
    assert len(ids) == 2


def test_an_upload_does_not_go_on_as_somebody_else(open_browser, staff, dermatologist, visit, lesion):
    page = open_browser()
    sign_in(page, staff)
    choose_two(page, visit)
    end_session(page)
    page.get_by_role("button", name="Upload and analyse").click()
    sign_in_beside(page, dermatologist)
    notice(page).get_by_role("button", name="Continue").click()
    expect(notice(page)).to_contain_text("Another account")
    assert not Image.objects.exists()


@pytest.mark.parametrize("fault", ["offline", "a proxy's 502", "a page", "JSON without an identifier"])
def test_an_upload_that_was_not_answered_is_not_kept(open_browser, staff, visit, lesion, fault):
    page = open_browser()
    sign_in(page, staff)
    choose_two(page, visit)

    def answer(route):
        if route.request.method != "POST":
            route.continue_()
        elif fault == "offline":
            route.abort()
        elif fault == "a proxy's 502":
            route.fulfill(status=502, content_type="text/html", body="<html><h1>Bad Gateway</h1></html>")
        elif fault == "a page":
            route.fulfill(status=200, content_type="text/html", body="<html>Please sign in</html>")
        else:
            route.fulfill(status=200, content_type="application/json", body='{"form": {}, "html": "<form>"}')

    page.route("**/upload/", answer)
    page.get_by_role("button", name="Upload and analyse").click()
    expect(page.locator("#upload-progress")).to_have_text("2 of 2 done, 2 not stored")
    expect(page.locator("#uploads [data-open]:visible")).to_have_count(0)

    page.unroute("**/upload/")
    for _ in range(2):
        page.get_by_role("button", name="Try again").first.click()
    expect(page.locator("#upload-progress")).to_have_text("2 of 2 done", timeout=SLOWEST)
    assert Image.objects.count() == 2


def test_an_answer_that_was_lost_is_given_again(open_browser, staff, visit, lesion):
    page = open_browser()
    sign_in(page, staff)
    choose_two(page, visit)

    def lose(route):
        if route.request.method == "POST":
            route.fetch()  # it arrives, and its answer does not
            route.abort()
        else:
            route.continue_()

    page.route("**/upload/", lose)
    page.get_by_role("button", name="Upload and analyse").click()
    expect(page.locator("#upload-progress")).to_have_text("2 of 2 done, 2 not stored", timeout=SLOWEST)
    page.unroute("**/upload/")
    for _ in range(2):
        page.get_by_role("button", name="Try again").first.click()
    expect(page.locator("#uploads [data-open]:visible")).to_have_count(2, timeout=SLOWEST)
    expect(page.locator("#upload-progress")).to_have_text("2 of 2 done")
    assert Image.objects.count() == 2


@pytest.mark.parametrize("says", ["a proxy's page", "a problem", "nothing"])
def test_an_upload_that_the_server_asks_to_wait_goes_on_by_itself(open_browser, staff, visit, lesion, says):
    page = open_browser(PHONE)
    sign_in(page, staff)
    choose_two(page, visit)
    refused: list[str] = []

    def answer(route):
        if route.request.method != "POST" or len(refused) == 2:
            return route.continue_()
        refused.append(route.request.headers["idempotency-key"])
        headers = {} if says == "nothing" else {"Retry-After": "6"}
        body = '{"code": "throttled", "detail": "Too often."}' if says == "a problem" else "<h1>429</h1>"
        return route.fulfill(status=429, headers=headers, content_type="text/html", body=body)

    page.route("**/upload/", answer)
    page.get_by_role("button", name="Upload and analyse").click()
    expect(page.locator("#uploads [data-state]").first).to_have_text(re.compile(r"trying again automatically in \d s"))
    expect(page.locator("#uploads [data-open]:visible")).to_have_count(0)
    expect(page.locator("#upload-progress")).to_have_text("2 of 2 done", timeout=SLOWEST)
    assert len(set(refused)) == 2
    assert Image.objects.count() == 2


def test_an_upload_that_may_not_wait_so_long_is_left_to_the_person(open_browser, staff, visit, lesion):
    page = open_browser()
    sign_in(page, staff)
    choose_two(page, visit)
    page.route(
        "**/upload/",
        lambda route: (
            route.fulfill(status=429, headers={"Retry-After": "86400"}, body="<h1>429</h1>")
            if route.request.method == "POST"
            else route.continue_()
        ),
    )
    page.get_by_role("button", name="Upload and analyse").click()
    expect(page.locator("#upload-progress")).to_have_text("2 of 2 done, 2 not stored")
    expect(page.locator("#uploads")).to_contain_text("The server is busy")
    expect(page.get_by_role("button", name="Try again")).to_have_count(2)


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_search_after_the_session_ended(open_browser, staff, patient, size):
    page = open_browser(size)
    sign_in(page, staff)
    page.goto("/patients/")
    end_session(page)
    page.get_by_role("searchbox").press_sequentially(patient.family_name[:5])

    expect(notice(page)).to_be_visible()
    expect(page.locator("main form[action*=login], main [name=password]")).to_have_count(0)
    expect(page.locator("h1")).to_have_count(1)
    link = notice(page).get_by_role("link", name="Sign in")
    expect(link).to_have_attribute("href", re.compile(rf"q%3D{patient.family_name[:5]}"))
    link.click()
    page.get_by_label("User name or e-mail address").fill(staff.user.username)
    page.get_by_label("Password").fill(factories.PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(lambda url: url.endswith(f"/patients/?q={patient.family_name[:5]}"))
    expect(page.locator("#results")).to_contain_text(patient.family_name)


def test_a_search_without_a_connection_and_behind_a_broken_proxy(open_browser, staff, patient):
    page = open_browser()
    sign_in(page, staff)
    page.goto("/patients/")
    page.route("**/patients/?q=*", lambda route: route.abort())
    page.get_by_role("searchbox").press_sequentially("Oka")
    expect(notice(page)).to_be_visible()
    page.unroute("**/patients/?q=*")
    page.get_by_role("searchbox").press_sequentially("for")
    expect(notice(page)).to_have_count(0)
    page.route(
        "**/patients/?q=*",
        lambda route: route.fulfill(status=200, content_type="text/html", body="<html>Hello</html>"),
    )
    page.get_by_role("searchbox").press_sequentially("x")
    expect(notice(page)).to_be_visible()
    expect(page.locator("#results")).to_have_count(1)


def test_a_review_by_keys_after_the_session_ended(open_browser, dermatologist, patient):
    image = factories.ImageFactory(lesion__patient=patient)
    factories.PredictionFactory(image=image)
    page = open_browser()
    sign_in(page, dermatologist)
    page.goto(f"/admin/review/{image.pk}/")
    page.keyboard.press("n")
    page.keyboard.type("Network atypical at the margin")
    page.keyboard.press("Escape")
    page.keyboard.press("c")
    end_session(page)
    page.keyboard.press("5")

    expect(notice(page)).to_be_visible()
    expect(page.locator("#id_reason")).to_have_value("Network atypical at the margin")
    assert not Review.objects.exists()

    sign_in_beside(page, dermatologist)
    with page.expect_navigation(timeout=SLOWEST):
        notice(page).get_by_role("button", name="Continue").click()
    review = Review.objects.get()
    assert (review.reviewer, review.reason) == (dermatologist, "Network atypical at the margin")


def test_a_form_after_the_session_ended(open_browser, staff, patient):
    page = open_browser()
    sign_in(page, staff)
    page.goto(f"/patients/{patient.pk}/lesions/new/")
    page.get_by_label("Body site").select_option("back")
    page.get_by_role("radio", name="Left").check()
    page.get_by_label("Description").fill("Below the scar")
    end_session(page)
    page.get_by_role("button", name="Add lesion").click()
    expect(notice(page)).to_be_visible()
    expect(page.get_by_label("Description")).to_have_value("Below the scar")
    assert not Lesion.objects.exists()

    sign_in_beside(page, staff)
    with page.expect_navigation():
        page.get_by_role("button", name="Add lesion").click()
    assert Lesion.objects.get().description == "Below the scar"


def test_a_form_without_a_connection(open_browser, staff, patient):
    page = open_browser()
    sign_in(page, staff)
    page.goto(f"/patients/{patient.pk}/lesions/new/")
    page.get_by_label("Body site").select_option("back")
    page.get_by_role("radio", name="Left").check()
    page.context.set_offline(True)
    page.get_by_role("button", name="Add lesion").click()
    expect(notice(page)).to_be_visible()
    page.context.set_offline(False)
    with page.expect_navigation():
        notice(page).get_by_role("button", name="Continue").click()
    assert Lesion.objects.count() == 1


def test_a_run_that_is_watched_after_the_session_ended(open_browser, dermatologist):
    run = TrainingRun.objects.create(parent=active_version())
    page = open_browser()
    sign_in(page, dermatologist)
    page.goto(f"/admin/retraining/{run.pk}/")
    end_session(page)
    expect(notice(page)).to_be_visible(timeout=SLOWEST)
    page.wait_for_timeout(4500)  # two more polls
    expect(notice(page)).to_have_count(1)
    expect(notice(page).get_by_role("link", name="Sign in")).to_have_attribute("href", re.compile(str(run.pk)))
    expect(page.locator("main [name=password]")).to_have_count(0)


def test_clicks_that_come_twice_and_the_way_back(open_browser, staff):
    page = open_browser()
    sign_in(page, staff)
    page.goto("/patients/new/")
    page.get_by_label("Family name").fill("Moreau")
    page.get_by_label("Birth date").fill("1961-03-14")
    page.get_by_role("button", name="Register patient").dblclick()
    page.wait_for_url(re.compile(r"/patients/[0-9a-f-]{36}/"))
    assert Patient.objects.filter(family_name="Moreau").count() == 1
    assert Submission.objects.count() == 1
    page.go_back()
    expect(page.get_by_role("button", name="Register patient")).to_be_enabled()


def test_the_admins_forms_too(open_browser, manager):
    page = open_browser()
    sign_in(page, manager)
    page.goto("/admin/patients/member/add/")
    page.get_by_label("User name").fill("ines")
    page.get_by_label("Given name").fill("Ines")
    page.get_by_label("Family name").fill("Moreau")
    page.get_by_label("E-mail address").fill("ines@clinic.example")
    page.get_by_label("Role").select_option("staff")
    end_session(page)
    save = page.get_by_role("button", name="Save", exact=True)
    save.click()
    expect(notice(page)).to_be_visible()
    sign_in_beside(page, manager)
    save.dblclick()
    page.wait_for_url(re.compile(r"/admin/patients/member/$"))
    assert manager.clinic.members.filter(user__username="ines").count() == 1
