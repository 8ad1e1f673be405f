"""Mail a patient that there is something new to read. What it says is read on the site alone, never in a mail."""

from enum import StrEnum
from uuid import UUID

from django.utils.translation import gettext as _

from diagnosis.models import Report
from patients.background import hand_over
from patients.mail import mail_to


class News(StrEnum):
    """What is new to the patient."""

    REPORT = "report"
    ADDENDUM = "addendum"


def tell_patient(*, report: Report, news: News, site: str) -> None:
    """Have the patient told once the current transaction commits. A queue out of reach holds nothing up.

    Args:
        site: where the installation is reached, as ``https://dermascan.clinic.example``; "" tells nobody.
    """
    from diagnosis.tasks import mail_patient_news

    if site:
        hand_over(mail_patient_news, str(report.pk), news.value, site)


def mail_news(*, report_id: UUID, news: News, site: str) -> None:
    """Mail it, if the report is released and its patient has an account with an address.

    Raises:
        OSError: the mail server did not take it.
    """
    released = Report.objects.filter(pk=report_id, released_at__isnull=False)
    report = released.select_related("visit__patient__clinic", "visit__patient__user").first()
    user = report.visit.patient.user if report else None
    if report is None or user is None or not user.is_active or not user.email:
        return
    clinic = report.visit.patient.clinic.name
    subject = _("Something new for you to read from %(clinic)s") % {"clinic": clinic}
    context = {"clinic": clinic, "is_addendum": news == News.ADDENDUM, "site": site.rstrip("/")}
    mail_to(user.email, subject=subject, template="diagnosis/mail/patient_news.txt", context=context)
