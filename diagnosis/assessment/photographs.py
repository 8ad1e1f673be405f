"""Photographs as lists show them: answer, refusal, label and chips, in two queries for any number of them."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any
from uuid import UUID

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from diagnosis.assessment.advice import CaseContext, Sibling
from diagnosis.assessment.candidates import percent
from diagnosis.assessment.case_context import Known, read_case_contexts
from diagnosis.assessment.chips import (
    CALM,
    LABEL,
    SEVERITY,
    Chip,
    chip_next_to_benign_label,
    chip_of_answer,
    chip_of_contradiction,
    chip_of_exclusion,
    chip_of_label,
    chip_of_missed_danger,
    chip_of_refusal,
    chip_of_same_file,
    chip_of_suspicion,
    chip_of_suspicion_elsewhere,
    chip_of_unclear,
    chip_of_unread,
    in_order,
)
from diagnosis.images.condition_names import condition_name
from diagnosis.images.models import Exclusion, Image, Prediction, Tier
from diagnosis.images.models.image import ImageQuerySet
from diagnosis.reviews.answers import danger_of, danger_rank, leaves_danger_open
from diagnosis.reviews.contradictions import Contradiction
from diagnosis.reviews.review_words import answer_name
from mlmodel.network.quality import Reliability
from mlmodel.taxonomy import BY_CODE
from patients.models import Lesion, Member, Patient, Visit


@dataclass(frozen=True)
class Photograph:
    """One photograph with its answer, label and case context."""

    image: Image
    known: Known

    @property
    def prediction(self) -> Prediction | None:
        """The prediction that is shown."""
        return self.known.prediction

    @property
    def case_context(self) -> CaseContext:
        """What else is known about the lesion, for the page behind the chips."""
        return self.known.case_context

    @property
    def confirmed(self) -> str:
        """The confirmed label in words; empty if there is none."""
        return self.known.label.name if self.known.label else ""

    @property
    def is_open(self) -> bool:
        """Whether no label says how dangerous it is."""
        return self.known.label is None or leaves_danger_open(self.known.label.answer)

    @property
    def is_labelled_benign(self) -> bool:
        """Whether the label says that there is nothing dangerous."""
        return self.known.label is not None and danger_of(self.known.label.answer) is False

    @property
    def contradictions(self) -> list[Contradiction]:
        """The contradiction of its lesion's labels, if there is one."""
        return [self.known.contradiction] if self.known.contradiction else []

    @property
    def chips(self) -> tuple[Chip, ...]:
        """Its chips wherever it is listed, the most important first. An excluded photograph has only that chip."""
        if self.known.is_excluded:
            return (chip_of_exclusion(),)
        return (*self.chips_of_labels, self.chip_of_answer)

    @cached_property
    def chips_of_labels(self) -> tuple[Chip, ...]:
        """The chips of dermatologists' labels and suspicions, and of a file that is in two records."""
        chips = [chip_of_same_file()] if self.known.is_stored_elsewhere else []
        if self.known.contradiction:
            chips.append(chip_of_contradiction(self.known.contradiction))
        if label := self.known.label:
            chips.append(chip_of_label(label.answer, label.text))
        if self.case_context.suspected:
            chips.append(chip_of_suspicion(self.case_context.suspected))
        elif self.case_context.suspected_elsewhere:
            chips.append(chip_of_suspicion_elsewhere(self.case_context.suspected_elsewhere))
        elif self.case_context.unclear and not self.known.label:
            chips.append(chip_of_unclear(self.case_context.unclear))
        return tuple(chips)

    def labels_beside(self, labels: Collection[Chip]) -> list[Chip]:
        """Its label chips together with others of its lesion, without a suspicion that those already show."""
        name = self.case_context.suspected_elsewhere
        is_shown = bool(name) and chip_of_suspicion(name) in labels
        return [chip for chip in self.chips_of_labels if not (is_shown and chip == chip_of_suspicion_elsewhere(name))]

    @property
    def leading_chip(self) -> Chip:
        """The chip for where there is room for only one."""
        return max(self.chips, key=lambda chip: chip.pressing)

    @property
    def warns_of_danger(self) -> bool:
        """Whether labels warn of danger or the photograph is excluded: a calm answer must not reassure then."""
        return self.known.is_excluded or any(chip.is_danger for chip in self.chips_of_labels)

    @cached_property
    def chip_of_answer(self) -> Chip:
        """The chip of the network's answer, or of the reason that there is none."""
        return self.answer_beside(self.chips_of_labels)

    def answer_beside(self, labels: Collection[Chip]) -> Chip:
        """The answer's chip together with label chips of its lesion, without warnings that those already show."""
        if self.known.is_unread:
            return chip_of_unread()
        siblings = [each for each in self.case_context.siblings if not self._is_shown(each, labels)]
        case_context = replace(self.case_context, siblings=siblings)
        if self.prediction is None:
            return chip_of_refusal(self.image.verdict, case_context)
        chip = chip_of_answer(
            Tier(self.prediction.shown_tier),
            case_context,
            refused=self.prediction.refused_as,
            reliability=self.known.image.reliability,
        )
        if chip.tone == CALM and self.warns_of_danger:
            return chip_of_missed_danger(self.case_context)
        if self.known.label and self.is_labelled_benign and not self.case_context.suspected_elsewhere:
            return chip_next_to_benign_label(chip, is_proven=self.known.label.is_proven)
        return chip

    def _is_shown(self, sibling: Sibling, labels: Collection[Chip]) -> bool:
        """Whether one of the chips already names what makes the sibling urgent."""
        if sibling.suspected:
            return chip_of_suspicion(sibling.suspected) in labels
        if not danger_rank(sibling.label):
            return False
        is_named = any(
            answer_name(sibling.label, sibling.label_text) == (contradiction.proven or contradiction.names[0])
            for contradiction in self.contradictions
            if contradiction.is_dangerous
        )
        return is_named or chip_of_label(sibling.label, sibling.label_text) in labels

    @property
    def chip_against_label(self) -> Chip | None:
        """The chip of an answer that is more urgent than a benign label, unless histopathology confirmed the label."""
        label = self.known.label
        if label is None or label.is_proven or not self.is_labelled_benign or self.prediction is None:
            return None
        chip = self.chip_of_answer
        return chip if chip.is_danger or chip.is_tempered else None

    def against(self, tone: str) -> Chip | None:
        """The chip of an answer under a benign label, if its tone differs from ``tone``: the page takes its colour."""
        chip = self.chip_of_answer
        return chip if chip.is_tempered and chip.tone != tone else None

    @property
    def explained_class(self) -> str:
        """The class that explains the tier, in words; empty if no class is shown."""
        if self.prediction is None or self.known.image.reliability is not Reliability.CALIBRATED:
            return ""
        code = self.prediction.explained_code
        return f"{condition_name(BY_CODE[code])}, {percent(self.prediction.probabilities[code])}"


