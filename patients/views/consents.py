from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from dermascan.core.once import once
from patients.access import EVERYONE_IN_THE_CLINIC, require_role
from patients.edits import ChangedMeanwhile
from patients.forms import ConsentForm
from patients.middleware import MemberRequest
from patients.models import Patient, Purpose
from patients.services import ConsentState, consent_states, record_consent


class PurposeConverter:
    regex = "|".join(Purpose.values)

    def to_python(self, value: str) -> Purpose:
        return Purpose(value)

    def to_url(self, value: str) -> str:
        return str(value)


@require_role(*EVERYONE_IN_THE_CLINIC)
@once
def patient_consent(request: MemberRequest, patient_id: UUID, purpose: Purpose) -> HttpResponse:
    """Record the patient's decision about one use of their photographs, next to their earlier decisions."""
    patient = get_object_or_404(Patient.objects.visible_to(request.member), pk=patient_id)
    state = _state_of(patient, purpose)
    form = ConsentForm(request.POST or None, newest=state.newest)
    if request.method == "POST" and form.is_valid():
        try:
            record_consent(
                patient=patient,
                by=request.member,
                purpose=purpose,
                decision=form.cleaned_data["decision"],
                method=form.cleaned_data["method"],
                made_from=form.made_from,
            )
        except ChangedMeanwhile:
            state = _state_of(patient, purpose)
            form = ConsentForm(request.POST, newest=state.newest)  # shows the differences
        else:
            messages.success(request, _("The patient's decision is recorded."), extra_tags="consent_recorded")
            return redirect(patient)
    context = {"form": form, "patient": patient, "state": state}
    return render(request, "patients/consent_form.html", context, status=form.status)


def _state_of(patient: Patient, purpose: Purpose) -> ConsentState:
    return next(state for state in consent_states(patient) if state.purpose == purpose)
