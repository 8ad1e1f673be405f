"""What happened to a lesion beside the photographs: reviews, labels, exclusions, signed visits, outcomes."""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass

from django.utils import timezone
from django.utils.translation import gettext as _

from diagnosis.assessment.photographs import Photograph
from diagnosis.images.models import Exclusion
from diagnosis.outcomes.states import outcome_of
from diagnosis.reports.models import Report
from diagnosis.reviews.answers import is_malignant_answer, leaves_danger_open
from diagnosis.reviews.models import ConfirmedLabel, Review
from diagnosis.reviews.review_words import answer_name
from patients.models import Lesion, VisitStatus, is_at_a_visit_in_use

# Each kind has a shape of its own in static/js/timeline.js.
MALIGNANT, UNCLEAR, BENIGN, REVIEW = "malignant", "unclear", "benign", "review"
EXCLUDED, SIGNED, NOT_JUDGED = "excluded", "signed", "not_judged"
SENT, RESULT, EXCISED, CLOSED = "sent", "result", "excised", "closed"


@dataclass(frozen=True)
class Event:
    on: datetime.date
    kind: str
    words: str
    url: str = ""


def events_of(lesion: Lesion) -> list[Event]:
    """Return what happened, the oldest first, in seven queries."""
    events = [*_labels(lesion), *_reviews(lesion), *_exclusions(lesion), *_signed_visits(lesion), *_outcomes(lesion)]
    return sorted(events, key=lambda event: event.on)


def unjudged(photographs: Iterable[tuple[datetime.date, Photograph]]) -> list[Event]:
    """Return the photographs without an answer that can be relied on: marks, and never low points of the curve."""
    return [
        Event(on, NOT_JUDGED, photograph.chip_of_answer.words, photograph.image.get_absolute_url())
        for on, photograph in photographs
    ]


def _labels(lesion: Lesion) -> list[Event]:
    # Only a settled label has a date. Asked for by its state, every settled label could be looked through.
    rows = ConfirmedLabel.objects.filter(is_at_a_visit_in_use("image__visit"), image__lesion=lesion)
    return [
        Event(
            _day(row.settled_at),
            _kind_of(row.answer),
            _("Confirmed: %(name)s") % {"name": answer_name(row.answer, row.review.other_text if row.review else "")},
            row.image.get_absolute_url(),
        )
        for row in rows.select_related("image", "review")
        if row.settled_at
    ]


def _reviews(lesion: Lesion) -> list[Event]:
    rows = (
        Review.objects.standing()
        .filter(is_at_a_visit_in_use("image__visit"), image__lesion=lesion)
        .select_related("reviewer__user", "outside_reader", "image")
    )
    return [
        Event(
            _day(row.created_at),
            REVIEW,
            _("Review by %(who)s: %(answer)s, %(certainty)s")
            % {
                "who": row.reader.name,
                "answer": answer_name(row.answer, row.other_text),
                "certainty": str(row.get_certainty_display()).lower(),
            },
            row.image.get_absolute_url(),
        )
        for row in rows
    ]


def _exclusions(lesion: Lesion) -> list[Event]:
    rows = Exclusion.objects.filter(image__lesion=lesion).select_related("image")
    return [
        Event(
            _day(row.created_at),
            EXCLUDED,
            (_("Photograph excluded: %(why)s; undone since") if row.ended_at else _("Photograph excluded: %(why)s"))
            % {"why": str(row.get_reason_display()).lower()},
            row.image.get_absolute_url(),
        )
        for row in rows
    ]


def _signed_visits(lesion: Lesion) -> list[Event]:
    rows = Report.objects.filter(visit__images__lesion=lesion).exclude(visit__status=VisitStatus.VOID)
    rows = rows.distinct().select_related("visit", "signed_by__user")
    return [
        Event(
            _day(row.signed_at),
            SIGNED,
            _("Visit signed by %(who)s") % {"who": row.signed_by.name},
            row.visit.get_absolute_url(),
        )
        for row in rows
    ]


def _outcomes(lesion: Lesion) -> list[Event]:
    """Return what was sent, found and decided; what was withdrawn as a mistake is on the lesion's panel alone."""
    outcome, events = outcome_of(lesion), []
    for history in outcome.specimens:
        specimen = history.specimen
        kind = EXCISED if specimen.is_excision else SENT
        events.append(Event(specimen.sent_on, kind, _("Sent to a laboratory: %(what)s") % {"what": specimen.title}))
        for result in history.standing:
            words = (
                _("Laboratory result: %(what)s")
                if result.is_confirmed
                else _("Laboratory result, to be confirmed: %(what)s")
            )
            events.append(
                Event(result.received_on, RESULT, words % {"what": result.details}, result.get_absolute_url())
            )
    for closure in outcome.closures:
        why = ". ".join(part for part in (str(closure.get_why_display()), closure.note) if part)
        events.append(Event(_day(closure.created_at), CLOSED, _("Lesion closed: %(why)s") % {"why": why}))
        if closure.reopened_at:
            words = _("Lesion reopened: %(why)s") % {"why": closure.reopening_reason}
            events.append(Event(_day(closure.reopened_at), CLOSED, words))
    return events


def _kind_of(answer: str) -> str:
    if is_malignant_answer(answer):
        return MALIGNANT
    return UNCLEAR if leaves_danger_open(answer) else BENIGN


def _day(moment: datetime.datetime) -> datetime.date:
    return timezone.localtime(moment).date()
