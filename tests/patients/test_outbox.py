"""The outbox, against a real but misbehaving mail server, with killed and concurrent workers."""

import threading
import time
from datetime import timedelta

import pytest
from django.core import mail
from django.db import IntegrityError, connection, connections, transaction
from django.urls import reverse
from django.utils import timezone

from dermascan.checks import check_mail
from patients.message_words import state_in_words
from patients.models import MessageKind, OutgoingMessage
from patients.outbox import deliver, deliver_due, message_counts, queue_message
from patients.tasks import clear_messages, send_due_messages
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def row(staff):
    return factories.OutgoingMessageFactory(user=staff.user)


def make_due() -> None:
    OutgoingMessage.objects.filter(state="waiting").update(next_attempt_at=timezone.now())


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_change_delays_no_message(row, mail_server, hours):
    next_attempt_at = timezone.now() + timedelta(hours=hours)
    OutgoingMessage.objects.update(next_attempt_at=next_attempt_at)
    deliver_due()
    row.refresh_from_db()
    assert row.state == "sent"


def test_a_deadline_a_year_ahead_is_shortened(row, mail_server):
    mail_server.replies["MAIL"] = "451 4.3.0 later"
    OutgoingMessage.objects.update(give_up_at=timezone.now() + timedelta(days=365))
    deliver_due()
    row.refresh_from_db()
    assert row.state == "waiting"
    assert row.give_up_at < timezone.now() + timedelta(days=5)


def test_a_lease_ends_although_the_clock_was_set_back(row, mail_server):
    OutgoingMessage.objects.update(
        state="sending",
        claim="00000000-0000-4000-8000-000000000000",
        lease_until=timezone.now() + timedelta(hours=1),
    )
    deliver_due()
    row.refresh_from_db()
    assert row.state == "sent"


def test_a_message_is_sent_once(row, mail_server):
    deliver(row.pk)
    row.refresh_from_db()
    assert (row.state, row.attempts, row.last_error, row.claim) == ("sent", 1, "", None)
    ((address, text),) = mail_server.taken
    assert address == row.user.email
    assert f"<{row.pk}@" in text
    deliver(row.pk)
    assert len(mail_server.taken) == 1


@pytest.mark.parametrize(("verb", "words"), [("RCPT", "address refused"), ("DATA", "message refused")])
def test_a_permanent_refusal_is_final(row, mail_server, verb, words):
    mail_server.replies[verb] = "550 5.1.1 No such user here"
    deliver(row.pk)
    row.refresh_from_db()
    assert (row.state, row.attempts) == ("refused", 1)
    assert row.last_error == f"{words} (550 5.1.1 No such user here)"
    make_due()
    deliver_due()
    row.refresh_from_db()
    assert row.attempts == 1
    assert message_counts()["undelivered"] == 1


@pytest.mark.parametrize(
    ("verb", "reply"),
    [
        ("RCPT", "450 4.2.1 Greylisted"),
        ("RCPT", "421 Too busy"),
        ("DATA", "451 Try later"),
        ("BODY", "452 Disk full"),
        ("MAIL", "451 Try later"),
        ("MAIL", "550 Sender unknown"),  # the installation's fault, not the address's
        ("CONNECT", "554 Go away"),
        ("CONNECT", ""),
        ("EHLO", ""),
        ("RCPT", ""),
        ("BODY", ""),
    ],
)
def test_a_temporary_failure_is_retried_later(row, mail_server, verb, reply):
    mail_server.replies[verb] = reply
    deliver(row.pk)
    row.refresh_from_db()
    assert (row.state, row.attempts) == ("waiting", 1)
    assert row.last_error
    assert row.next_attempt_at > timezone.now() + timedelta(seconds=30)
    deliver_due()
    row.refresh_from_db()
    assert row.attempts == 1, "not before the next attempt is due"

    mail_server.replies.clear()
    make_due()
    send_due_messages()
    row.refresh_from_db()
    assert (row.state, row.attempts, row.last_error) == ("sent", 2, "")


@pytest.mark.parametrize("verb", ["CONNECT", "RCPT", "BODY"])
def test_a_hanging_server_times_out(row, mail_server, verb):
    mail_server.hangs.add(verb)
    started = time.monotonic()
    deliver(row.pk)
    assert time.monotonic() - started < 5
    row.refresh_from_db()
    assert (row.state, row.attempts) == ("waiting", 1)


