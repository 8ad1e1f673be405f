"""What became of a lesion, as a report shows it: specimens, confirmed laboratory results, excised or closed.

A result that no dermatologist has confirmed counts for nothing, so a report calls it awaited.
"""

import datetime
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from diagnosis.outcomes.models import Margins, PathologyResult
from diagnosis.outcomes.states import LesionOutcome, LesionState, SpecimenHistory
from diagnosis.reviews.answers import FREE_TEXT
from diagnosis.reviews.review_words import answer_malignancy

Content = dict[str, Any]


def outcome_in_report(outcome: LesionOutcome) -> Content:
    """Return the outcome of a lesion; reports that were signed before this was added have no such key."""
    closure = outcome.closure
    return {
        "state": str(state_of(outcome)),
        "state_words": str(state_of(outcome).label),
        "specimens": [specimen_in_report(history) for history in outcome.specimens],
        "closed": {
            "on": timezone.localdate(closure.created_at).isoformat(),
            "why": closure.why,
            "words": str(closure.get_why_display()),
        }
        if closure
        else None,
    }


def state_of(outcome: LesionOutcome) -> LesionState:
    """The state of a lesion as far as results are confirmed."""
    if not outcome.closure and any(history.counting is None for history in outcome.specimens):
        return LesionState.SENT
    return outcome.state


def specimen_in_report(history: SpecimenHistory) -> Content:
    """Return a specimen with its confirmed result, None while that is awaited."""
    specimen = history.specimen
    return {
        "id": str(specimen.pk),
        "kind": specimen.kind,
        "kind_words": str(specimen.get_kind_display()),
        "number": specimen.number or "",
        "title": specimen.title,
        "sent_on": specimen.sent_on.isoformat(),
        "laboratory": specimen.laboratory,
        "result": _result(history.counting) if history.counting else None,
    }


def _result(result: PathologyResult) -> Content:
    return {
        "received_on": result.received_on.isoformat(),
        "reported_by": result.reported_by,
        "answer": result.answer,
        "name": result.name,
        "malignancy": answer_malignancy(result.answer),
        "invasion": result.invasion,
        "breslow_mm": None if result.breslow_mm is None else f"{result.breslow_mm.normalize():f}",
        "ulceration": result.ulceration,
        "margins": result.margins,
        # “Melanoma, invasive, Breslow 0.8 mm, ulcerated”.
        "details": result.details,
        "margins_words": "" if result.margins == Margins.NOT_STATED else str(result.get_margins_display()),
    }


def specimens_in_words(outcome: Content | None) -> list[str]:
    """Return a line for each specimen of a lesion's content; none where the report is older than this."""
    return [specimen_in_words(specimen) for specimen in (outcome or {}).get("specimens", ())]


def specimen_in_words(specimen: Content) -> str:
    """“Excision H26-1, sent on 3 May 2026 (laboratory): melanoma, …; margins clear; result of 9 May 2026”."""
    words = _("%(specimen)s, sent on %(date)s") % {"specimen": specimen["title"], "date": _day(specimen["sent_on"])}
    if specimen["laboratory"]:
        words = f"{words} ({specimen['laboratory']})"
    return f"{words}: {result_in_words(specimen['result'])}"


def result_in_words(result: Content | None) -> str:
    """Return a confirmed result with all that was stated, or that it is awaited."""
    if result is None:
        return _("result awaited")
    parts = [result["details"]]
    if result["margins_words"]:
        parts.append(_("margins: %(margins)s") % {"margins": result["margins_words"].lower()})
    received = _("result of %(date)s") % {"date": _day(result["received_on"])}
    if result["reported_by"]:
        received = _("%(received)s by %(name)s") % {"received": received, "name": result["reported_by"]}
    return "; ".join([*parts, received])


def closed_in_words(outcome: Content | None) -> str:
    """Return that a lesion was excised or closed; empty for any other."""
    closed = (outcome or {}).get("closed")
    if closed:
        return _("%(why)s (%(date)s)") % {"why": closed["words"], "date": _day(closed["on"])}
    return str(outcome["state_words"]) if outcome and outcome["state"] == LesionState.EXCISED else ""


def of_same_facts(then: Content | None, now: Content | None) -> bool:
    """Whether two results state the same, in whatever language."""
    if then is None or now is None:
        return then is now
    words = {"malignancy", "details", "margins_words", *(() if now["answer"] in FREE_TEXT else ("name",))}
    return all(then[name] == value for name, value in now.items() if name not in words)


def _day(text: str) -> str:
    return date_format(datetime.date.fromisoformat(text), "j F Y")
