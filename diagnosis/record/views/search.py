"""The lists of the clinic's visits and lesions, filtered, and the same as CSV files."""

from http import HTTPStatus
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from diagnosis.record.search.choices import Listing
from diagnosis.record.search.export import MOST_ROWS, csv_response
from diagnosis.record.search.forms import FilterForm, SavedFilterForm, as_query
from diagnosis.record.search.found import Keys, lesion_keys, page_of, visit_keys
from diagnosis.record.search.rows import lesion_rows
from diagnosis.record.search.saving import saved_filters
from patients.access import EVERYONE_IN_THE_CLINIC, require_role
from patients.audit import note_list
from patients.middleware import MemberRequest
from patients.models import Lesion, Visit, VisitStatus
from patients.privacy import names_the_patient


@require_role(*EVERYONE_IN_THE_CLINIC)
@require_safe
def visit_list(request: MemberRequest) -> HttpResponse:
    """List the clinic's visits, newest first."""
    form = _form(request, Listing.VISITS)
    visits = Visit.objects.select_related("patient", "clinician__user")
    page = page_of(visits, _keys(form, request), request.GET.get("page"))
    note_list("visits", len(page))
    statuses = [(value, label, f"status={value}") for value, label in VisitStatus.choices if value != VisitStatus.VOID]
    return _render(request, "record/search/visits.html", form, page=page, ready=statuses)


@require_role(*EVERYONE_IN_THE_CLINIC)
@require_safe
def lesion_list(request: MemberRequest) -> HttpResponse:
    """List the clinic's lesions, the one photographed last first."""
    form = _form(request, Listing.LESIONS)
    page = page_of(Lesion.objects.all(), _keys(form, request), request.GET.get("page"))
    note_list("lesions", len(page))
    rows = lesion_rows([lesion.pk for lesion in page], request.member)
    return _render(request, "record/search/lesions.html", form, page=page, rows=rows)


@require_role(*EVERYONE_IN_THE_CLINIC)
@names_the_patient
@require_safe
def visits_csv(request: MemberRequest) -> Any:
    return _csv(request, Listing.VISITS)


@require_role(*EVERYONE_IN_THE_CLINIC)
@names_the_patient
@require_safe
def lesions_csv(request: MemberRequest) -> Any:
    return _csv(request, Listing.LESIONS)


def _csv(request: MemberRequest, listing: Listing) -> Any:
    form = _form(request, listing)
    if not form.is_valid():
        return visit_list(request) if listing is Listing.VISITS else lesion_list(request)
    keys = list(_keys(form, request)[: MOST_ROWS + 1])
    note_list(listing.value, min(len(keys), MOST_ROWS), exports=True)
    return csv_response(listing, keys, request.member)


def _form(request: MemberRequest, listing: Listing) -> FilterForm:
    return FilterForm(request.GET, member=request.member, listing=listing)


def _keys(form: FilterForm, request: MemberRequest) -> Keys:
    if not form.is_valid():
        return []
    find = visit_keys if form.listing is Listing.VISITS else lesion_keys
    return find(form.wanted, request.member)


def _render(request: MemberRequest, template: str, form: FilterForm, **context: Any) -> HttpResponse:
    query = form.query if form.is_valid() else ""
    context |= {
        "form": form,
        "query": query,
        "chips": form.chips,
        "address": form.listing.value,
        "csv_address": f"{form.listing.value}-csv",
        "saved": list(saved_filters(request.member, form.listing)),
        "to_save": as_query(form.parameters, without="q") if query else "",
        "save_form": SavedFilterForm(),
        "most_rows": MOST_ROWS,
    }
    status = HTTPStatus.BAD_REQUEST if form.errors else HTTPStatus.OK
    return render(request, template, context, status=status)
