"""Messages to patients and members, as the clinic's staff see them."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from dermascan.core.once import once
from patients.access import EVERYONE_IN_THE_CLINIC, require_role
from patients.middleware import ClinicRequest
from patients.models import OutgoingMessage
from patients.outbox import send_again


@require_role(*EVERYONE_IN_THE_CLINIC)
@require_POST
@once
def again(request: ClinicRequest, message_id: UUID) -> HttpResponse:
    """Queue an undelivered message again and return to the page that showed it."""
    message = get_object_or_404(OutgoingMessage.objects.visible_to(request.member), pk=message_id)
    if send_again(message):
        messages.success(request, _("The e-mail is waiting to be sent again."))
    else:
        messages.info(request, _("This e-mail cannot be sent again: see its status."))
    page = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(page, {request.get_host()}, require_https=request.is_secure()):
        page = "patients"
    return redirect(page)