def signs_together(group: Sequence[Photograph], *, beside: Sequence[Photograph] = ()) -> tuple[Chip, ...]:
    """Return the chips of several photographs: every label and the most urgent answer, the most pressing first.

    Args:
        beside: photographs whose labels are shown in the same list.
    """
    lesion_labels = _labels_by_lesion((*group, *beside))
    labels = [chip for each in group for chip in each.labels_beside(lesion_labels[each.image.lesion_id])]
    answers = [photograph.answer_beside(lesion_labels[photograph.image.lesion_id]) for photograph in group]
    leading = max(answers, key=lambda chip: chip.pressing, default=None)
    # One that waits for the reader's answer may be more urgent than those whose answers are named.
    unread = [chip for chip in answers if chip == chip_of_unread()]
    return tuple(in_order([*labels, *([leading] if leading else []), *unread]))


def _labels_by_lesion(group: Iterable[Photograph]) -> dict[UUID, list[Chip]]:
    labels: dict[UUID, list[Chip]] = {}
    for photograph in group:
        labels.setdefault(photograph.image.lesion_id, []).extend(photograph.chips_of_labels)
    return labels


def chips_of_a_visit(group: Sequence[Photograph]) -> tuple[Chip, ...]:
    """Return the chips of a visit in a list: a label of one lesion never hides an open question about another.

    A benign label is shown only if every photograph has a label; one of unknown malignancy leaves the question open.
    An answer that disagrees with a benign label is shown until histopathology confirms the label.
    """
    labelled = [photograph for photograph in group if photograph.confirmed]
    unsettled = [photograph for photograph in group if photograph.is_open]
    lesion_labels = _labels_by_lesion(group)
    labels = in_order(chip for each in labelled for chip in each.labels_beside(lesion_labels[each.image.lesion_id]))
    pressing = [chip for chip in labels if chip.severity > SEVERITY[LABEL]]
    doubted = [against for each in labelled if (against := each.chip_against_label)]
    doubted += [chip_of_unread() for each in labelled if each.known.is_unread]
    if unsettled:
        return tuple(in_order((*pressing, *doubted, *signs_together(unsettled, beside=labelled))))
    return tuple(in_order((*labels, *doubted)))


def photographs(images: ImageQuerySet, *, limit: int | None = None, reader: Member | None = None) -> list[Photograph]:
    """Return ``images`` as photographs, those of the newest visit first.

    Args:
        reader: given by lists, which withhold the answers that this reader may still be asked to read blinded.
    """
    return [Photograph(known.image, known) for known in read_case_contexts(images, reader=reader)[:limit]]


def in_order_of_time(shown: Iterable[Photograph]) -> list[Photograph]:
    """Return photographs by when they were taken, as far as that is known, the newest first."""
    return sorted(shown, key=lambda photograph: photograph.image.order_in_time, reverse=True)


def photographs_by_key(keys: Iterable[UUID]) -> dict[UUID, Photograph]:
    """Return the photographs with these keys by key, including excluded ones."""
    return {photograph.image.pk: photograph for photograph in photographs(Image.objects.filter(pk__in=list(keys)))}


