"""The list of specimens whose result is awaited, or waits for a dermatologist."""

from django.core.paginator import Page
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from dermascan.core.paging import KeyPaginator
from diagnosis.outcomes.awaited import AwaitedFilter, Waiting, waiting_counts, waiting_specimens
from diagnosis.outcomes.models import LATE_AFTER, PathologyResult, Specimen, SpecimenKind
from patients.access import EVERYONE_IN_THE_CLINIC, require_role
from patients.audit import note_list
from patients.middleware import MemberRequest

PAGE_LENGTH = 25


@require_role(*EVERYONE_IN_THE_CLINIC)
@require_safe
def awaited(request: MemberRequest) -> HttpResponse:
    chosen = AwaitedFilter.of(request.GET)
    specimens = waiting_specimens(request.member, chosen).select_related("lesion__patient", "sent_by__user")
    page = KeyPaginator(specimens, PAGE_LENGTH).get_page(request.GET.get("page"))
    note_list("specimens", len(page))
    counts = waiting_counts(request.member)
    context = {
        "page": page,
        "rows": _with_results(page, chosen),
        "chosen": chosen,
        "tabs": [(waiting, counts[waiting]) for waiting in Waiting],
        "kinds": SpecimenKind.choices,
        "late_after": LATE_AFTER.days,
    }
    return render(request, "outcomes/awaited.html", context)


def _with_results(page: "Page[Specimen]", chosen: AwaitedFilter) -> list[tuple[Specimen, PathologyResult | None]]:
    """Return the page's specimens, each with the result that waits to be confirmed."""
    results = {}
    if chosen.waiting == Waiting.CONFIRMATION:
        rows = PathologyResult.objects.to_confirm().filter(specimen__in=[each.pk for each in page])
        results = {row.specimen_id: row for row in rows.select_related("entered_by__user")}
    return [(specimen, results.get(specimen.pk)) for specimen in page]
