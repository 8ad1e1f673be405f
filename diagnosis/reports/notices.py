"""E-mails that tell a patient about something new to read. The content itself is never in the e-mail."""

from enum import StrEnum

from django.conf import settings
from django.db.models import Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _

from dermascan.core.site import site_link
from diagnosis.followup.bounces import does_bounce
from diagnosis.images.models import Exclusion, ExclusionReason
from diagnosis.reports.models import Addendum, Report, Withholding
from patients.models import MessageKind, OutgoingMessage, Patient
from patients.models.message import MessageQuerySet
from patients.outbox import Letter, queue_message, writes


def notify_of_release(*, report: Report) -> None:
    """Queue an e-mail that the report is available. Call it in the transaction that releases the report."""
    _queue(MessageKind.REPORT, report, about=report)


def notify_of_addendum(*, addendum: Addendum) -> None:
    """Queue an e-mail about the addendum. Call it in the transaction that signs the addendum."""
    _queue(MessageKind.ADDENDUM, addendum.report, about=addendum)


def notify_of_withholding(*, report: Report, about: Exclusion | Withholding) -> None:
    """Queue an e-mail that the report is withheld. Call it in the transaction that withholds the report."""
    _queue(MessageKind.WITHHELD, report, about=about)


def notify_of_renewed_release(*, withholding: Withholding) -> None:
    """Queue an e-mail that the report is available again. Call it in the transaction that releases it."""
    _queue(MessageKind.REPORT, withholding.report, about=withholding)


def notices_of(report: Report) -> MessageQuerySet:
    """Every notice to the patient about ``report``, its addenda and its withholding, newest first."""
    exclusions = Exclusion.objects.filter(image__visit=report.visit_id).values("pk")
    return OutgoingMessage.objects.filter(
        Q(kind=MessageKind.REPORT, about=report.pk)
        | Q(kind__in=(MessageKind.REPORT, MessageKind.WITHHELD), about__in=report.withholdings.values("pk"))
        | Q(kind=MessageKind.ADDENDUM, about__in=report.addenda.values("pk"))
        | Q(kind=MessageKind.WITHHELD, about__in=exclusions)
    )


class Reach(StrEnum):
    """Whether a patient can be notified by e-mail."""

    MAIL = "mail"
    NO_ADDRESS = "no_address"
    # E-mails to the account's address come back.
    BOUNCES = "bounces"
    NO_ACCOUNT = "no_account"


def reach_of(patient: Patient) -> Reach:
    user = patient.user
    if user is None or not user.is_active:
        return Reach.NO_ACCOUNT
    if not user.email:
        return Reach.NO_ADDRESS
    return Reach.BOUNCES if does_bounce(patient, user.email) else Reach.MAIL


def _queue(kind: MessageKind, report: Report, *, about: Report | Addendum | Exclusion | Withholding) -> None:
    user = report.visit.patient.user
    if user is not None and reach_of(report.visit.patient) is Reach.MAIL:
        queue_message(kind, about=about.pk, user=user, address=user.email)


@writes(MessageKind.REPORT, MessageKind.ADDENDUM)
def report_letter(message: OutgoingMessage) -> Letter | None:
    """The e-mail about a report or addendum, to the account's current address; None if its owner cannot read it."""
    reports = Report.objects.released_to(message.user) if message.user else Report.objects.none()
    if message.kind == MessageKind.REPORT:
        withheld = Withholding.objects.filter(pk=message.about_key).values("report")
        reports = reports.filter(Q(pk=message.about_key) | Q(pk__in=withheld))
    else:
        reports = reports.filter(addenda=message.about_key)
    return _letter(message, reports.select_related("visit__patient__clinic").first(), about=message.kind)


@writes(MessageKind.WITHHELD)
def withheld_letter(message: OutgoingMessage) -> Letter | None:
    """The e-mail about a withheld report; None once it is released again."""
    withheld = Report.objects.withheld_from(message.user) if message.user else Report.objects.none()
    # Undoing the exclusion does not matter: the report stays withheld until it is released again.
    exclusions = Exclusion.objects.filter(pk=message.about_key, reason=ExclusionReason.OTHER_PATIENT)
    visits = exclusions.values("image__visit")
    by_hand = Withholding.objects.standing().filter(pk=message.about_key).values("report")
    withheld = withheld.filter(Q(visit__in=visits) | Q(pk__in=by_hand))
    report = withheld.select_related("visit__patient__clinic").first()
    return _letter(message, report, about=message.kind)


def _letter(message: OutgoingMessage, report: Report | None, *, about: str) -> Letter | None:
    user = message.user
    if report is None or user is None or reach_of(report.visit.patient) is not Reach.MAIL:
        return None
    message.address = user.email
    clinic = report.visit.patient.clinic.name
    if about == MessageKind.WITHHELD:
        subject = _("A report from %(clinic)s is being checked") % {"clinic": clinic}
    else:
        subject = _("%(clinic)s has something new for you to read") % {"clinic": clinic}
    context = {
        "site_name": settings.SITE_NAME,
        "clinic": clinic,
        "about": str(about),
        "address": site_link(reverse("my-visits")),
    }
    return Letter(user.email, subject, render_to_string("reports/mail/patient_news.txt", context))