def photograph_of(image: Image) -> Photograph:
    """Return one image as a photograph."""
    (own,) = photographs(Image.objects.filter(pk=image.pk))
    return Photograph(image, own.known)


def photograph_and_others(image: Image) -> tuple[Photograph, list[Photograph]]:
    """Return one image as a photograph, and the lesion's other photographs in use, the newest first."""
    of_the_lesion = photographs(Image.objects.filter(Q(pk=image.pk) | Q(lesion=image.lesion_id)))
    own = next(each for each in of_the_lesion if each.image.pk == image.pk)
    others = [each for each in of_the_lesion if each is not own and not each.known.is_excluded]
    return Photograph(image, own.known), others


def excluded_among(images: ImageQuerySet) -> list[Exclusion]:
    """Return the current exclusions among ``images``, the newest first."""
    rows = Exclusion.objects.standing().filter(image__in=images.order_by())
    return list(rows.select_related("member__user", "image__lesion", "image__visit"))


@dataclass(frozen=True)
class LesionCard:
    """A lesion with the photographs of the newest day on which it was photographed.

    Attributes:
        leading: the most urgent photograph of that day, not the last one taken.
        chips: the chips of that day's photographs together.
        count: the number of photographs in all.
        newest: the photographs of that day.
    """

    lesion: Lesion
    leading: Photograph | None
    chips: tuple[Chip, ...]
    count: int
    newest: Sequence[Photograph] = ()


def lesion_cards(patient: Patient, *, reader: Member | None) -> list[LesionCard]:
    """Return a card for each of the patient's lesions, by number, as a list shows them to ``reader``."""
    return cards_of(patient.lesions.order_by("number"), reader=reader)


def cards_of(lesions: QuerySet[Lesion], *, reader: Member | None) -> list[LesionCard]:
    """Return a card for each lesion, from its newest visit; visits of one day are combined."""
    lesions = lesions.annotate(photographs=_count_in_use("lesion"))
    newest = Image.objects.in_use().filter(lesion=OuterRef("lesion")).order_by("-visit__date").values("visit__date")
    shown = photographs(
        Image.objects.in_use().filter(lesion__in=lesions.order_by().values("pk"), visit__date=Subquery(newest[:1])),
        reader=reader,
    )
    groups = {group.lesion.pk: group for group in by_lesion(shown)}
    return [_card(lesion, groups.get(lesion.pk)) for lesion in lesions]


def _card(lesion: Any, group: "LesionPhotographs | None") -> LesionCard:
    leading = max(group.photographs, key=lambda each: each.leading_chip.pressing) if group else None
    return LesionCard(
        lesion=lesion,
        leading=leading,
        chips=group.chips if group else (),
        count=lesion.photographs,
        newest=group.photographs if group else (),
    )


def chips_by_visit(images: ImageQuerySet, *, reader: Member | None = None) -> dict[UUID, tuple[Chip, ...]]:
    """Return the chips of each visit that has photographs, as a list shows them to ``reader``."""
    groups: dict[UUID, list[Photograph]] = {}
    for photograph in photographs(images, reader=reader):
        groups.setdefault(photograph.image.visit_id, []).append(photograph)
    return {visit: chips_of_a_visit(group) for visit, group in groups.items()}


@dataclass(frozen=True)
class LesionPhotographs:
    lesion: Lesion
    photographs: list[Photograph]

    @property
    def chips(self) -> tuple[Chip, ...]:
        """The chips of the group: the most urgent answer and every label."""
        return signs_together(self.photographs)


def contradictions_among(shown: Iterable[Photograph]) -> list[Contradiction]:
    """Return the contradictions of the photographs' lesions, each once."""
    by_key = {each.lesion.pk: each for photograph in shown for each in photograph.contradictions}
    return sorted(by_key.values(), key=lambda each: each.lesion.number)


def by_lesion(shown: Iterable[Photograph]) -> list[LesionPhotographs]:
    """Group photographs by lesion, in the order of the lesions' numbers."""
    groups: dict[UUID, LesionPhotographs] = {}
    for photograph in shown:
        lesion = photograph.image.lesion
        groups.setdefault(lesion.pk, LesionPhotographs(lesion, [])).photographs.append(photograph)
    return sorted(groups.values(), key=lambda group: group.lesion.number)


def answers_told(cards: Iterable[LesionCard]) -> list[Image]:
    """Return the photographs whose answers the cards tell."""
    return [each.image for card in cards for each in card.newest if not each.known.is_unread]


def visits_with_counts(patient: Patient) -> QuerySet[Visit]:
    """Return the patient's visits, newest first, each annotated with the number of ``photographs``."""
    visits = patient.visits.in_use().select_related("clinician__user").annotate(photographs=_count_in_use("visit"))
    return visits.order_by("-date", "-created_at")


def _count_in_use(of: str) -> Coalesce:
    """Return an expression that counts the photographs in use whose field ``of`` points to the row."""
    counts = Image.objects.in_use().filter(**{of: OuterRef("pk")}).order_by().values(of).annotate(count=Count("pk"))
    return Coalesce(Subquery(counts.values("count")), 0)
