"""The content of an addendum as plain data: the dermatologist's text, and what has changed since the report."""

import datetime
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from typing import Any

from dermascan.core.sentences import has_words
from diagnosis.assessment.advice import CaseContext
from diagnosis.reports.articles import explanations_of
from diagnosis.reports.assessments_in_report import assessment_with_suspicion
from diagnosis.reports.changes_since_signing import LabelChange
from diagnosis.reports.content import Content, certainty_and_basis, clinic_and_patient, settled_label
from diagnosis.reports.last_reported import labels_of_other_visits, suspected_at_another_visit, titles_in_danger
from diagnosis.reports.models import Addendum, Report
from diagnosis.reports.other_visits import OtherVisitFinding
from diagnosis.reports.printable_text import without_controls
from diagnosis.reports.record_changes import RecordChange, is_of_course
from diagnosis.reports.validity import unreported_changes_of
from diagnosis.reviews.answers import is_malignant_answer
from diagnosis.reviews.review_words import answer_malignancy, icd10_of, label_in_words, plain_line

SCHEMA = "dermascan-addendum/4"
# PDFs of these versions contain only the addendum, without the report.
SCHEMAS_WITHOUT_REPORT = ("dermascan-addendum/1",)

_NO_BASIS = {"certainty": "", "certainty_words": "", "basis": "", "basis_words": ""}


def build_addendum(report: Report, *, words: str, replaces_plan: bool | None = None) -> Content:
    """Return the content of the next addendum to ``report``, without its signature.

    Args:
        replaces_plan: whether it replaces the report's plan; None if that was not asked.
    """
    visit, unreported = report.visit, unreported_changes_of(report)
    content: Content = {
        "schema": SCHEMA,
        **clinic_and_patient(visit),
        "visit": {"id": str(visit.pk), "date": visit.date.isoformat()},
        "of_report": {"id": str(report.pk), "content_sha256": report.content_sha256},
        "number": Addendum.objects.filter(report=report).count() + 1,
        "words": words,
        "labels": [
            {
                "photograph": str(change.image.pk),
                "lesion": change.image.lesion.title,
                "place": change.image.lesion.place,
                "which": change.which,
                "then": asdict(change.then),
                "now": _label_now(change),
            }
            for change in unreported.labels
        ],
        # Lesions that turned out to be malignant at another visit.
        "elsewhere": [asdict(finding) for finding in unreported.elsewhere],
        "record": [asdict(change) for change in unreported.record],
        "set_aside": [
            {
                "id": str(excluded.exclusion.pk),
                "photograph": str(excluded.exclusion.image_id),
                "lesion": excluded.exclusion.image.lesion.title,
                "place": excluded.exclusion.image.lesion.place,
                "which": excluded.which,
                "reason": excluded.exclusion.reason,
                "words": str(excluded.exclusion.get_reason_display()),
            }
            for excluded in unreported.excluded
        ],
    }
    if replaces_plan is not None:
        content["replaces_plan"] = replaces_plan
    return without_controls(content)


def plan_to_ask_about(report: Report, content: Content) -> str:
    """Return the current plan if the addendum has to say whether it still holds, else an empty string.

    It has to whenever the addendum reports a change in addition to its text.

    Args:
        content: the content of the addendum, from ``build_addendum``.
    """
    plan = _current_plan(report)
    return plan if has_words(plan) and _reports_a_change(content) else ""


def _current_plan(report: Report) -> str:
    """The text of the newest addendum that replaces the plan, else the plan of the report."""
    for addendum in report.addenda.order_by("-number"):
        content = json.loads(addendum.content)
        if _replaces_plan(content):
            return str(content["words"])
    return str(json.loads(report.content)["visit"]["plan"])


def changed_lesions_named(plan: str, content: Content) -> list[str]:
    """The titles of lesions that the plan mentions, by number or place, and that the addendum corrects."""
    changed = {row["lesion"]: row["place"] for row in (*content["labels"], *content["set_aside"])}
    changed |= {row["title"]: row["place"] for row in content["elsewhere"]}
    return [
        title
        for title, place in changed.items()
        if any(name and re.search(rf"\b{re.escape(name)}\b", plan, re.IGNORECASE) for name in (title, place))
    ]


