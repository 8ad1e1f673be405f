"""What happens when the queue is out of reach, and how what it lost is found again."""

import pytest
from django.urls import reverse

from dermascan.models import ContactMessage
from diagnosis.retraining.models import RunStatus
from diagnosis.retraining.services import start_run
from diagnosis.retraining.tasks import find_lost_work
from diagnosis.reviews.models import ConfirmedLabel
from mlmodel.versions.promotion import promote_version
from mlmodel.versions.serving import active_version
from patients.models import OutgoingMessage, ReviewRule
from patients.tasks import send_due_messages
from tests import factories
from tests.candidates import candidate
from tests.diagnosis.reporting import MELANOMA, photographed_visit, signed_report
from tests.diagnosis.retraining.cases import confirmed
from tests.diagnosis.retraining.test_run import newest
from tests.hooks import codes

pytestmark = pytest.mark.django_db


@pytest.fixture
def commits(django_capture_on_commit_callbacks):
    """Let what waits for a commit happen, as it would."""
    return lambda: django_capture_on_commit_callbacks(execute=True)


# --- The queue is out of reach ---------------------------------------------------------------------------------------


def test_a_message_to_the_operator_is_kept(client, commits, unreachable_broker, caplog):
    written = {"name": "Ada Example", "email": "ada@clinic.example", "message": "The page is hard to read."}
    with commits():
        response = client.post("/contact/", written)
    assert response["Location"] == "/contact/thank-you/"
    row = OutgoingMessage.objects.get(about=ContactMessage.objects.get().pk)
    assert (row.state, row.attempts) == ("waiting", 0)
    assert "send_message could not be enqueued" in caplog.text
    assert "hunter2" not in caplog.text, "the broker's address holds a password"


def test_a_report_is_released(
    sign_in, patient, patient_user, dermatologist, commits, unreachable_broker, caplog, mailoutbox
):
    visit = photographed_visit(patient, MELANOMA)
    report = signed_report(visit, dermatologist)
    with commits():
        page = sign_in(dermatologist).post(reverse("visit-release", args=[visit.pk]), follow=True)
    assert page.status_code == 200
    report.refresh_from_db()
    assert report.released_at is not None
    assert "patient_mail" in codes(page)
    assert "mail_waiting" in codes(page.content.decode())
    assert "send_message could not be enqueued" in caplog.text
    send_due_messages()
    assert [mail.to for mail in mailoutbox] == [[patient_user.email]]
    assert "sent to" in sign_in(dermatologist).get(reverse("visit", args=[visit.pk])).content.decode()


def test_a_run_waits_until_it_is_handed_over_again(sign_in, dermatologist, commits, unreachable_broker, caplog):
    confirmed(reader=dermatologist)
    with commits():
        page = sign_in(dermatologist).post(reverse("admin:retraining-start"), follow=True)
    assert page.status_code == 200
    assert newest().status == RunStatus.QUEUED
    assert "work_on_run could not be enqueued" in caplog.text


def test_a_promotion_stands(dermatologist, commits, unreachable_broker, caplog):
    version = candidate(leaning="nv", by=12.0)
    with commits():
        promote_version(version=version, by=dermatologist.user, reason="Better.")
    assert active_version() == version
    assert "rescore_the_archive could not be enqueued" in caplog.text


# --- What was lost is found again ------------------------------------------------------------------------------------


def test_an_archive_that_nobody_read_again_is_read(patient, dermatologist, commits):
    image = photographed_visit(patient, MELANOMA).images.get()
    version = candidate(leaning="nv", by=12.0)
    promote_version(version=version, by=dermatologist.user, reason="Better.")  # its task is lost with the commit
    assert not image.predictions.filter(model_version=version).exists()
    with commits():
        find_lost_work()
    assert image.predictions.get(model_version=version).code == "nv"
    with commits() as handed_over:
        find_lost_work()
    assert handed_over == [], "where nothing was lost nothing is handed over"


def test_labels_of_an_old_rule_are_derived_anew(clinic, dermatologist, other_clinic, commits):
    image = confirmed(reader=dermatologist)
    elsewhere = confirmed(reader=factories.MemberFactory(clinic=other_clinic, role=dermatologist.role))
    type(clinic).objects.filter(pk=clinic.pk).update(review_rule=ReviewRule.TWO_BLINDED_READERS)  # no signal is sent
    with commits() as handed_over:
        find_lost_work()
    assert len(handed_over) == 1
    assert ConfirmedLabel.objects.get(image=image).rule == ReviewRule.TWO_BLINDED_READERS
    assert ConfirmedLabel.objects.get(image=elsewhere).rule == ReviewRule.ONE_READER


@pytest.mark.slow
def test_a_run_that_no_worker_was_told_of_is_carried_out(dermatologist, commits, settings):
    settings.RETRAINING_LOCKED_SHARE = 0.0  # its one lesion is learnt from, not drawn for the test
    confirmed(reader=dermatologist)
    run = start_run()
    with commits():
        find_lost_work()
    run.refresh_from_db()
    assert run.status == RunStatus.DONE
    with commits() as handed_over:
        find_lost_work()
    assert handed_over == [], "what is done is left alone"
