import pytest
from django.core import mail
from django.db import IntegrityError, transaction

from dermascan.models import ContactMessage
from patients.models import OutgoingMessage
from patients.tasks import send_due_messages, send_message
from tests.dermascan.pages import assert_in_our_frame
from tests.hooks import codes
from tests.page_forms import token_of

pytestmark = pytest.mark.django_db

WRITTEN = {"name": "Ada Example", "email": "ada@clinic.example", "message": "The bars are hard to read.\nThank you."}


@pytest.fixture
def operator(settings):
    settings.OPERATOR_EMAIL = "operator@clinic.example"
    return settings.OPERATOR_EMAIL


def test_a_message_is_stored_and_mailed_to_the_operator(client, operator, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        response = client.post("/contact/", WRITTEN)
    assert response["Location"] == "/contact/thank-you/"
    message = ContactMessage.objects.get()
    assert (message.name, message.email, message.is_handled) == ("Ada Example", "ada@clinic.example", False)
    assert OutgoingMessage.objects.get(about=message.pk).state == "sent"
    (sent,) = mail.outbox
    assert sent.to == [operator]
    assert sent.reply_to == ["ada@clinic.example"]
    assert "hard to read" in sent.body


def test_the_mail_is_sent_once_even_if_the_task_runs_twice(client, operator):
    client.post("/contact/", WRITTEN)
    row = OutgoingMessage.objects.get()
    for _ in range(2):
        send_message(str(row.pk))
        send_due_messages()
    assert len(mail.outbox) == 1


def test_a_message_is_stored_when_the_mail_fails_with_the_reason(client, admin_client, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    client.post("/contact/", WRITTEN)
    send_due_messages()
    row = OutgoingMessage.objects.get(kind="contact", about=ContactMessage.objects.get().pk)
    assert (row.state, row.attempts) == ("waiting", 1)
    assert "could not be reached" in row.last_error
    page = admin_client.get(f"/admin/dermascan/contactmessage/{row.about}/change/").content.decode()
    assert "could not be reached" in page


def test_mail_goes_to_files_by_default(client, settings, tmp_path, django_capture_on_commit_callbacks):
    from dermascan.settings import base

    assert base.EMAIL_CONFIG["EMAIL_BACKEND"].endswith("filebased.EmailBackend")
    settings.EMAIL_BACKEND = base.EMAIL_CONFIG["EMAIL_BACKEND"]
    settings.EMAIL_FILE_PATH = str(tmp_path)
    with django_capture_on_commit_callbacks(execute=True):
        client.post("/contact/", WRITTEN)
    (file,) = tmp_path.iterdir()
    assert "hard to read" in file.read_text()


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "Ada\nBcc: victim@clinic.example"},
        {"name": "Ada\r\nBcc: victim@clinic.example"},
        {"name": "x" * 121},
        {"email": "not an address"},
        {"email": "a@clinic.example\nBcc: b@clinic.example"},
        {"email": "a@clinic.example, b@clinic.example"},
        {"message": ""},
        {"message": "a\x00b"},
        {"message": "x" * 5001},
    ],
)
def test_errors_are_shown_next_to_the_field_and_nothing_is_stored(client, wrong):
    response = client.post("/contact/", WRITTEN | wrong)
    assert response.status_code == 400
    page = assert_in_our_frame(response)
    (field,) = wrong
    assert f'id="id_{field}_error"' in page
    assert f'href="#id_{field}"' in page
    assert not ContactMessage.objects.exists()
    assert not mail.outbox


def test_messages_of_spam_bots_are_discarded(client):
    response = client.post("/contact/", WRITTEN | {"website": "https://spam.example"})
    assert response["Location"] == "/contact/thank-you/"
    assert not ContactMessage.objects.exists()


def test_the_sixth_message_in_an_hour_waits(client):
    for _ in range(5):
        assert client.post("/contact/", WRITTEN).status_code == 302
    response = client.post("/contact/", WRITTEN)
    assert response.status_code == 429
    assert int(response["Retry-After"]) > 0
    assert "throttled" in codes(assert_in_our_frame(response))
    assert ContactMessage.objects.count() == 5


def test_name_and_address_of_users_are_filled_in(sign_in, staff):
    page = sign_in(staff).get("/contact/").content.decode()
    assert f'value="{staff.user.email}"' in page


@pytest.mark.parametrize("field", ["name", "email", "message"])
def test_the_database_refuses_a_message_without(field):
    with pytest.raises(IntegrityError, match="contact_message"), transaction.atomic():
        ContactMessage.objects.create(**(WRITTEN | {field: ""}))


def test_the_operator_reads_and_ticks_off_but_does_not_edit(admin_client):
    message = ContactMessage.objects.create(**WRITTEN)
    page = admin_client.get("/admin/dermascan/contactmessage/?q=ada")
    assert b"Ada Example" in page.content
    path = f"/admin/dermascan/contactmessage/{message.pk}/change/"
    assert b"hard to read" in admin_client.get(path).content
    typed = {"name": "Changed", "message": "Changed", "is_handled": "on"}
    response = admin_client.post(path, typed | token_of(admin_client, path))
    assert response.status_code == 302
    message.refresh_from_db()
    assert (message.name, message.is_handled) == ("Ada Example", True)
    action = {"action": "mark_open", "_selected_action": message.pk}
    admin_client.post("/admin/dermascan/contactmessage/", action)
    message.refresh_from_db()
    assert message.is_handled is False
    assert admin_client.get("/admin/dermascan/contactmessage/add/").status_code == 403
