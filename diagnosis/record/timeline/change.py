"""What changed since last time, in words.

It never says that a lesion has not changed: photographs cannot show that. What differs by less than two photographs of
one lesion differ anyway is called neither a rise nor a fall; the words say that it cannot be told.
"""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from diagnosis.images.models import Tier
from diagnosis.record.timeline.points import Answer, Moment
from diagnosis.record.timeline.same_lesion_spread import (
    is_area_within_spread,
    is_within_spread,
    least_area_change,
    range_of_area_change,
)
from diagnosis.reviews.answers import is_malignant_answer

_SEVERITY = {Tier.CALM: 0, Tier.WATCH: 1, Tier.URGENT: 2}


@dataclass(frozen=True)
class Change:
    """What changed.

    Attributes:
        lead: what outweighs the numbers; empty if nothing does.
        sentence: the change in numbers; empty if there is nothing to compare.
        doubts: what the numbers cannot tell.
        tone: the colour of the whole: “urgent”, “watch” or empty. It is never green.
    """

    lead: str = ""
    sentence: str = ""
    doubts: tuple[str, ...] = ()
    tone: str = ""


def what_changed(moments: Sequence[Moment]) -> Change:
    """Return what changed between the two newest days with photographs.

    Args:
        moments: the lesion's photographs in use, the oldest first.
    """
    if not moments:
        return Change()
    days = sorted({moment.on for moment in moments})
    lead, tone = _lead(moments, days)
    if len(days) < 2:
        return Change(
            lead, doubts=(_("There are photographs of one day only, so there is nothing to compare yet."),), tone=tone
        )
    newest = [moment for moment in moments if moment.on == days[-1]]
    # The newest earlier day with an answer: a photograph that could not be judged says nothing of the lesion.
    earlier = [day for day in days[:-1] if any(moment.is_judged for moment in moments if moment.on == day)]
    if not any(moment.is_judged for moment in newest) or not earlier:
        return Change(lead, doubts=(_nothing_to_compare(),), tone=tone)
    before = [moment for moment in moments if moment.on == earlier[-1]]
    pair = _comparable(before, newest)
    if pair is None:
        doubt = _(
            "The answers are those of different networks, or for different class mixes: they cannot be compared."
        )
        return Change(lead, doubts=(doubt, *_area_doubts(before, newest)), tone=tone)
    return _compared(pair, before=before, newest=newest, since=earlier[-1], lead=lead, tone=tone)


def _lead(moments: Sequence[Moment], days: Sequence[datetime.date]) -> tuple[str, str]:
    """Return what outweighs the numbers, and its tone."""
    labelled = [moment for moment in reversed(moments) if moment.photograph.known.label]
    for moment in labelled:
        label = moment.photograph.known.label
        if label and is_malignant_answer(label.answer):
            words = _("Confirmed: %(name)s, on the photograph of %(date)s. That counts, whatever the numbers say.")
            return words % {"name": label.name, "date": in_words(moment.on)}, "urgent"
    suspected = next((moment for moment in reversed(moments) if moment.photograph.case_context.suspected), None)
    if suspected:
        words = _(
            "Suspected by a reader: %(name)s, on the photograph of %(date)s. That counts, whatever the numbers say."
        )
        name = suspected.photograph.case_context.suspected
        return words % {"name": name, "date": in_words(suspected.on)}, "urgent"
    unjudged = [moment for moment in moments if moment.on == days[-1] and not moment.is_judged]
    if unjudged:
        all_of_them = len(unjudged) == sum(moment.on == days[-1] for moment in moments)
        words = (
            _("The newest photograph, of %(date)s, could not be judged: it cannot be told whether the lesion changed.")
            if all_of_them
            else _("One of the photographs of %(date)s could not be judged.")
        )
        return words % {"date": in_words(days[-1])}, "watch"
    return "", ""


