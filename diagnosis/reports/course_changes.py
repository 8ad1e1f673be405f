"""What has happened to a lesion since its report was signed: another next step, or a laboratory result.

The clinic reads it beside the report, and an addendum tells it to the patient, who learns nothing of it before: a
diagnosis is told by a doctor. Reports that were signed before their content held these facts are left out.
"""

import datetime
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db.models import Max
from django.utils.translation import gettext as _

from dermascan.core.sentences import has_words
from diagnosis.followup.models import Ending, LesionPlan, NextStep
from diagnosis.followup.step_words import step_in_words
from diagnosis.images.models import Image
from diagnosis.outcomes.models import ResultReview
from diagnosis.outcomes.states import LesionOutcome, outcomes_of
from diagnosis.reports.models import Report
from diagnosis.reports.outcome_in_report import of_same_facts, result_in_words, specimen_in_report
from diagnosis.reports.record_changes import RecordChange, already_reported
from patients.models import Lesion, VisitStatus

Content = dict[str, Any]


def course_changes_of(reports: Sequence[Report]) -> dict[UUID, list[RecordChange]]:
    """Return, by report, the plans and results that differ from the report and its addenda.

    The number of queries does not depend on the number of reports; prefetch their addenda.
    """
    contents = {report.pk: json.loads(report.content) for report in reports}
    keys = {row["id"] for content in contents.values() for row in content["lesions"] if _has_course(row)}
    if not keys:
        return {report.pk: [] for report in reports}
    lesions = {str(lesion.pk): lesion for lesion in Lesion.objects.filter(pk__in=keys)}
    plans, newest, outcomes = _plans_of(lesions), _newest_reports(lesions), outcomes_of(list(lesions.values()))
    named = _photographs_named(lesions)
    changes: dict[UUID, list[RecordChange]] = {}
    for report in reports:
        reported, rows = already_reported(report), changes.setdefault(report.pk, [])
        for row in contents[report.pk]["lesions"]:
            lesion = lesions.get(row["id"])
            # A lesion that was moved to another patient since is no longer this report's affair.
            if lesion is None or lesion.patient_id != report.visit.patient_id:
                continue
            if "next_step" in row and newest.get(lesion.pk) == report.signed_at:
                typed = has_words(contents[report.pk]["visit"]["plan"])
                rows += _plan_change(row, plans.get(lesion.pk, []), reported, is_typed=typed)
            if "outcome" in row:
                rows += _result_changes(report, row, outcomes[lesion.pk], named, reported)
    return changes


def _has_course(row: Content) -> bool:
    return "next_step" in row or "outcome" in row


def _plans_of(lesions: Mapping[str, Lesion]) -> dict[UUID, list[LesionPlan]]:
    """The plans of each lesion, the newest first."""
    plans: dict[UUID, list[LesionPlan]] = {}
    for plan in LesionPlan.objects.filter(lesion__in=lesions.values()).order_by("-stated_at", "-pk"):
        plans.setdefault(plan.lesion_id, []).append(plan)
    return plans


def _newest_reports(lesions: Mapping[str, Lesion]) -> dict[UUID, datetime.datetime]:
    """When the newest report of each lesion was signed: an older one is overtaken by it."""
    shown = Image.objects.filter(lesion__in=lesions.values(), visit__report__isnull=False)
    signed = shown.exclude(visit__status=VisitStatus.VOID).order_by().values("lesion")
    return dict(signed.annotate(at=Max("visit__report__signed_at")).values_list("lesion", "at"))


def _photographs_named(lesions: Mapping[str, Lesion]) -> dict[UUID, set[str]]:
    """The photographs that each specimen's results label, by specimen."""
    named: dict[UUID, set[str]] = {}
    rows = ResultReview.objects.filter(result__specimen__lesion__in=lesions.values(), review__retraction__isnull=True)
    for specimen, image in rows.values_list("result__specimen", "review__image"):
        named.setdefault(specimen, set()).add(str(image))
    return named


def _plan_change(
    row: Content, plans: Sequence[LesionPlan], reported: Mapping[str, str], *, is_typed: bool
) -> Iterator[RecordChange]:
    then = row["next_step"]
    standing = next((plan for plan in plans if plan.is_standing), None)
    key = f"lesion.{row['id']}.plan"
    was = reported.get(key, then["words"] if then else "")
    now = step_in_words(standing.step, standing.due_on) if standing else ""
    is_same = was == now if key in reported else _is_as_planned(then, standing, plans, is_typed=is_typed)
    if not is_same:
        what = _("%(lesion)s: next step") % {"lesion": row["title"]}
        yield RecordChange(key, what, was or _("none named"), now or _("nothing planned"))


def _is_as_planned(
    then: Content | None, standing: LesionPlan | None, plans: Sequence[LesionPlan], *, is_typed: bool
) -> bool:
    """Whether what stands now is what the report says, or what follows from carrying it out.

    A typed plan without a step may well ask the patient to come again, but says nothing of a biopsy or a referral.
    """
    if standing is None:
        return then is None or (bool(plans) and plans[0].ending == Ending.DONE)
    if then is None:
        return is_typed and standing.step in (NextStep.SEE_AGAIN, NextStep.DISCHARGE)
    if then["step"] == NextStep.BIOPSY and standing.step == NextStep.RESULT_AWAITED:
        return True
    due = standing.due_on.isoformat() if standing.due_on else None
    return (then["step"], then["due_on"]) == (standing.step, due)


def _result_changes(
    report: Report, row: Content, outcome: LesionOutcome, named: Mapping[UUID, set[str]], reported: Mapping[str, str]
) -> Iterator[RecordChange]:
    """The results that differ: of specimens in the report, of its visit, or that name a photograph in it."""
    known = {specimen["id"]: specimen["result"] for specimen in row["outcome"]["specimens"]}
    photographs = {photograph["id"] for photograph in row["photographs"]}
    current = {}
    for history in outcome.specimens:
        specimen = history.specimen
        is_concerned = specimen.visit_id == report.visit_id or named.get(specimen.pk, set()) & photographs
        if str(specimen.pk) in known or is_concerned:
            current[str(specimen.pk)] = specimen_in_report(history)
    titles = {specimen["id"]: specimen["title"] for specimen in (*row["outcome"]["specimens"], *current.values())}
    for specimen, title in titles.items():
        then, now = known.get(specimen), current.get(specimen)
        words = result_in_words(now["result"]) if now else _("recorded by mistake")
        key = f"lesion.{row['id']}.specimen.{specimen}"
        is_known = reported[key] == words if key in reported else now and of_same_facts(then, now["result"])
        if not is_known:
            what = _("%(lesion)s: histopathology of %(specimen)s") % {"lesion": row["title"], "specimen": title}
            yield RecordChange(key, what, reported.get(key, result_in_words(then)), words)