def _label_now(change: LabelChange) -> Content:
    """The current label of a photograph, with its certainty and basis."""
    label = settled_label(change.image)
    return {
        **asdict(change.now),
        "malignancy": answer_malignancy(change.now.code),
        "icd10": icd10_of(change.now.code),
        "line": plain_line(change.now.code),
        **(certainty_and_basis(label) if label else _NO_BASIS),
    }


def present_addendum(content: Content) -> dict[str, Any]:
    """Return the content prepared for a template, with dates as objects."""
    patient, signature = content["patient"], content["addendum"]
    return {
        **content,
        "labels": present_labels(content),
        "elsewhere": other_visit_findings(content),
        "set_aside": content.get("set_aside", []),
        "replaces_plan": content.get("replaces_plan"),
        "record": content.get("record", []),
        "patient": {**patient, "birth_date": datetime.date.fromisoformat(patient["birth_date"])},
        "visit": {**content["visit"], "date": datetime.date.fromisoformat(content["visit"]["date"])},
        "addendum": {**signature, "signed_at": datetime.datetime.fromisoformat(signature["signed_at"])},
    }


def present_labels(content: Content) -> list[Content]:
    """The changed labels of an addendum, prepared for a template."""
    return [_present_label(label) for label in content["labels"]]


def _present_label(label: Content) -> Content:
    # Earlier schema versions lack the photograph's number, the malignancy, the basis and suspicions.
    facts = {"malignancy": "", "icd10": "", "line": "", "suspected": "", "suspected_code": "", **_NO_BASIS}
    then, now = {"suspected": "", **label["then"]}, {**facts, **label["now"]}
    return {
        "which": "",
        **label,
        "then": {**then, "words": label_in_words(then["name"], then["suspected"])},
        "now": {**now, "words": label_in_words(now["name"], now["suspected"])},
    }


def other_visit_findings(content: Content) -> list[OtherVisitFinding]:
    """The findings of other visits in an addendum; earlier schema versions have none."""
    return [OtherVisitFinding(**row) for row in content.get("elsewhere", ())]


def with_later_labels(content: Content, addenda: list[dict[str, Any]], record: Sequence[RecordChange] = ()) -> Content:
    """Return a report's content updated with its addenda and with corrections to the record.

    For each photograph, ``confirmed`` is the newest label, ``later`` describes the addendum that changed it, and
    ``replaced`` is the label in the report. ``set_aside`` is the reason why an addendum excludes it. New suspicions
    are added to its assessment. Labels of other visits are among the lesion's ``earlier`` labels. ``place`` is the
    corrected place and ``place_before`` the one in the report; ``patient_before`` is the same for the patient.
    Explanations cover the current labels.

    Args:
        addenda: from ``present_addendum``, newest first.
        record: corrections that no addendum reports yet.
    """
    later: dict[str, Content] = {}
    for addendum in addenda:
        for label in addendum["labels"]:
            later.setdefault(label["photograph"], _later(label["now"], addendum["addendum"]))
    reasons = {row["photograph"]: row["words"] for addendum in addenda for row in addendum["set_aside"]}
    elsewhere: dict[str, Content] = {}
    for addendum in addenda:
        for finding in addendum["elsewhere"]:
            elsewhere.setdefault(finding.lesion, asdict(finding))
    corrected = _corrected_facts(addenda) | {change.key: change.now for change in record}

    def updated(photograph: Content, case_context: CaseContext) -> Content:
        photograph_id, confirmed = photograph["id"], photograph["confirmed"]
        facts = {"later": later.get(photograph_id), "set_aside": reasons.get(photograph_id, ""), "replaced": None}
        if photograph_id in later:
            facts |= {"confirmed": later[photograph_id]["label"], "replaced": confirmed}
            case_context = _context_with_suspicion(case_context, later[photograph_id])
        if case_context.speaks_of_danger and photograph["assessment"]:
            facts["assessment"] = assessment_with_suspicion(photograph["assessment"], case_context)
        return {**photograph, **facts}

    def context_of(lesion: Content) -> CaseContext:
        label = suspected_at_another_visit(elsewhere.get(lesion["id"]))
        return CaseContext(suspected_elsewhere=label["name"] if label else "")

    lesions = [
        {
            **lesion,
            "place": corrected.get(f"lesion.{lesion['id']}.place", lesion["place"]),
            "place_before": lesion["place"] if f"lesion.{lesion['id']}.place" in corrected else "",
            "earlier": labels_of_other_visits(lesion, elsewhere.get(lesion["id"])),
            "suspected": suspected_at_another_visit(elsewhere.get(lesion["id"])),
            "photographs": [updated(photograph, context_of(lesion)) for photograph in lesion["photographs"]],
        }
        for lesion in content["lesions"]
    ]
    has_changed = bool(later or reasons or elsewhere)
    return {
        **content,
        "patient": {key: corrected.get(f"patient.{key}", value) for key, value in content["patient"].items()},
        "patient_before": {key: value for key, value in content["patient"].items() if f"patient.{key}" in corrected},
        "lesions": lesions,
        "explanations": explanations_of(lesions) if has_changed else content["explanations"],
        "added_on": addenda[0]["addendum"]["signed_at"] if addenda else None,
        "plan_not_for": plan_not_for({**each, "elsewhere": map(asdict, each["elsewhere"])} for each in addenda),
        "plan_replaced_on": next((each["addendum"]["signed_at"] for each in addenda if _replaces_plan(each)), None),
    }