def test_an_unavailable_server_is_tried_once_for_all_waiting_messages(staff, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    factories.OutgoingMessageFactory.create_batch(5, user=staff.user)
    deliver_due()
    assert sorted(OutgoingMessage.objects.values_list("attempts", flat=True)) == [0, 0, 0, 0, 1]
    assert message_counts() | {"oldest_seconds": 0} == {
        "waiting": 5,
        "late": 1,
        "undelivered": 0,
        "oldest_seconds": 0,
    }


def test_delays_grow_until_the_message_is_given_up(row, mail_server):
    mail_server.replies["RCPT"] = "450 Later"
    waits = []
    for _ in range(8):
        make_due()
        deliver(row.pk)
        row.refresh_from_db()
        waits.append(round((row.next_attempt_at - timezone.now()).total_seconds() / 60))
    assert waits == [1, 2, 4, 8, 16, 30, 30, 30]
    OutgoingMessage.objects.update(give_up_at=timezone.now() + timedelta(minutes=5))
    make_due()
    deliver(row.pk)
    row.refresh_from_db()
    assert row.state == "given_up"
    assert "450 Later" in row.last_error


def test_a_worker_that_was_killed_loses_nothing(row, mail_server):
    """As after SIGKILL, the worker stops between claim and sending: the row stays claimed until the lease expires."""

    class Killed(BaseException):
        pass

    def kill():
        raise Killed

    from patients.outbox import letters

    ordinary = letters._WRITERS["invitation"]
    letters._WRITERS["invitation"] = lambda message: kill()
    try:
        with pytest.raises(Killed):
            deliver(row.pk)
    finally:
        letters._WRITERS["invitation"] = ordinary
    row.refresh_from_db()
    assert row.state == "sending"
    deliver_due()
    assert not mail_server.taken, "the worker that holds the lease may be alive"
    OutgoingMessage.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    deliver_due()
    row.refresh_from_db()
    assert (row.state, row.attempts) == ("sent", 2)
    assert len(mail_server.taken) == 1


def test_a_worker_whose_lease_expired_no_longer_changes_the_row(row, mail_server):
    """The lease expired while the server accepted the message, and another worker has the row."""

    def taken_over():
        # In the server's thread, through another connection if there is one.
        OutgoingMessage.objects.filter(pk=row.pk).update(
            claim="00000000-0000-4000-8000-000000000000", lease_until=timezone.now() + timedelta(minutes=1)
        )

    from patients.outbox import letters

    ordinary = letters._WRITERS["invitation"]

    def writer(message):
        taken_over()
        return ordinary(message)

    letters._WRITERS["invitation"] = writer
    try:
        deliver(row.pk)
    finally:
        letters._WRITERS["invitation"] = ordinary
    row.refresh_from_db()
    assert row.state == "sending"


@pytest.mark.slow
@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_two_workers_send_one_message_once(mail_server):
    row = factories.OutgoingMessageFactory(user=factories.MemberFactory().user)
    start = threading.Barrier(4)

    def work():
        start.wait()
        try:
            deliver(row.pk)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    row.refresh_from_db()
    assert (row.state, row.attempts, len(mail_server.taken)) == ("sent", 1, 1)


def test_a_message_is_rolled_back_with_its_transaction(staff):
    with transaction.atomic():
        queue_message(MessageKind.INVITATION, user=staff.user, address=staff.user.email)
        transaction.set_rollback(True)
    assert not OutgoingMessage.objects.exists()


def test_only_old_finished_rows_are_cleared(row, settings):
    old = timezone.now() - timedelta(days=settings.MESSAGES_KEPT_DAYS + 1)
    factories.OutgoingMessageFactory(state="sent", finished_at=old)
    factories.OutgoingMessageFactory(state="sent", finished_at=timezone.now() + timedelta(days=365))
    recent = factories.OutgoingMessageFactory(state="refused", finished_at=timezone.now(), last_error="refused")
    OutgoingMessage.objects.filter(pk=row.pk).update(created_at=old)
    clear_messages()
    assert set(OutgoingMessage.objects.all()) == {row, recent}


@pytest.mark.parametrize("backend", ["filebased", "console", "dummy"])
def test_a_message_stored_locally_is_not_called_sent(row, settings, backend, tmp_path, capsys):
    settings.EMAIL_BACKEND, settings.EMAIL_FILE_PATH = f"django.core.mail.backends.{backend}.EmailBackend", tmp_path
    deliver(row.pk)
    row.refresh_from_db()
    assert row.state == "sent"
    assert "but not sent: no mail server is set up" in state_in_words(row)
    assert {message.id for message in check_mail()} >= {"dermascan.W003"}


def test_a_deployment_without_mail_is_reported(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.DEFAULT_FROM_EMAIL, settings.OPERATOR_EMAIL = "desk@clinic.example", "it@clinic.example"
    assert check_mail() == []
    settings.OPERATOR_EMAIL = "operator@localhost"
    assert [message.id for message in check_mail()] == ["dermascan.W004"]


# --- Pages -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["dead", "hanging"])
def test_no_page_waits_for_the_mail_server(client, staff, settings, mail_server, fault):
    if fault == "dead":
        settings.EMAIL_PORT = 1
    else:
        mail_server.hangs.add("CONNECT")
        settings.EMAIL_TIMEOUT = 10
    started = time.monotonic()
    answers = [
        client.post(reverse("account_reset_password"), {"email": staff.user.email}),
        client.post(reverse("account_reset_password"), {"email": "nobody@clinic.example"}),
        client.post(reverse("contact"), {"name": "A", "email": "a@clinic.example", "message": "Hello"}),
    ]
    assert [answer.status_code for answer in answers] == [302, 302, 302]
    assert time.monotonic() - started < 5
    rows = OutgoingMessage.objects.order_by("created_at")
    assert [row.kind for row in rows] == ["password_reset", "account", "contact"]
    assert {row.state for row in rows} == {"waiting"}


def test_a_password_reset_link_is_created_at_sending_time(client, staff, mailoutbox):
    client.post(reverse("account_reset_password"), {"email": staff.user.email})
    row = OutgoingMessage.objects.get()
    assert "/key/" not in row.body
    assert "[[password-link]]" in row.body
    deliver_due()
    (sent,) = mailoutbox
    link = next(word for word in sent.body.split() if "/key/" in word)
    assert client.get(link, follow=True).status_code == 200
    assert "password-link" not in sent.body
    row.refresh_from_db()
    assert (row.state, row.subject, row.body) == ("sent", "", "")


def test_a_reset_for_a_changed_address_is_not_sent(client, staff, mailoutbox):
    client.post(reverse("account_reset_password"), {"email": staff.user.email})
    staff.user.email = "other@clinic.example"
    staff.user.save()
    deliver_due()
    assert not mailoutbox
    assert OutgoingMessage.objects.get().state == "cancelled"


def test_the_operator_sees_rows_and_sends_again(admin_client, mail_server, row):
    mail_server.replies["RCPT"] = "550 No"
    deliver(row.pk)
    page = admin_client.get(reverse("admin:patients_outgoingmessage_changelist")).content.decode()
    assert "550 No" in page
    mail_server.replies.clear()
    action = {"action": "again", "_selected_action": [str(row.pk)]}
    admin_client.post(reverse("admin:patients_outgoingmessage_changelist"), action)
    deliver_due()
    row.refresh_from_db()
    assert row.state == "sent"


# --- The database ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("message_kind_is_known", {"kind": "pigeon"}),
        ("message_state_is_known", {"state": "lost", "finished_at": timezone.now()}),
        ("message_is_claimed_while_it_is_sent", {"state": "sending"}),
        ("message_that_is_finished_has_a_time", {"state": "sent"}),
        ("undelivered_message_says_why", {"state": "refused", "finished_at": timezone.now()}),
        ("finished_message_keeps_no_text", {"state": "sent", "finished_at": timezone.now(), "body": "link"}),
        ("message_names_what_it_is_about", {"kind": "report"}),
    ],
)
def test_the_database_refuses(row, name, values):
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        OutgoingMessage.objects.filter(pk=row.pk).update(**values)


def test_one_message_for_each_kind_and_object(row):
    values = {"kind": "report", "about": row.pk}
    factories.OutgoingMessageFactory(**values)
    with pytest.raises(IntegrityError), transaction.atomic():
        factories.OutgoingMessageFactory(**values)
    assert connection.vendor in ("sqlite", "postgresql")
    assert mail.outbox == []
