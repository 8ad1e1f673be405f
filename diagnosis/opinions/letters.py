"""E-mails about second opinions. They name the clinic and never the patient, the lesion or an answer."""

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from dermascan.core.site import site_link
from diagnosis.opinions.links import link_of
from diagnosis.opinions.models import OpinionRequest
from patients.models import MessageKind, OutgoingMessage
from patients.outbox import Letter, writes


@writes(MessageKind.OPINION_ASKED)
def asked_letter(message: OutgoingMessage) -> Letter | None:
    """The e-mail to the doctor who is asked; None once the request is closed."""
    request = _request(message)
    if request is None or not request.is_waiting:
        return None
    if request.colleague is not None:
        user = request.colleague.user
        if not user.is_active or not user.email:
            return None
        message.address = user.email
    clinic = request.lesion.patient.clinic.name
    context = {
        "site_name": settings.SITE_NAME,
        "clinic": clinic,
        "who": request.asked_by.name,
        "until": date_format(localtime(request.expires_at), "j F Y, H:i"),
        "address": link_of(request) if request.outside_reader else site_link(request.get_absolute_url()),
        "is_outside": request.outside_reader is not None,
    }
    subject = _("%(clinic)s asks for your opinion") % {"clinic": clinic}
    return Letter(message.address, subject, render_to_string("opinions/mail/asked.txt", context))


@writes(MessageKind.OPINION_ANSWERED)
def answered_letter(message: OutgoingMessage) -> Letter | None:
    """The e-mail to the dermatologist who asked; None once they have seen the answer."""
    request = _request(message)
    if request is None or request.seen_at is not None or message.user is None or not message.user.is_active:
        return None
    context = {"site_name": settings.SITE_NAME, "address": site_link(request.get_absolute_url())}
    subject = _("A second opinion was given")
    return Letter(message.user.email, subject, render_to_string("opinions/mail/answered.txt", context))


def _request(message: OutgoingMessage) -> OpinionRequest | None:
    requests = OpinionRequest.objects.select_related(
        "lesion__patient__clinic", "asked_by__user", "colleague__user", "outside_reader"
    )
    return requests.filter(pk=message.about_key).first()
