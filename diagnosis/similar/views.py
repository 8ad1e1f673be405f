"""Confirmed cases that look similar to a photograph."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from diagnosis.images.models import Image
from diagnosis.reviews.blinding import hides_answer
from diagnosis.similar.services import search_cases
from patients.access import EVERYONE_IN_THE_CLINIC, require_role
from patients.middleware import MemberRequest


@require_role(*EVERYONE_IN_THE_CLINIC)
@require_safe
@vary_on_headers("HX-Request")
def similar(request: MemberRequest, image_id: UUID) -> HttpResponse:
    """Return the cases as a fragment for htmx on the result page, or as a page of their own without JavaScript.

    Until a blinded reader has answered, the diagnoses of the cases are left out: they say what the network would.
    """
    images = Image.objects.visible_to(request.member).select_related("lesion", "visit__patient")
    image = get_object_or_404(images, pk=image_id)
    found = search_cases(image=image, member=request.member)
    context = {
        "image": image,
        "lesion": image.lesion,
        "patient": image.visit.patient,
        "cases": found.cases,
        "compared": found.compared,
        "hides_labels": hides_answer(request.member, image),
    }
    template = "similar/includes/similar_cases.html" if request.htmx else "similar/similar.html"
    return render(request, template, context)
