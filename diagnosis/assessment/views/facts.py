"""The form that states how a stored photograph was taken."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from dermascan.core.errors import Refused
from dermascan.core.once import once
from diagnosis.assessment.facts_forms import FactsForm
from diagnosis.assessment.stated_facts import state_facts
from diagnosis.images.facts import newest_facts
from diagnosis.images.models import Image
from patients.access import EVERYONE_IN_THE_CLINIC, require_role
from patients.edits import ChangedMeanwhile
from patients.middleware import MemberRequest


@require_role(*EVERYONE_IN_THE_CLINIC)
@require_http_methods(["GET", "HEAD", "POST"])
@once
def facts(request: MemberRequest, image_id: UUID) -> HttpResponse:
    images = Image.objects.visible_to(request.member).select_related("visit__patient", "lesion")
    image = get_object_or_404(images, pk=image_id)
    form = _form(request, image)
    if request.method == "POST" and form.is_valid():
        try:
            state_facts(image=image, by=request.member, stated=form.stated, made_from=form.made_from)
        except ChangedMeanwhile:
            form = _form(request, image)  # shows the difference
        except Refused as refused:
            form.add_error(None, refused.as_form_error())
        else:
            messages.success(request, _("Saved. What was stated before is kept in the history below."))
            return redirect(f"{image.get_absolute_url()}#facts")
    context = {"form": form, "image": image, "patient": image.visit.patient, "visit": image.visit}
    status = form.status if form.status != 200 else (422 if form.errors else 200)
    return render(request, "assessment/facts_form.html", context, status=status)


def _form(request: MemberRequest, image: Image) -> FactsForm:
    data = request.POST if request.method == "POST" else None
    return FactsForm(data, image=image, member=request.member, newest=newest_facts(image))
