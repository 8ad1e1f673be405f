"""Add to a signed report."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from diagnosis.contradictions import contradictions_at
from diagnosis.models import Report
from diagnosis.reports.forms import AddendumForm
from diagnosis.reports.otherwise import otherwise_since
from diagnosis.services.addenda import draft_addendum, sign_addendum
from diagnosis.services.errors import Refused
from diagnosis.views.reports import how_the_patient_hears
from patients.access import require_role
from patients.middleware import ClinicRequest
from patients.models import Role, Visit
from patients.once import once


@require_role(Role.DERMATOLOGIST)
@require_http_methods(["GET", "HEAD", "POST"])
@once(in_one_transaction=False)
def add(request: ClinicRequest, visit_id: UUID) -> HttpResponse:
    visits = Visit.objects.visible_to(request.member).select_related("patient")
    visit = get_object_or_404(visits, pk=visit_id)
    report = (
        Report.objects.visible_to(request.member)
        .select_related("visit__patient__clinic", "visit__patient__user")
        .filter(visit=visit)
    )
    found = report.first()
    if found is None:
        messages.error(request, _("This visit is not signed yet: change the visit itself."))
        return redirect(visit)
    form = AddendumForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        assert request.member is not None, "require_role lets nobody else in"
        words, seen = form.cleaned_data["words"], form.cleaned_data["seen"]
        try:
            sign_addendum(report=found, by=request.member, words=words, seen=seen)
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, _said_when_signed(found))
            return redirect(visit)
    return _page(request, found, form)


def _page(request: ClinicRequest, report: Report, form: AddendumForm) -> HttpResponse:
    draft = draft_addendum(report=report)
    if form.is_bound:
        # What was typed stays; what is shown, and so what may be signed next, is as it is now.
        form.data = {**request.POST.dict(), "seen": draft.fingerprint}
    else:
        form = AddendumForm(initial={"seen": draft.fingerprint})
    context = {
        "visit": report.visit,
        "patient": report.visit.patient,
        "report": report,
        "labels": draft.content["labels"],
        "elsewhere": otherwise_since(report).elsewhere,
        "set_aside": draft.content["set_aside"],
        "record_since": draft.content["record"],
        "contradictions": contradictions_at(report.visit),
        "form": form,
    }
    return render(request, "diagnosis/add_addendum.html", context, status=422 if form.is_bound else 200)


def _said_when_signed(report: Report) -> str:
    if report.released_at:
        return f"{_('The addendum is signed.')} {how_the_patient_hears(report)}"
    return _("The addendum is signed. The patient reads it when the report is released.")
