"""What a visitor without an account can do."""

from django.core import mail

from dermascan.models import ContactMessage
from diagnosis.images.models import Image, ImageFeatures, Prediction
from tests.browser.conftest import DESKTOP, PHONE
from tests.conftest import PHOTOGRAPHS
from tests.hooks import wording


def test_a_quick_check_of_a_photograph_answers_and_keeps_nothing(open_browser, db):
    page = open_browser(PHONE)
    page.goto("/")
    page.locator("#id_file").set_input_files(PHOTOGRAPHS / "ISIC_0024310.jpg")
    page.get_by_role("button", name="Check this photograph").click()
    page.wait_for_url("**/quick-check/")

    shown = page.locator("main").inner_text()

    assert wording("not a diagnosis") in shown
    assert "Melanocytic nevus" in shown, "all seven classes are shown"
    assert "Vascular lesion" in shown
    assert (Image.objects.count(), Prediction.objects.count(), ImageFeatures.objects.count()) == (0, 0, 0)


def test_a_sample_is_checked_with_one_touch(open_browser, db):
    page = open_browser(DESKTOP)
    page.goto("/")
    page.locator("button[name=sample]").first.click()
    page.wait_for_url("**/quick-check/")

    assert wording("not a diagnosis") in page.locator("main").inner_text()
    assert Image.objects.count() == 0


def test_something_that_is_no_photograph_gets_a_clear_answer(open_browser, db, tmp_path):
    letter = tmp_path / "letter.jpg"
    letter.write_text("This is a letter.")
    page = open_browser(DESKTOP)
    page.goto("/")
    page.locator("#id_file").set_input_files(letter)
    with page.expect_response(lambda answer: answer.request.method == "POST") as answer:
        page.get_by_role("button", name="Check this photograph").click()

    assert answer.value.status == 415
    page.locator(".field-error:visible").first.wait_for()
    assert Image.objects.count() == 0


def test_a_message_reaches_the_operator_and_is_kept(open_browser, db, settings):
    page = open_browser(DESKTOP)
    page.goto("/contact/")
    page.get_by_label("Your name").fill("Ada Example")
    page.get_by_label("E-mail", exact=False).first.fill("ada@visitor.example")
    page.get_by_label("Message", exact=False).first.fill("Does it run on PostgreSQL?")
    page.get_by_role("button", name="Send message").click()
    page.get_by_role("link", name="Go to the home page").wait_for()

    message = ContactMessage.objects.get()
    assert message.email == "ada@visitor.example"
    assert [sent.to for sent in mail.outbox] == [[settings.OPERATOR_EMAIL]]
