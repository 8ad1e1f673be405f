"""Compare photographs of a lesion."""

from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from diagnosis.comparing.change_words import alignment_words, change_rows
from diagnosis.comparing.chosen import FEWEST, choose, photographs_to_compare
from diagnosis.comparing.incomparable import differences
from diagnosis.comparing.services import compare as compare_photographs
from patients.access import EVERYONE_IN_THE_CLINIC, require_role
from patients.middleware import MemberRequest
from patients.models import Lesion, Member


@require_role(*EVERYONE_IN_THE_CLINIC)
@require_safe
def compare(request: MemberRequest, lesion_id: UUID) -> HttpResponse:
    """Show two to four photographs side by side; htmx then loads what has changed between each and the first."""
    lesion = _find(request.member, lesion_id)
    keys, of = request.GET.getlist("with"), request.GET.get("of", "")
    chosen = choose(lesion=lesion, member=request.member, keys=keys, of=of)
    context = {
        "lesion": lesion,
        "patient": lesion.patient,
        "offered": chosen.offered,
        "images": chosen.images,
        "chosen_keys": {image.pk for image in chosen.images},
        "problem": chosen.problem,
        "differences": [each.words for each in differences(chosen.images)] if chosen.images else [],
        "others": chosen.images[1:],
        "is_pair": len(chosen.images) == FEWEST,
    }
    return render(request, "comparing/compare.html", context, status=400 if chosen.problem else 200)


@require_role(*EVERYONE_IN_THE_CLINIC)
@require_safe
@vary_on_headers("HX-Request")
def change(request: MemberRequest, lesion_id: UUID, first_id: UUID, second_id: UUID) -> HttpResponse:
    """Return the alignment and the changes of two photographs: a fragment for htmx, or a page without JavaScript."""
    lesion = _find(request.member, lesion_id)
    by_key = {image.pk: image for image in photographs_to_compare(lesion=lesion, member=request.member)}
    if first_id == second_id or not {first_id, second_id} <= set(by_key):
        raise Http404
    first, second = by_key[first_id], by_key[second_id]
    comparison = compare_photographs(first=first, second=second)
    context = {
        "lesion": lesion,
        "patient": lesion.patient,
        "first": first,
        "second": second,
        "comparison": comparison,
        "rows": change_rows(comparison),
        "alignment_words": alignment_words(comparison),
        "matrix": ",".join(map(str, comparison.matrix)),
        "shows_overlay": comparison.is_aligned and request.GET.get("overlay") == "1",
    }
    template = "comparing/includes/change.html" if request.htmx else "comparing/change.html"
    return render(request, template, context)


def _find(member: Member | None, lesion_id: UUID) -> Lesion:
    return get_object_or_404(Lesion.objects.visible_to(member).select_related("patient"), pk=lesion_id)
