"""The page of a clinic's reminders, and what stops them for a patient."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from dermascan.core.errors import Refused
from dermascan.core.once import once
from diagnosis.followup.bounces import named_addresses
from diagnosis.followup.errors import SettingsChangedMeanwhile
from diagnosis.followup.models import ReminderSettings, StopReason
from diagnosis.followup.reminder_choices import choose_reminders, resume_reminders, stop_reminders
from diagnosis.followup.reminder_forms import ReminderSettingsForm, StopForm
from diagnosis.followup.reminders import settings_of
from patients.access import EVERYONE_IN_THE_CLINIC, require_role
from patients.middleware import MemberRequest
from patients.models import Patient

MOST_SHOWN = 20


@require_role(*EVERYONE_IN_THE_CLINIC)
@require_http_methods(["GET", "HEAD", "POST"])
@once
def reminders(request: MemberRequest) -> HttpResponse:
    """Show the settings to everyone in the clinic; only managers change them."""
    newest = settings_of(request.member.clinic_id)
    if request.method != "POST":
        return _page(request, ReminderSettingsForm(newest=newest))
    if not request.member.is_manager:
        raise PermissionDenied(_("Only a manager can change whether the clinic writes to its patients."))
    form = ReminderSettingsForm(request.POST, newest=newest)
    if not form.is_valid():
        return _page(request, form, status=422)
    data = form.cleaned_data
    try:
        choose_reminders(
            by=request.member,
            is_on=data["is_on"],
            days_before=data["days_before"],
            days_after=data["days_after"],
            seen=data["seen"] or 0,
        )
    except SettingsChangedMeanwhile as refused:
        form = ReminderSettingsForm({**request.POST.dict(), "seen": newest.number if newest else 0}, newest=newest)
        form.add_error(None, refused.as_form_error())
        return _page(request, form, status=409)
    messages.success(request, _("Reminders are on.") if data["is_on"] else _("Reminders are off."))
    return redirect("reminders")


@require_role(*EVERYONE_IN_THE_CLINIC)
@require_POST
@once
def stop(request: MemberRequest, patient_id: UUID) -> HttpResponse:
    """Note that the patient wants no reminders, or that e-mails to their address come back."""
    patient = get_object_or_404(Patient.objects.visible_to(request.member), pk=patient_id)
    form = StopForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Choose why the patient gets no reminders."))
        return redirect(f"{patient.get_absolute_url()}#reminders")
    try:
        reason, which = form.cleaned_data["reason"], form.cleaned_data["which"]
        address = named_addresses(patient).get(which, "")
        stop_reminders(patient=patient, by=request.member, reason=reason, address=address)
    except Refused as refused:
        messages.error(request, refused.message, extra_tags=refused.code)
    else:
        if form.cleaned_data["reason"] == StopReason.BOUNCES:
            messages.success(request, _("Noted. Nothing more is sent to this address; correct it in the record."))
        else:
            messages.success(request, _("Noted. The patient gets no more reminders by e-mail."))
    return redirect(f"{patient.get_absolute_url()}#reminders")


@require_role(*EVERYONE_IN_THE_CLINIC)
@require_POST
@once
def resume(request: MemberRequest, patient_id: UUID) -> HttpResponse:
    patient = get_object_or_404(Patient.objects.visible_to(request.member), pk=patient_id)
    if resume_reminders(patient=patient, by=request.member):
        messages.success(request, _("The patient gets reminders again."))
    else:
        messages.info(request, _("Nothing kept reminders from this patient."))
    return redirect(f"{patient.get_absolute_url()}#reminders")


def _page(request: MemberRequest, form: ReminderSettingsForm, *, status: int = 200) -> HttpResponse:
    history = ReminderSettings.objects.visible_to(request.member).select_related("member__user")[:MOST_SHOWN]
    context = {"form": form, "history": history, "may_choose": request.member.is_manager}
    return render(request, "followup/reminders.html", context, status=status)
