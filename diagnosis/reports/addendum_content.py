"""What an addendum says, as plain data: the dermatologist's words, and what changed in the record since."""

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
from diagnosis.reports.record_changes import RecordChange
from diagnosis.reports.validity import otherwise_since
from diagnosis.reviews.answers import is_malignant_answer
from diagnosis.reviews.review_words import answer_malignancy, icd10_of, label_in_words, plain_line

SCHEMA = "dermascan-addendum/4"
# Their PDF holds the addendum alone, and not the report that it adds to.
SCHEMAS_WITHOUT_REPORT = ("dermascan-addendum/1",)

_NO_BASIS = {"certainty": "", "certainty_words": "", "basis": "", "basis_words": ""}


def build_addendum(report: Report, *, words: str, replaces_plan: bool | None = None) -> Content:
    """Gather what the next addendum to ``report`` says, without its signature.

    Args:
        replaces_plan: whether the report's plan no longer holds; None where that was not asked.
    """
    visit, otherwise = report.visit, otherwise_since(report)
    content: Content = {
        "schema": SCHEMA,
        **clinic_and_patient(visit),
        "visit": {"id": str(visit.pk), "date": visit.date.isoformat()},
        "of_report": {"id": str(report.pk), "content_sha256": report.content_sha256},
        "number": Addendum.objects.filter(report=report).count() + 1,
        "words": words,
        "labels": [
            {
                "photograph": str(since.image.pk),
                "lesion": since.image.lesion.title,
                "place": since.image.lesion.place,
                "which": since.which,
                "then": asdict(since.then),
                "now": _label_now(since),
            }
            for since in otherwise.labels
        ],
        # Lesions that turned out to be malignant at another visit.
        "elsewhere": [asdict(found) for found in otherwise.elsewhere],
        "record": [asdict(changed) for changed in otherwise.record],
        "set_aside": [
            {
                "id": str(removed.exclusion.pk),
                "photograph": str(removed.exclusion.image_id),
                "lesion": removed.exclusion.image.lesion.title,
                "place": removed.exclusion.image.lesion.place,
                "which": removed.which,
                "reason": removed.exclusion.reason,
                "words": str(removed.exclusion.get_reason_display()),
            }
            for removed in otherwise.excluded
        ],
    }
    if replaces_plan is not None:
        content["replaces_plan"] = replaces_plan
    return without_controls(content)


def plan_to_ask_about(report: Report, content: Content) -> str:
    """The report's plan where an addendum has to say whether it still holds, otherwise empty.

    That is where the addendum says more than words, and none before it has replaced the plan.

    Args:
        content: of the addendum, as ``build_addendum`` returns it.
    """
    plan = _plan_that_counts(report)
    return plan if has_words(plan) and _says_more_than_words(content) else ""


def _plan_that_counts(report: Report) -> str:
    """What the newest addendum says that has replaced the plan, else the report's own."""
    for addendum in report.addenda.order_by("-number"):
        content = json.loads(addendum.content)
        if _replaces_plan(content):
            return str(content["words"])
    return str(json.loads(report.content)["visit"]["plan"])


def changed_lesions_named(plan: str, content: Content) -> list[str]:
    """The titles of lesions that a plan speaks of, by number or place, and of which an addendum says otherwise."""
    changed = {row["lesion"]: row["place"] for row in (*content["labels"], *content["set_aside"])}
    changed |= {row["title"]: row["place"] for row in content["elsewhere"]}
    return [
        title
        for title, place in changed.items()
        if any(name and re.search(rf"\b{re.escape(name)}\b", plan, re.IGNORECASE) for name in (title, place))
    ]


def _label_now(since: LabelChange) -> Content:
    """What a photograph is named now, how certain that is and what it rests on."""
    label = settled_label(since.image)
    return {
        **asdict(since.now),
        "malignancy": answer_malignancy(since.now.code),
        "icd10": icd10_of(since.now.code),
        "line": plain_line(since.now.code),
        **(certainty_and_basis(label) if label else _NO_BASIS),
    }


def present_addendum(content: Content) -> dict[str, Any]:
    """Return the content as a template needs it: dates as dates."""
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
    """The changed labels of an addendum, in words."""
    return [_present_label(label) for label in content["labels"]]


def _present_label(label: Content) -> Content:
    # Earlier addenda do not say which of a lesion's photographs they mean, how dangerous a label is, what it rests on,
    # nor what is suspected.
    facts = {"malignancy": "", "icd10": "", "line": "", "suspected": "", "suspected_code": "", **_NO_BASIS}
    then, now = {"suspected": "", **label["then"]}, {**facts, **label["now"]}
    return {
        "which": "",
        **label,
        "then": {**then, "words": label_in_words(then["name"], then["suspected"])},
        "now": {**now, "words": label_in_words(now["name"], now["suspected"])},
    }


