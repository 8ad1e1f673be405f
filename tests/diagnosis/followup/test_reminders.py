"""Reminders by e-mail: who gets them, what they say, and what stops them."""

import datetime

import pytest
from django.core import mail
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from diagnosis.followup.models import NextStep, Reminder, ReminderSettings, ReminderStop
from diagnosis.followup.reminder_choices import choose_reminders, resume_reminders, stop_reminders
from diagnosis.followup.reminders import queue_reminders
from diagnosis.followup.services import complete_plan
from patients.models import MessageState, OutgoingMessage
from patients.outbox import deliver
from patients.tasks import clear_messages
from tests import factories


def in_days(days: int) -> datetime.date:
    return timezone.localdate() + datetime.timedelta(days=days)


@pytest.fixture
def plan(patient, dermatologist):
    patient.email = "amara@home.example"
    patient.save()
    lesion = factories.LesionFactory(patient=patient, body_site="nose")
    return factories.LesionPlanFactory(lesion=lesion, due_on=in_days(3), stated_by=dermatologist)


@pytest.fixture
def _on(manager):
    choose_reminders(by=manager, is_on=True, days_before=7, days_after=5, seen=0)


def test_reminders_are_off_until_a_clinic_switches_them_on(plan, manager):
    assert queue_reminders() == 0
    choose_reminders(by=manager, is_on=False, days_before=7, days_after=None, seen=0)
    assert queue_reminders() == 0


@pytest.mark.usefixtures("_on")
def test_a_plan_is_reminded_of_once_on_each_occasion(plan):
    assert [queue_reminders(), queue_reminders()] == [1, 0]
    later = plan.due_on + datetime.timedelta(days=5)
    assert [queue_reminders(today=later), queue_reminders(today=later)] == [1, 0]
    assert Reminder.objects.filter(plan=plan).count() == OutgoingMessage.objects.count() == 2


@pytest.mark.usefixtures("_on")
def test_the_e_mail_says_nothing_clinical(plan, patient):
    queue_reminders()
    deliver(OutgoingMessage.objects.get().pk)
    (letter,) = mail.outbox
    assert letter.to == ["amara@home.example"]
    text = f"{letter.subject} {letter.body}".lower()
    assert patient.clinic.name.lower() in text
    for word in ("nose", "lesion", "skin", "mole", "cancer", "photograph", patient.family_name.lower()):
        assert word not in text, word


@pytest.mark.usefixtures("_on")
def test_plans_of_one_patient_share_an_e_mail(plan, patient):
    for days in (4, 5):
        factories.LesionPlanFactory(lesion=factories.LesionFactory(patient=patient), due_on=in_days(days))
    assert queue_reminders() == 1
    assert Reminder.objects.count() == 3
    assert Reminder.objects.filter(sent_with=None).count() == 1


@pytest.mark.usefixtures("_on")
@pytest.mark.parametrize("step", [NextStep.BIOPSY, NextStep.RESULT_AWAITED, NextStep.REFER])
def test_only_recalls_are_reminded_of(patient, plan, step, dermatologist):
    complete_plan(plan=plan, by=dermatologist)
    factories.LesionPlanFactory(lesion=plan.lesion, step=step, due_on=in_days(1))
    assert queue_reminders() == 0


@pytest.mark.usefixtures("_on")
def test_nobody_is_written_to_about_last_year(plan):
    factories.LesionPlanFactory(
        lesion=factories.LesionFactory(patient=factories.PatientFactory(clinic=plan.clinic, email="b@home.example")),
        due_on=in_days(-300),
    )
    assert queue_reminders() == 1


@pytest.mark.usefixtures("_on")
def test_a_patient_who_said_no_gets_none_and_what_waits_is_cancelled(plan, patient, staff):
    queue_reminders()
    stop_reminders(patient=patient, by=staff, reason="refused")
    assert OutgoingMessage.objects.get().state == MessageState.CANCELLED
    assert queue_reminders(today=plan.due_on + datetime.timedelta(days=5)) == 0
    resume_reminders(patient=patient, by=staff)
    assert queue_reminders(today=plan.due_on + datetime.timedelta(days=5)) == 1


@pytest.mark.usefixtures("_on")
def test_an_address_that_bounces_is_not_written_to_but_a_corrected_one_is(plan, patient, staff):
    stop_reminders(patient=patient, by=staff, reason="bounces")
    assert queue_reminders() == 0
    patient.email = "amara.new@home.example"
    patient.save()
    assert queue_reminders() == 1


@pytest.mark.usefixtures("_on")
def test_no_e_mail_is_sent_once_the_plan_has_ended(plan, dermatologist):
    queue_reminders()
    complete_plan(plan=plan, by=dermatologist)
    message = OutgoingMessage.objects.get()
    deliver(message.pk)
    message.refresh_from_db()
    assert message.state == MessageState.CANCELLED
    assert mail.outbox == []


