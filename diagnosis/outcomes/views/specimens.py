"""Record that tissue was sent, and withdraw what was recorded by mistake."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from dermascan.core.errors import Refused
from dermascan.core.once import once
from diagnosis.outcomes.errors import LesionIsClosed, SpecimenIsWithdrawn, SpecimenNumberTaken
from diagnosis.outcomes.forms import ReasonForm, SpecimenForm
from diagnosis.outcomes.models import Specimen
from diagnosis.outcomes.specimens import record_specimen, withdraw_specimen
from diagnosis.outcomes.states import outcome_of
from patients.access import EVERYONE_IN_THE_CLINIC, require_role
from patients.middleware import MemberRequest
from patients.models import Lesion


@require_role(*EVERYONE_IN_THE_CLINIC)
@require_http_methods(["GET", "HEAD", "POST"])
@once
def specimen_new(request: MemberRequest, lesion_id: UUID) -> HttpResponse:
    """Record that tissue of the lesion was sent to a laboratory."""
    lesion = get_object_or_404(
        Lesion.objects.visible_to(request.member).select_related("patient__clinic"), pk=lesion_id
    )
    outcome = outcome_of(lesion)
    if outcome.closure and request.method != "POST":
        messages.info(request, str(LesionIsClosed()), extra_tags=LesionIsClosed.code)
        return redirect(lesion)
    form = SpecimenForm(
        request.POST if request.method == "POST" else None,
        lesion=lesion,
        initial={**_usual_values(request, lesion), "made_from": outcome.token},
    )
    if form.is_valid():
        try:
            record_specimen(lesion=lesion, by=request.member, **form.cleaned_data)
            messages.success(request, _("Recorded. The result is awaited from now on."))
            return redirect(lesion)
        except Refused as error:
            form.refuse(error, lesion=lesion, fields={SpecimenNumberTaken: "number"})
    context = {"form": form, "lesion": lesion, "patient": lesion.patient, "outcome": outcome_of(lesion)}
    return render(request, "outcomes/specimen_form.html", context, status=form.status)


@require_role(*EVERYONE_IN_THE_CLINIC)
@require_http_methods(["GET", "HEAD", "POST"])
@once
def specimen_withdraw(request: MemberRequest, specimen_id: UUID) -> HttpResponse:
    """Withdraw a specimen that was recorded by mistake."""
    specimens = Specimen.objects.visible_to(request.member).select_related("lesion__patient__clinic", "sent_by__user")
    specimen = get_object_or_404(specimens, pk=specimen_id)
    lesion = specimen.lesion
    if specimen.withdrawn_at is not None and request.method != "POST":
        messages.info(request, str(SpecimenIsWithdrawn()), extra_tags=SpecimenIsWithdrawn.code)
        return redirect(lesion)
    initial = {"made_from": outcome_of(lesion).token}
    form = ReasonForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_valid():
        try:
            withdraw_specimen(specimen=specimen, by=request.member, **form.cleaned_data)
            messages.success(request, _("The specimen is withdrawn. It stays on record with your reason."))
            return redirect(lesion)
        except Refused as error:
            form.refuse(error, lesion=lesion)
    context = {"form": form, "specimen": specimen, "lesion": lesion, "patient": lesion.patient}
    return render(request, "outcomes/specimen_withdraw.html", context, status=form.status)


def _usual_values(request: MemberRequest, lesion: Lesion) -> dict[str, object]:
    """Return what is probably right: today, today's visit, and the laboratory that the clinic used last."""
    today = timezone.localdate()
    last = Specimen.objects.visible_to(request.member).exclude(laboratory="").order_by("-created_at").first()
    return {
        "sent_on": today,
        "sent_by": request.member.pk,
        "visit": lesion.patient.visits.in_use().filter(date=today).first(),
        "laboratory": last.laboratory if last else "",
    }
