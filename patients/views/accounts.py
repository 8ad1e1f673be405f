from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from patients.access import EVERYONE_IN_THE_CLINIC, require_role
from patients.forms import AccountForm
from patients.middleware import ClinicRequest
from patients.models import Patient
from patients.once import once
from patients.services import AccountRefused, account_state, give_patient_account


@require_role(*EVERYONE_IN_THE_CLINIC)
@once
def patient_account(request: ClinicRequest, patient_id: UUID) -> HttpResponse:
    """Give the patient an account, or mail them a new link to choose a password."""
    assert request.member is not None
    patients = Patient.objects.visible_to(request.member).select_related("user")
    patient = get_object_or_404(patients, pk=patient_id)
    form = AccountForm(request.POST or None, patient=patient)
    if request.method == "POST" and form.is_valid():
        try:
            account = give_patient_account(
                patient=patient,
                by=request.member,
                email=form.cleaned_data["email"],
                site=request.build_absolute_uri("/"),
            )
        except AccountRefused as refused:
            form.add_error("email", str(refused))
        else:
            messages.success(
                request,
                _(
                    "A mail to %(email)s with a link to choose a password waits to be sent; this page shows when it "
                    "has gone. The user name is %(username)s."
                )
                % {"email": account.email, "username": account.username},
            )
            return redirect(patient)
    context = {"form": form, "patient": patient, "account": account_state(patient)}
    return render(request, "patients/account_form.html", context)
