"""The pages of a patient, a visit and a lesion."""

import json
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from diagnosis.assessment.facts_view import overviews_among
from diagnosis.assessment.findings import excluded_findings, excluded_findings_at
from diagnosis.assessment.photographs import (
    answers_told,
    by_lesion,
    contradictions_among,
    excluded_among,
    in_order_of_time,
    lesion_cards,
    photographs,
    visits_with_counts,
)
from diagnosis.images.models import Image
from diagnosis.outcomes.panel import outcome_panel
from diagnosis.record.lesion_pins import map_summary
from diagnosis.record.timeline.page import timeline_of
from diagnosis.reports.addendum_content import plan_not_for, plan_replaced_on, present_addendum
from diagnosis.reports.drafts import contradictions_seen
from diagnosis.reports.forms import WithholdForm
from diagnosis.reports.models import Report
from diagnosis.reports.notices import notices_of, reach_of
from diagnosis.reports.services import needing_a_plan
from diagnosis.reports.validity import unreported_changes_of
from diagnosis.retraining.models import versions_that_used
from diagnosis.reviews.blinding import note_seen
from patients.access import EVERYONE_IN_THE_CLINIC, require_role
from patients.middleware import ClinicRequest
from patients.models import Lesion, Patient, Visit, VisitStatus
from patients.services import account_state, consent_states


@require_role(*EVERYONE_IN_THE_CLINIC)
@require_safe
def patient(request: ClinicRequest, patient_id: UUID) -> HttpResponse:
    patient_row = get_object_or_404(Patient.objects.visible_to(request.member), pk=patient_id)
    cards = lesion_cards(patient_row, reader=request.member)
    missed = excluded_findings(Image.objects.filter(visit__patient=patient_row))
    note_seen(request.member, answers_told(cards))
    context = {
        "patient": patient_row,
        "lesions": cards,
        "excluded_findings": missed,
        **map_summary(patient_row, cards=cards, missed=missed),
        "visits": visits_with_counts(patient_row),
        "consents": consent_states(patient_row),
        "account": account_state(patient_row),
        "used_by": versions_that_used(images=Image.objects.filter(visit__patient=patient_row)),
    }
    return render(request, "record/patient.html", context)


@require_role(*EVERYONE_IN_THE_CLINIC)
@require_safe
def visit(request: ClinicRequest, visit_id: UUID) -> HttpResponse:
    visits = Visit.objects.visible_to(request.member).select_related("patient__user", "clinician__user")
    visit_row = get_object_or_404(visits, pk=visit_id)
    in_use = photographs(Image.objects.in_use().filter(visit=visit_row))
    note_seen(request.member, [photograph.image for photograph in in_use])
    report = Report.objects.select_related("signed_by__user").filter(visit=visit_row).first()
    unreported = unreported_changes_of(report) if report else None
    withholdings = list(report.withholdings.select_related("member__user", "ended_by__user")) if report else []
    addenda = list(report.addenda.select_related("signed_by__user")) if report else []
    for addendum in addenda:
        addendum.presented = present_addendum(json.loads(addendum.content))  # type: ignore[attr-defined]
    context = {
        "visit": visit_row,
        "patient": visit_row.patient,
        "groups": by_lesion(in_use),
        "excluded": excluded_among(Image.objects.filter(visit=visit_row)),
        "excluded_findings": excluded_findings_at(visit_row),
        "unreported": unreported,
        "shows_other_patient": unreported.shows_other_patient if unreported else False,
        "count": len(in_use),
        "unreviewed": sum(1 for photograph in in_use if not photograph.confirmed),
        "report": report,
        "needs_a_plan": needing_a_plan(visit_row, json.loads(report.content)) if report else [],
        "addenda": addenda,
        "presented_addenda": [each.presented for each in addenda],  # type: ignore[attr-defined]
        "plan_replaced_on": plan_replaced_on(addenda),
        "plan_not_for": plan_not_for(json.loads(each.content) for each in addenda),
        "notices": notices_of(report).select_related("user") if report else [],
        "contradictions": contradictions_among(in_use),
        "contradictions_seen": contradictions_seen(visit_row) if report and not report.released_at else "",
        "stored_elsewhere": Image.objects.also_stored_elsewhere(visit_row)
        .select_related("lesion")
        .order_by("lesion__number")
        if report and not report.released_at
        else [],
        "withholdings": withholdings,
        "withheld": next((row for row in withholdings if row.ended_at is None), None),
        "withhold_form": WithholdForm(),
        "reach": reach_of(visit_row.patient),
    }
    return render(request, "record/visit.html", context)


@require_role(*EVERYONE_IN_THE_CLINIC)
@require_safe
def lesion(request: ClinicRequest, lesion_id: UUID) -> HttpResponse:
    lesion_row = get_object_or_404(Lesion.objects.visible_to(request.member).select_related("patient"), pk=lesion_id)
    in_use = in_order_of_time(photographs(Image.objects.in_use().filter(lesion=lesion_row)))
    note_seen(request.member, [photograph.image for photograph in in_use])
    open_visit = lesion_row.patient.visits.filter(status=VisitStatus.OPEN).first()
    context = {
        "lesion": lesion_row,
        "patient": lesion_row.patient,
        "photographs": in_use,
        "timeline": timeline_of(lesion_row, in_use),
        "excluded": excluded_among(Image.objects.filter(lesion=lesion_row)),
        "excluded_findings": excluded_findings(Image.objects.filter(lesion=lesion_row)),
        "contradictions": contradictions_among(in_use),
        "overviews": overviews_among(each.image for each in in_use),
        # Today's photographs belong to today's visit; an older open visit is offered with its date.
        "open_visit": open_visit,
        "is_open_today": open_visit is not None and open_visit.date == timezone.localdate(),
        **outcome_panel(lesion_row, request.member),
    }
    return render(request, "record/lesion.html", context)