@pytest.mark.usefixtures("_on")
def test_a_refused_address_is_seen_and_marked(sign_in, plan, patient, staff, stranger):
    queue_reminders()
    OutgoingMessage.objects.update(state="refused", last_error="address refused (550)", finished_at=timezone.now())
    client = sign_in(staff)
    shown = {section.code: section.found for section in client.get(reverse("today")).context["sections"]}
    assert shown["reminders"] == 1
    assert "address refused (550)" in client.get(patient.get_absolute_url()).text
    assert not OutgoingMessage.objects.visible_to(stranger).exists()
    assert client.post(reverse("reminders-stop", args=[patient.pk]), {"reason": "bounces"}).status_code == 302
    assert ReminderStop.objects.get().address == "amara@home.example"
    shown = {section.code: section.found for section in client.get(reverse("today")).context["sections"]}
    assert shown["reminders"] == 0
    assert shown["due"] == 1, "the recall itself stays"


@pytest.mark.usefixtures("_on")
@pytest.mark.parametrize("state", ["refused", "cancelled"])
def test_one_e_mail_about_two_plans_that_was_not_sent_reminded_of_neither(
    sign_in, plan, patient, staff, dermatologist, state
):
    other = factories.LesionPlanFactory(lesion=factories.LesionFactory(patient=patient), due_on=in_days(4))
    queue_reminders()
    complete_plan(plan=Reminder.objects.get(sent_with=None).plan, by=dermatologist)
    OutgoingMessage.objects.update(state=state, last_error="no such mailbox", finished_at=timezone.now())
    sections = {each.code: each for each in sign_in(staff).get(reverse("today")).context["sections"]}
    assert sections["reminders"].found == (1 if state == "refused" else 0)
    (row,) = sections["due"].rows
    assert row.url == f"{other.lesion.get_absolute_url()}#plan"
    assert "reminded by e-mail" not in row.detail


@pytest.mark.usefixtures("_on")
def test_a_reminder_that_came_back_is_not_forgotten_while_its_plan_stands(sign_in, plan, staff, dermatologist):
    queue_reminders()
    long_ago = timezone.now() - datetime.timedelta(days=400)
    OutgoingMessage.objects.update(state="refused", last_error="no such mailbox", finished_at=long_ago)
    clear_messages()
    sections = {each.code: each for each in sign_in(staff).get(reverse("today")).context["sections"]}
    assert sections["reminders"].found == 1
    assert "reminded by e-mail" not in sections["due"].rows[0].detail
    complete_plan(plan=plan, by=dermatologist)
    clear_messages()
    assert not OutgoingMessage.objects.exists()


@pytest.mark.parametrize(
    "sent",
    [
        {"is_on": "on", "days_before": "", "days_after": ""},
        {"is_on": "on", "days_before": "0"},
        {"is_on": "on", "days_before": "61"},
        {"is_on": "on", "days_before": "soon"},
    ],
)
def test_settings_that_mean_nothing_are_refused(sign_in, manager, sent):
    response = sign_in(manager).post(reverse("reminders"), {"seen": "0", **sent})
    assert response.status_code == 422
    assert not ReminderSettings.objects.exists()


def test_a_manager_chooses_and_a_stale_page_does_not(sign_in, manager):
    client, page = sign_in(manager), reverse("reminders")
    sent = {"is_on": "on", "days_before": "10", "days_after": "", "seen": "0"}
    assert client.post(page, sent).status_code == 302
    assert client.post(page, {**sent, "days_before": "20"}).status_code == 409
    assert [row.days_before for row in ReminderSettings.objects.all()] == [10]


def test_the_database_refuses_reminders_without_sense(plan, manager, patient):
    row = {"clinic": manager.clinic, "member": manager}
    for rule, create in (
        ("reminders_that_are_on", lambda: ReminderSettings.objects.create(number=1, is_on=True, **row)),
        ("reminder_days", lambda: ReminderSettings.objects.create(number=1, is_on=True, days_before=99, **row)),
        ("count_from_1", lambda: ReminderSettings.objects.create(number=0, is_on=False, **row)),
        (
            "names_the_address",
            lambda: ReminderStop.objects.create(patient=patient, reason="bounces", stated_by=manager),
        ),
        (
            "known_reason",
            lambda: ReminderStop.objects.create(patient=patient, reason="x", address="a@b.example", stated_by=manager),
        ),
        ("occasion_is_known", lambda: Reminder.objects.create(plan=plan, occasion="often")),
    ):
        with pytest.raises(IntegrityError, match=rule), transaction.atomic():
            create()
    Reminder.objects.create(plan=plan, occasion="before")
    with pytest.raises(IntegrityError), transaction.atomic():
        Reminder.objects.create(plan=plan, occasion="before")
    with pytest.raises(IntegrityError, match="reminder_is_append_only"), transaction.atomic():
        Reminder.objects.update(occasion="after")
