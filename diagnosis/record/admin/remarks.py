"""The warnings of the clinic's own pages, shown at the top of the admin's change pages."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string

from diagnosis.assessment.advice import caveats_without_answer
from diagnosis.assessment.chips import URGENT, Chip, in_order
from diagnosis.assessment.findings import excluded_findings, excluded_findings_at, excluded_findings_beside
from diagnosis.assessment.photographs import Photograph, photograph_of, photographs, signs_together
from diagnosis.assessment.presentation import present_prediction
from diagnosis.images.models import Image
from diagnosis.record.visit_chips import chips_at, trouble_with_report
from diagnosis.reports.models import Addendum, Report
from diagnosis.reports.validity import reports_contradicted_by, unreported_changes_of
from diagnosis.reviews.contradictions import contradictions_at, contradictions_of
from patients.models import Lesion, Patient, Visit


class ShowsRemarks:
    """An admin whose change page starts with the warnings about the record."""

    def remarks_on(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """Return the context of ``admin/remarks.html``."""
        raise NotImplementedError

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Any = None, **kwargs: Any
    ) -> Any:
        if obj is not None:
            context["remarks"] = render_to_string("admin/remarks.html", self.remarks_on(request, obj), request)
        render: Callable[..., Any] = super().render_change_form  # type: ignore[misc]
        return render(request, context, *args, obj=obj, **kwargs)


def photograph_for(row: Any) -> Photograph:
    """Return the photograph of a row, loaded once; a list has already loaded those of all its rows."""
    if "photograph" not in vars(row):
        row.photograph = photograph_of(row if isinstance(row, Image) else row.image)
    photograph: Photograph = row.photograph
    return photograph


def of_a_photograph(row: Any) -> dict[str, Any]:
    photograph = photograph_for(row)
    image, prediction, case_context = photograph.image, photograph.prediction, photograph.case_context
    caveats = (
        present_prediction(prediction, case_context=case_context).caveats
        if prediction
        else caveats_without_answer(case_context)
    )
    is_excluded = photograph.known.is_excluded
    reports = reports_contradicted_by(image)
    withheld = Report.objects.kept_from_patients().filter(pk__in=[report.pk for report in reports])
    return {
        "chips": photograph.chips,
        "contradictions": photograph.contradictions,
        "excluded_findings": excluded_findings_beside(image),
        "same_file": []
        if is_excluded
        else list(Image.objects.with_the_same_file(image).select_related("lesion__patient")),
        "contradicted_reports": reports,
        "reports_withheld": set(withheld.values_list("pk", flat=True)),
        "caveats": {"caveats": caveats},
    }


def of_a_visit(row: Visit | Report | Addendum) -> dict[str, Any]:
    visit = visit_of(row)
    report = Report.objects.select_related("visit__patient__clinic").filter(visit=visit).first()
    trouble = trouble_with_report(visit)
    of_the_report = [Chip(trouble.code, URGENT, str(trouble))] if trouble else []
    withholdings = list(report.withholdings.select_related("member__user", "ended_by__user")) if report else []
    return {
        "chips": [
            *of_the_report,
            *chips_at([visit]).get(visit.pk, ()),
        ],
        "visit": visit,
        "patient": visit.patient,
        "report": report,
        "unreported": unreported_changes_of(report) if report else None,
        "withholdings": withholdings,
        "withheld": next((each for each in withholdings if each.ended_at is None), None),
        "contradictions": contradictions_at(visit),
        "excluded_findings": excluded_findings_at(visit),
    }


def of_a_lesion(lesion: Lesion) -> dict[str, Any]:
    missed = excluded_findings(Image.objects.filter(lesion=lesion))
    together = signs_together(photographs(Image.objects.in_use().filter(lesion=lesion)))
    return {
        "chips": in_order([*(each.chip for each in missed), *together]),
        "contradictions": contradictions_of(Lesion.objects.filter(pk=lesion.pk)),
        "excluded_findings": missed,
    }


def of_a_patient(patient: Patient) -> dict[str, Any]:
    return {
        "contradictions": contradictions_of(patient.lesions.all()),
        "excluded_findings": excluded_findings(Image.objects.filter(visit__patient=patient)),
    }


def visit_of(row: Visit | Report | Addendum) -> Visit:
    if isinstance(row, Visit):
        return row
    return row.report.visit if isinstance(row, Addendum) else row.visit
