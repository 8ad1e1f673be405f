"""What the page of a lesion shows of its course over time."""

from collections.abc import Sequence
from dataclasses import dataclass

from diagnosis.assessment.photographs import Photograph
from diagnosis.record.timeline.change import Change, what_changed
from diagnosis.record.timeline.charts import TimeChart, measure_charts, probability_chart
from diagnosis.record.timeline.events import events_of, unjudged
from diagnosis.record.timeline.points import moments_of
from patients.models import Lesion


@dataclass(frozen=True)
class Timeline:
    change: Change
    probability: TimeChart
    measures: list[TimeChart]


def timeline_of(lesion: Lesion, photographs: Sequence[Photograph]) -> Timeline | None:
    """Return the lesion's course from its photographs in use; None without photographs."""
    if not photographs:
        return None
    moments = moments_of(photographs)
    marks = unjudged((moment.on, moment.photograph) for moment in moments if not moment.is_judged)
    events = sorted([*events_of(lesion), *marks], key=lambda event: event.on)
    return Timeline(
        change=what_changed(moments),
        probability=probability_chart(moments, events),
        measures=measure_charts(moments),
    )