def _context_with_suspicion(case_context: CaseContext, later: Content) -> CaseContext:
    if is_malignant_answer(later["suspected_code"]):
        return replace(case_context, suspected=later["suspected"])
    return replace(case_context, unclear=later["suspected"])


def _corrected_facts(addenda: list[dict[str, Any]]) -> dict[str, str]:
    """The current values of corrected facts, by key."""
    corrected: dict[str, str] = {}
    for addendum in addenda:
        for change in addendum["record"]:
            corrected.setdefault(change["key"], change["now"])
    return corrected


def plan_replaced_on(addenda: Iterable[Addendum]) -> datetime.datetime | None:
    """When the newest addendum that replaces the report's plan was signed, or None."""
    return max((each.signed_at for each in addenda if _replaces_plan(json.loads(each.content))), default=None)


def plan_not_for(addenda: Iterable[dict[str, Any]]) -> list[str]:
    """The titles of lesions to which a plan no longer applies: addenda report danger but did not replace the plan.

    Args:
        addenda: the contents of the addenda.
    """
    titles = (title for addendum in addenda if not _replaces_plan(addendum) for title in titles_in_danger(addendum))
    return sorted(set(titles))


def _replaces_plan(addendum: dict[str, Any]) -> bool:
    """The dermatologist's answer; without one, whether the addendum reports a change."""
    answer: bool | None = addendum.get("replaces_plan")
    return _reports_a_change(addendum) if answer is None else answer


def _reports_a_change(addendum: dict[str, Any]) -> bool:
    """Whether it reports a changed label, exclusion, finding, next step or result, in addition to its text."""
    course = any(is_of_course(row["key"]) for row in addendum.get("record", ()))
    return bool(addendum["labels"] or addendum.get("set_aside") or addendum.get("elsewhere") or course)


def _later(now: Content, signed: dict[str, Any]) -> Content:
    """What an addendum says about a photograph: its new label, or that it no longer has one."""
    label = {
        "snomed_ct": "",
        "certainty_words": "",
        "basis_words": "",
        **now,
        "malignancy": now["malignancy"] or answer_malignancy(now["code"]),
        "by": signed["signed_by"],
        "at": signed["signed_at"].isoformat(),
    }
    return {
        "name": now["words"],
        "suspected": now["suspected"],
        "suspected_code": now["suspected_code"],
        "at": signed["signed_at"],
        "malignancy": now["malignancy"],
        "icd10": now["icd10"],
        "line": now["line"],
        # A change must be read even if the new label is benign.
        "tone": "urgent"
        if is_malignant_answer(now["code"]) or is_malignant_answer(now["suspected_code"])
        else "watch",
        "label": label if now["code"] else None,
    }
