"""What has become of a lesion: its specimens, their results, and whether it is closed. The states exist only here."""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from uuid import UUID

from django.db import models
from django.db.models import Prefetch
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from diagnosis.outcomes.models import LesionClosure, Margins, PathologyResult, Specimen
from patients.models import Lesion


class LesionState(models.TextChoices):
    OBSERVED = "observed", gettext_lazy("Under observation")
    SENT = "sent", gettext_lazy("Sent for biopsy, result awaited")
    RESULT = "result", gettext_lazy("Result received")
    EXCISED = "excised", gettext_lazy("Excised")
    CLOSED = "closed", gettext_lazy("Closed")


@dataclass(frozen=True)
class SpecimenHistory:
    """A specimen with all its results, newest first."""

    specimen: Specimen
    results: tuple[PathologyResult, ...] = ()

    @property
    def standing(self) -> tuple[PathologyResult, ...]:
        return tuple(result for result in self.results if not result.is_withdrawn)

    @property
    def newest(self) -> PathologyResult | None:
        """The newest result, confirmed or not."""
        return next(iter(self.standing), None)

    @property
    def counting(self) -> PathologyResult | None:
        """The newest confirmed result."""
        return next((result for result in self.standing if result.is_confirmed), None)

    @property
    def is_awaited(self) -> bool:
        return self.newest is None

    @property
    def is_to_confirm(self) -> bool:
        return self.newest is not None and not self.newest.is_confirmed

    @property
    def is_late(self) -> bool:
        return self.is_awaited and self.specimen.is_late


@dataclass(frozen=True)
class LesionOutcome:
    """The outcome of one lesion.

    Attributes:
        specimens: the standing ones, newest first.
        withdrawn: those that were recorded by mistake.
        closures: every closure, newest first.
    """

    specimens: tuple[SpecimenHistory, ...] = ()
    withdrawn: tuple[SpecimenHistory, ...] = ()
    closures: tuple[LesionClosure, ...] = ()
    _rows: tuple[str, ...] = field(default=(), repr=False)

    @property
    def state(self) -> LesionState:
        """A closed lesion is closed; a missing result is named before one that has arrived."""
        if self.closure:
            return LesionState.CLOSED
        if self.awaited:
            return LesionState.SENT
        if any(each.specimen.is_excision for each in self.specimens):
            return LesionState.EXCISED
        return LesionState.RESULT if self.specimens else LesionState.OBSERVED

    @property
    def closure(self) -> LesionClosure | None:
        """The closure in force."""
        return next((each for each in self.closures if each.reopened_at is None), None)

    @property
    def awaited(self) -> list[SpecimenHistory]:
        return [each for each in self.specimens if each.is_awaited]

    @property
    def to_confirm(self) -> list[SpecimenHistory]:
        return [each for each in self.specimens if each.is_to_confirm]

    @property
    def unfinished(self) -> Specimen | None:
        """A specimen that still needs a result or its confirmation."""
        return next((each.specimen for each in (*self.awaited, *self.to_confirm)), None)

    @property
    def words(self) -> str:
        """The state in words, with what must not be overlooked in it."""
        words = [str(self.state.label)]
        if self.to_confirm:
            words.append(_("result to be confirmed"))
        if self.state == LesionState.EXCISED and self._has_involved_margins:
            words.append(_("margins involved"))
        return " · ".join(words)

    @property
    def _has_involved_margins(self) -> bool:
        excisions = (each.newest for each in self.specimens if each.specimen.is_excision)
        newest = next((result for result in excisions if result is not None), None)
        return newest is not None and newest.margins == Margins.INVOLVED

    @property
    def token(self) -> str:
        """What a form about this lesion was made from: another token means that a colleague has recorded something."""
        return hashlib.sha256(",".join(sorted(self._rows)).encode()).hexdigest()[:16]


def outcomes_of(lesions: Collection[Lesion]) -> dict[UUID, LesionOutcome]:
    """Return the outcomes of ``lesions`` by key, in a fixed number of queries."""
    keys = [lesion.pk for lesion in lesions]
    people = ("entered_by__user", "confirmed_by__user", "withdrawn_by__user")
    results = PathologyResult.objects.select_related(*people).order_by("-number")
    rows = Specimen.objects.filter(lesion__in=keys).select_related("sent_by__user", "withdrawn_by__user", "visit")
    specimens: defaultdict[UUID, list[SpecimenHistory]] = defaultdict(list)
    for specimen in rows.prefetch_related(Prefetch("results", results, to_attr="all_results")):
        own = specimen.all_results  # type: ignore[attr-defined]
        specimens[specimen.lesion_id].append(SpecimenHistory(specimen, tuple(own)))
    closures: defaultdict[UUID, list[LesionClosure]] = defaultdict(list)
    for closure in LesionClosure.objects.filter(lesion__in=keys).select_related(
        "closed_by__user", "reopened_by__user"
    ):
        closures[closure.lesion_id].append(closure)
    return {key: _outcome(specimens[key], closures[key]) for key in keys}


def outcome_of(lesion: Lesion) -> LesionOutcome:
    return outcomes_of([lesion])[lesion.pk]


def _outcome(specimens: Iterable[SpecimenHistory], closures: Iterable[LesionClosure]) -> LesionOutcome:
    specimens, closures = tuple(specimens), tuple(closures)
    marks = [f"{each.specimen.pk}{each.specimen.number}{each.specimen.withdrawn_at}" for each in specimens]
    marks += [f"{row.pk}{row.confirmed_at}{row.withdrawn_at}" for each in specimens for row in each.results]
    marks += [f"{each.pk}{each.reopened_at}" for each in closures]
    return LesionOutcome(
        specimens=tuple(each for each in specimens if each.specimen.withdrawn_at is None),
        withdrawn=tuple(each for each in specimens if each.specimen.withdrawn_at is not None),
        closures=closures,
        _rows=tuple(marks),
    )
