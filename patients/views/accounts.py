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
from patients.services import AccountRefused, MailNotSent, give_patient_account


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
        except MailNotSent as failed:
            messages.error(request, str(failed))
            return redirect("patient-account", patient.pk)
        else:
            messages.success(
                request,
                _("A link to choose a password was mailed to %(email)s. The user name is %(username)s.")
                % {"email": account.email, "username": account.username},
            )
            return redirect(patient)
    return render(request, "patients/account_form.html", {"form": form, "patient": patient})
