"""How wide a photograph is, as somebody states it: the diameter then comes in millimetres."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from diagnosis.forms import ScaleForm
from diagnosis.models import Image
from diagnosis.services.measurements import state_scale
from patients.access import EVERYONE_IN_THE_CLINIC, require_role
from patients.middleware import ClinicRequest
from patients.once import once


@require_role(*EVERYONE_IN_THE_CLINIC)
@require_POST
@once
def scale(request: ClinicRequest, image_id: UUID) -> HttpResponse:
    found = get_object_or_404(Image.objects.visible_to(request.member), pk=image_id)
    assert request.member is not None, "require_role lets nobody else in"
    form = ScaleForm(request.POST)
    if form.is_valid():
        state_scale(image=found, by=request.member, width_mm=form.cleaned_data["width_mm"])
        messages.success(request, _("The width is kept; the diameter is in millimetres now."))
    else:
        messages.error(request, " ".join(map(str, form.errors["width_mm"])))
    return redirect(f"{found.get_absolute_url()}#measures")
