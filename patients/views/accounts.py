from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from dermascan.core.once import once
from patients.access import EVERYONE_IN_THE_CLINIC, require_role
from patients.access_forms import AccountForm, CloseAccountForm
from patients.edits import ChangedMeanwhile
from patients.middleware import MemberRequest
from patients.models import Patient, User
from patients.privacy import names_the_patient
from patients.services import AccountRefused, NoAccount, account_state, close_patient_account, give_patient_account


@require_role(*EVERYONE_IN_THE_CLINIC)
@names_the_patient
@once
def patient_account(request: MemberRequest, patient_id: UUID) -> HttpResponse:
    """Create the patient's account, or send a new link to choose a password."""
    patients = Patient.objects.visible_to(request.member).select_related("user")
    patient = get_object_or_404(patients, pk=patient_id)
    form = AccountForm(request.POST or None, patient=patient)
    if request.method == "POST" and form.is_valid():
        try:
            account = give_patient_account(
                patient=patient,
                by=request.member,
                email=form.cleaned_data["email"],
                is_right=bool(form.cleaned_data.get("is_right")),
                made_from=form.made_from,
            )
        except ChangedMeanwhile:
            patient = patients.get(pk=patient.pk)
            form = AccountForm(request.POST, patient=patient)  # shows the differences
        except AccountRefused as refused:
            form.add_error("email", refused.as_form_error())
        else:
            messages.success(
                request,
                _(
                    "An e-mail to %(email)s with a link to choose a password is waiting to be sent. This page shows "
                    "when it has been sent. The user name is %(username)s."
                )
                % {"email": account.email, "username": account.username},
            )
            return redirect(patient)
    context = {"form": form, "patient": patient, "account": account_state(patient)}
    return render(request, "patients/account_form.html", context, status=form.status)


@require_role(*EVERYONE_IN_THE_CLINIC)
@names_the_patient
@once
def close(request: MemberRequest, patient_id: UUID) -> HttpResponse:
    """Close the patient's account, with a reason."""
    patients = Patient.objects.visible_to(request.member).select_related("user")
    patient = get_object_or_404(patients, pk=patient_id)
    if patient.user is None:
        messages.info(request, str(NoAccount()), extra_tags=NoAccount.code)
        return redirect(patient)
    form = CloseAccountForm(request.POST or None, initial={"account": patient.user.pk})
    if request.method == "POST" and form.is_valid():
        try:
            close_patient_account(
                patient=patient,
                by=request.member,
                reason=form.cleaned_data["reason"],
                note=form.cleaned_data["note"],
                user=User(pk=form.cleaned_data["account"]),
            )
        except NoAccount as error:
            messages.info(request, str(error), extra_tags=error.code)
        else:
            messages.success(
                request, _("The account is closed: it can no longer be used to sign in, and gets no more e-mails.")
            )
        return redirect(patient)
    context = {"form": form, "patient": patient, "account": account_state(patient)}
    return render(request, "patients/close_account.html", context)
