"""The list of the clinic's visits, with the findings of each."""

from django.http import HttpResponse
from django.shortcuts import render

from dermascan.core.paging import KeyPaginator
from patients.access import EVERYONE_IN_THE_CLINIC, require_role
from patients.middleware import ClinicRequest
from patients.models import Visit, VisitStatus

PAGE_LENGTH = 25


@require_role(*EVERYONE_IN_THE_CLINIC)
def visit_list(request: ClinicRequest) -> HttpResponse:
    """List the clinic's visits, newest first; ``?status=`` filters by status."""
    visits = Visit.objects.visible_to(request.member).in_use().select_related("patient", "clinician__user")
    status = request.GET.get("status", "")
    statuses = [choice for choice in VisitStatus.choices if choice[0] != VisitStatus.VOID]
    if status in dict(statuses):
        visits = visits.filter(status=status)
    else:
        status = ""
    page = KeyPaginator(visits, PAGE_LENGTH).get_page(request.GET.get("page"))
    return render(request, "record/visit_list.html", {"page": page, "status": status, "statuses": statuses})
