"""State how wide a photograph is, so that its diameter is in millimetres."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from dermascan.core.once import once
from diagnosis.images.models import Image
from diagnosis.measures.forms import ScaleForm
from diagnosis.measures.services import newest_scale, state_scale
from patients.access import EVERYONE_IN_THE_CLINIC, require_role
from patients.edits import ChangedMeanwhile
from patients.middleware import MemberRequest


@require_role(*EVERYONE_IN_THE_CLINIC)
@require_POST
@once
def scale(request: MemberRequest, image_id: UUID) -> HttpResponse:
    image = get_object_or_404(Image.objects.visible_to(request.member), pk=image_id)
    form = ScaleForm(request.POST, newest=newest_scale(image))
    if form.is_valid():
        width = form.cleaned_data["width_mm"]
        try:
            state_scale(image=image, by=request.member, width_mm=width, made_from=form.made_from)
        except ChangedMeanwhile:
            form = ScaleForm(request.POST, newest=newest_scale(image))  # shows the difference
        else:
            messages.success(request, _("Width saved. The diameter is now in millimetres."))
    if form.errors and form.conflict:
        context = {"form": form, "image": image, "patient": image.visit.patient}
        return render(request, "measures/scale_form.html", context, status=form.status)
    if form.errors:
        messages.error(request, " ".join(map(str, form.errors["width_mm"])))
    return redirect(f"{image.get_absolute_url()}#measures")