def other_visit_findings(content: Content) -> list[OtherVisitFinding]:
    """What an addendum says was found at other visits; earlier ones say nothing of it."""
    return [OtherVisitFinding(**row) for row in content.get("elsewhere", ())]


def with_later_labels(content: Content, addenda: list[dict[str, Any]], record: Sequence[RecordChange] = ()) -> Content:
    """Return a report's content as it holds with all that was added since.

    A photograph whose label an addendum changed is ``confirmed`` as the newest one says; ``later`` says so too, and
    ``replaced`` is what the report said. What is suspected since is told with the software's answer. Under
    ``set_aside`` a photograph says why it no longer counts, if an addendum says so. What a lesion turned out to be at
    another visit is among its ``earlier`` labels. A corrected place is the lesion's ``place``, and ``place_before``
    what the report said; the same of the patient. What holds now is what is explained.

    Args:
        addenda: as ``present_addendum`` returns them, the newest first.
        record: corrected facts that no addendum tells of yet.
    """
    later: dict[str, Content] = {}
    for addendum in addenda:
        for label in addendum["labels"]:
            later.setdefault(label["photograph"], _later(label["now"], addendum["addendum"]))
    aside = {row["photograph"]: row["words"] for addendum in addenda for row in addendum["set_aside"]}
    elsewhere: dict[str, Content] = {}
    for addendum in addenda:
        for found in addendum["elsewhere"]:
            elsewhere.setdefault(found.lesion, asdict(found))
    right = _corrected_facts(addenda) | {changed.key: changed.now for changed in record}

    def told(photograph: Content, case_context: CaseContext) -> Content:
        number, was = photograph["id"], photograph["confirmed"]
        facts = {"later": later.get(number), "set_aside": aside.get(number, ""), "replaced": None}
        if number in later:
            facts |= {"confirmed": later[number]["label"], "replaced": was}
            case_context = _context_with_suspicion(case_context, later[number])
        if case_context.speaks_of_danger and photograph["assessment"]:
            facts["assessment"] = assessment_with_suspicion(photograph["assessment"], case_context)
        return {**photograph, **facts}

    def of_others(lesion: Content) -> CaseContext:
        label = suspected_at_another_visit(elsewhere.get(lesion["id"]))
        return CaseContext(suspected_elsewhere=label["name"] if label else "")

    lesions = [
        {
            **lesion,
            "place": right.get(f"lesion.{lesion['id']}.place", lesion["place"]),
            "place_before": lesion["place"] if f"lesion.{lesion['id']}.place" in right else "",
            "earlier": labels_of_other_visits(lesion, elsewhere.get(lesion["id"])),
            "suspected": suspected_at_another_visit(elsewhere.get(lesion["id"])),
            "photographs": [told(photograph, of_others(lesion)) for photograph in lesion["photographs"]],
        }
        for lesion in content["lesions"]
    ]
    has_changed = bool(later or aside or elsewhere)
    return {
        **content,
        "patient": {key: right.get(f"patient.{key}", value) for key, value in content["patient"].items()},
        "patient_before": {key: value for key, value in content["patient"].items() if f"patient.{key}" in right},
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
    """The facts that addenda have corrected, as they are now, by key."""
    right: dict[str, str] = {}
    for addendum in addenda:
        for changed in addendum["record"]:
            right.setdefault(changed["key"], changed["now"])
    return right


def plan_replaced_on(addenda: Iterable[Addendum]) -> datetime.datetime | None:
    """When the newest addendum was signed that replaces the report's plan."""
    return max((each.signed_at for each in addenda if _replaces_plan(json.loads(each.content))), default=None)


def plan_not_for(addenda: Iterable[dict[str, Any]]) -> list[str]:
    """The lesions for which a report's plan no longer counts, though it was not replaced: danger was told of them.

    Args:
        addenda: their contents.
    """
    titles = (title for addendum in addenda if not _replaces_plan(addendum) for title in titles_in_danger(addendum))
    return sorted(set(titles))


def _replaces_plan(addendum: dict[str, Any]) -> bool:
    """What its dermatologist answered; of an addendum that was not asked, whether it says more than words."""
    answer: bool | None = addendum.get("replaces_plan")
    return _says_more_than_words(addendum) if answer is None else answer


def _says_more_than_words(addendum: dict[str, Any]) -> bool:
    """Whether it says that something in the report is otherwise, and does not add words alone."""
    return bool(addendum["labels"] or addendum.get("set_aside") or addendum.get("elsewhere"))


def _later(now: Content, signed: dict[str, Any]) -> Content:
    """What an addendum says of a photograph: its label now, or that it has none any more."""
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
        # That it changed asks to be read, even where it is harmless now.
        "tone": "urgent"
        if is_malignant_answer(now["code"]) or is_malignant_answer(now["suspected_code"])
        else "watch",
        "label": label if now["code"] else None,
    }