def _compared(
    pair: tuple[Answer, Answer],
    *,
    before: Sequence[Moment],
    newest: Sequence[Moment],
    since: datetime.date,
    lead: str,
    tone: str,
) -> Change:
    first, last = pair
    changes, untold, doubts = [_probability_change(first.malignant, last.malignant)], "", []
    areas = _areas(before, newest)
    if is_within_spread(first.malignant, last.malignant):
        doubts.append(
            _(
                "The answers differ no more than those to photographs of a single day, so they do not tell whether "
                "the lesion has changed."
            )
        )
    if areas and is_area_within_spread(*areas):
        untold = _(
            "Whether the area has changed cannot be told: these photographs do not show growth of less than "
            "%(percent)d\u00a0%%."
        ) % {"percent": round(least_area_change() * 100)}
    elif areas:
        changes.append(_area_change(*areas))
    doubts += _area_doubts(before, newest)
    rise = _SEVERITY[Tier(last.tier)] - _SEVERITY[Tier(first.tier)]
    sentence = _("Since %(date)s %(changes)s.") % {"date": in_words(since), "changes": _and(changes)}
    if untold:
        sentence = f"{sentence} {untold}"
    if rise > 0:
        sentence = f"{sentence} {_('The advice is now: %(tier)s.') % {'tier': Tier(last.tier).label}}"
        tone = tone or str(last.tier)
    return Change(lead, sentence, tuple(doubts), tone)


def _comparable(before: Sequence[Moment], newest: Sequence[Moment]) -> tuple[Answer, Answer] | None:
    """Return the most suspicious answer of each day, both of one series; the shown one if both days have it."""
    shown = [moment.shown.series for moment in newest if moment.shown]
    every = [answer.series for moment in newest for answer in reversed(moment.answers)]
    for series in dict.fromkeys([*shown, *every]):
        sides = [[answer for moment in side if (answer := moment.answer_of(series))] for side in (before, newest)]
        if all(sides):
            first, last = (max(side, key=lambda answer: answer.malignant) for side in sides)
            return first, last
    return None


def _probability_change(before: float, after: float) -> str:
    first, last = _in_hundred(before), _in_hundred(after)
    if is_within_spread(before, after) or first == last:
        words = _("the malignant probability was %(first)s in 100 then and is %(last)s in 100 now")
    elif after > before:
        words = _("the malignant probability rose from %(first)s to %(last)s in 100")
    else:
        words = _("the malignant probability fell from %(first)s to %(last)s in 100")
    return words % {"first": first, "last": last}


def _area_change(before: float, after: float) -> str:
    """Return a change that is larger than the spread, with the range that it lies in."""
    shares = [abs(ratio - 1) * 100 for ratio in (after / before, *range_of_area_change(before, after))]
    percent, low, high = (_rounded_percent(share) for share in (shares[0], *sorted(shares[1:])))
    words = (
        _("the area grew by about %(percent)d\u00a0%% (between %(low)d and %(high)d\u00a0%%)")
        if after > before
        else _("the area shrank by about %(percent)d\u00a0%% (between %(low)d and %(high)d\u00a0%%)")
    )
    return words % {"percent": percent, "low": low, "high": high}


def _areas(before: Sequence[Moment], newest: Sequence[Moment]) -> tuple[float, float] | None:
    """Return the largest area of each day; None unless both are known."""
    sides = [[moment.measures.area_mm2 for moment in side if moment.measures.area_mm2] for side in (before, newest)]
    return (max(sides[0]), max(sides[1])) if all(sides) else None


def _area_doubts(before: Sequence[Moment], newest: Sequence[Moment]) -> tuple[str, ...]:
    if _areas(before, newest):
        return ()
    return (_("The area cannot be compared: it needs an outline and the stated width of the picture on both days."),)


def _nothing_to_compare() -> str:
    return _("There is no earlier day with an answer to compare, or none on the newest day.")


def in_words(day: datetime.date) -> str:
    return date_format(day, "j F Y")


def _in_hundred(probability: float) -> str:
    if probability < 0.01:
        return _("less than 1")
    return _("more than 99") if probability > 0.99 else str(round(probability * 100))


def _rounded_percent(percent: float) -> int:
    """Return a percentage as exactly as it is known: to 1 below 10, to 5 below 50, then to 10."""
    step = 1 if percent < 10 else 5 if percent < 50 else 10
    return round(percent / step) * step


def _and(changes: Sequence[str]) -> str:
    return (
        changes[0]
        if len(changes) == 1
        else _("%(first)s and %(second)s") % {"first": changes[0], "second": changes[1]}
    )
