"""The page of misses: what histopathology calls malignant, and what was said of it before."""

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from diagnosis.monitoring.misses import missed_results, with_what_was_said
from patients.access import require_role
from patients.audit import note_list
from patients.middleware import MemberRequest
from patients.models import Role

PAGE_LENGTH = 10


@require_role(Role.DERMATOLOGIST, Role.MANAGER)
@require_safe
def misses(request: MemberRequest) -> HttpResponse:
    """List the clinic's misses, newest first; ``?mine=on`` those of reports that the member signed."""
    mine = request.GET.get("mine") == "on"
    results = missed_results(request.member, signed_by_me=mine).select_related(
        "specimen__lesion__patient", "confirmed_by__user"
    )
    page = Paginator(results, PAGE_LENGTH).get_page(request.GET.get("page"))
    note_list("missed diagnoses", len(page))
    context = {"page": page, "misses": with_what_was_said(list(page)), "mine": mine}
    return render(request, "monitoring/misses.html", context)
