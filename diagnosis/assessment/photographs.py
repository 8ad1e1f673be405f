"""Photographs as lists show them: answer, refusal, label and chips. Two queries for any number of them."""

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
    Sign,
    beside_a_harmless_label,
    in_order,
    sign_of_answer,
    sign_of_calm_beside_danger,
    sign_of_contradiction,
    sign_of_exclusion,
    sign_of_label,
    sign_of_refusal,
    sign_of_same_file,
    sign_of_suspicion,
    sign_of_suspicion_elsewhere,
    sign_of_unclear,
)
from diagnosis.images.condition_names import condition_name
from diagnosis.images.models import Exclusion, Image, Prediction, Tier
from diagnosis.images.models.image import ImageQuerySet
from diagnosis.reviews.answers import danger_of, danger_rank, leaves_danger_open
from diagnosis.reviews.contradictions import Contradiction
from diagnosis.reviews.review_words import answer_name
from mlmodel.network.quality import Reliability
from mlmodel.taxonomy import BY_CODE
from patients.models import Lesion, Patient, Visit


@dataclass(frozen=True)
class Photograph:
    """One photograph with what is known of it.

    Attributes:
        image: as it was read here, or with more of its record.
    """

    image: Image
    known: Known

    @property
    def prediction(self) -> Prediction | None:
        """The one that is shown."""
        return self.known.prediction

    @property
    def case_context(self) -> CaseContext:
        """What else is known, for the page behind the chips."""
        return self.known.case_context

    @property
    def confirmed(self) -> str:
        """What dermatologists have settled, in words; empty without."""
        return self.known.label.name if self.known.label else ""

    @property
    def is_open(self) -> bool:
        """Whether no label says how dangerous it is."""
        return self.known.label is None or leaves_danger_open(self.known.label.answer)

    @property
    def is_called_harmless(self) -> bool:
        """Whether a label says that there is nothing dangerous."""
        return self.known.label is not None and danger_of(self.known.label.answer) is False

    @property
    def contradictions(self) -> list[Contradiction]:
        """The contradiction of its lesion's labels, if there is one."""
        return [self.known.contradiction] if self.known.contradiction else []

    @property
    def signs(self) -> tuple[Sign, ...]:
        """Its chips, wherever it is listed: the most important first. An excluded one has nothing else to say."""
        if self.known.is_excluded:
            return (sign_of_exclusion(),)
        return (*self.signs_of_labels, self.sign_of_answer)

    @cached_property
    def signs_of_labels(self) -> tuple[Sign, ...]:
        """The chips of what dermatologists say, and of a file that is in two records."""
        found = [sign_of_same_file()] if self.known.is_kept_elsewhere else []
        if self.known.contradiction:
            found.append(sign_of_contradiction(self.known.contradiction))
        if label := self.known.label:
            found.append(sign_of_label(label.answer, label.text))
        if self.case_context.suspected:
            found.append(sign_of_suspicion(self.case_context.suspected))
        elif self.case_context.suspected_elsewhere:
            found.append(sign_of_suspicion_elsewhere(self.case_context.suspected_elsewhere))
        elif self.case_context.unclear and not self.known.label:
            found.append(sign_of_unclear(self.case_context.unclear))
        return tuple(found)

    def labels_beside(self, labels: Collection[Sign]) -> list[Sign]:
        """The chips of its labels beside others of its lesion: what is suspected on one of those, it does not say."""
        name = self.case_context.suspected_elsewhere
        is_said = bool(name) and sign_of_suspicion(name) in labels
        return [sign for sign in self.signs_of_labels if not (is_said and sign == sign_of_suspicion_elsewhere(name))]

    @property
    def leading_sign(self) -> Sign:
        """The chip that speaks for it where there is room for one."""
        return max(self.signs, key=lambda sign: sign.pressing)

    @property
    def warns_of_danger(self) -> bool:
        """Whether its record warns of danger, or does not count: no calm answer of the network is a comfort then."""
        return self.known.is_excluded or any(sign.is_danger for sign in self.signs_of_labels)

    @cached_property
    def sign_of_answer(self) -> Sign:
        """The chip of the network's answer, or of why there is none."""
        return self.answer_beside(self.signs_of_labels)

    def answer_beside(self, labels: Collection[Sign]) -> Sign:
        """The chip of the answer beside chips of labels of its lesion: it warns of nothing that they say already."""
        siblings = [each for each in self.case_context.siblings if not self._is_said(each, labels)]
        case_context = replace(self.case_context, siblings=siblings)
        if self.prediction is None:
            return sign_of_refusal(self.image.verdict, case_context)
        sign = sign_of_answer(
            Tier(self.prediction.shown_tier),
            case_context,
            refused=self.prediction.refused_as,
            reliability=self.known.image.reliability,
        )
        if sign.tone == CALM and self.warns_of_danger:
            return sign_of_calm_beside_danger(self.case_context)
        if self.known.label and self.is_called_harmless and not self.case_context.suspected_elsewhere:
            return beside_a_harmless_label(sign, is_proven=self.known.label.is_proven)
        return sign

    def _is_said(self, sibling: Sibling, labels: Collection[Sign]) -> bool:
        """Whether a chip beside it names what makes another photograph of its lesion urgent."""
        if sibling.suspected:
            return sign_of_suspicion(sibling.suspected) in labels
        if not danger_rank(sibling.label):
            return False
        is_named = any(
            answer_name(sibling.label, sibling.label_text) == (found.proven or found.names[0])
            for found in self.contradictions
            if found.is_dangerous
        )
        return is_named or sign_of_label(sibling.label, sibling.label_text) in labels

    @property
    def sign_against_label(self) -> Sign | None:
        """The chip of an answer that asks for more haste than a harmless label, unless the laboratory has spoken."""
        label = self.known.label
        if label is None or label.is_proven or not self.is_called_harmless or self.prediction is None:
            return None
        sign = self.sign_of_answer
        return sign if sign.is_danger or sign.is_tempered else None

    def against(self, tone: str) -> Sign | None:
        """The chip of an answer in ``tone`` that a harmless label has answered: the page has its colour too."""
        sign = self.sign_of_answer
        return sign if sign.is_tempered and sign.tone != tone else None

    @property
    def explained_class(self) -> str:
        """The class that explains the tier, in words; empty where the network names none."""
        if self.prediction is None or self.known.image.reliability is not Reliability.CALIBRATED:
            return ""
        code = self.prediction.explained_code
        return f"{condition_name(BY_CODE[code])}, {percent(self.prediction.probabilities[code])}"


def signs_together(group: Sequence[Photograph], *, beside: Sequence[Photograph] = ()) -> tuple[Sign, ...]:
    """The chips of several photographs: every label, and the answer that asks for most; the most pressing first.

    Args:
        beside: photographs whose labels are told in the same list.
    """
    told = _labels_by_lesion((*group, *beside))
    labels = [sign for each in group for sign in each.labels_beside(told[each.image.lesion_id])]
    answers = [photograph.answer_beside(told[photograph.image.lesion_id]) for photograph in group]
    most = max(answers, key=lambda sign: sign.pressing, default=None)
    return tuple(in_order([*labels, *([most] if most else [])]))


def _labels_by_lesion(group: Iterable[Photograph]) -> dict[UUID, list[Sign]]:
    found: dict[UUID, list[Sign]] = {}
    for photograph in group:
        found.setdefault(photograph.image.lesion_id, []).extend(photograph.signs_of_labels)
    return found


def signs_of_a_visit(group: Sequence[Photograph]) -> tuple[Sign, ...]:
    """The chips of a visit in a list: no label of one spot hides what is still open of another.

    A label without danger is shown where every photograph has one; one of unknown danger leaves the answer open. What
    the network says against a harmless label is said until the laboratory has answered.
    """
    labelled = [photograph for photograph in group if photograph.confirmed]
    unsettled = [photograph for photograph in group if photograph.is_open]
    told = _labels_by_lesion(group)
    labels = in_order(sign for each in labelled for sign in each.labels_beside(told[each.image.lesion_id]))
    pressing = [sign for sign in labels if sign.severity > SEVERITY[LABEL]]
    doubted = [sign for each in labelled if (sign := each.sign_against_label)]
    if unsettled:
        return tuple(in_order((*pressing, *doubted, *signs_together(unsettled, beside=labelled))))
    return tuple(in_order((*labels, *doubted)))


def photographs(images: ImageQuerySet, *, limit: int | None = None) -> list[Photograph]:
    """Read ``images`` with all that is known of them, those of the newest visit first."""
    return [Photograph(known.image, known) for known in read_case_contexts(images)[:limit]]


def photographs_by_key(keys: Iterable[UUID]) -> dict[UUID, Photograph]:
    """Read the photographs with these keys, excluded ones too, for a list that has their keys alone."""
    return {photograph.image.pk: photograph for photograph in photographs(Image.objects.filter(pk__in=list(keys)))}


def photograph_of(image: Image) -> Photograph:
    """Read what is known of one image."""
    return photograph_and_others(image)[0]


def photograph_and_others(image: Image) -> tuple[Photograph, list[Photograph]]:
    """Read what is known of one image and of the lesion's other photographs in use, the newest first."""
    of_the_lesion = photographs(Image.objects.filter(Q(pk=image.pk) | Q(lesion=image.lesion_id)))
    own = next(each for each in of_the_lesion if each.image.pk == image.pk)
    others = [each for each in of_the_lesion if each is not own and not each.known.is_excluded]
    return Photograph(image, own.known), others


def excluded_among(images: ImageQuerySet) -> list[Exclusion]:
    """Those of ``images`` that were set aside, with who did it and why, the newest first."""
    rows = Exclusion.objects.standing().filter(image__in=images.order_by())
    return list(rows.select_related("member__user", "image__lesion", "image__visit"))


@dataclass(frozen=True)
class LesionCard:
    """A lesion as the newest day on which it was photographed left it.

    Attributes:
        leading: of that day's photographs the most urgent one, never just the last one taken.
        signs: what that day's photographs say together.
        count: how many photographs there are in all.
    """

    lesion: Lesion
    leading: Photograph | None
    signs: tuple[Sign, ...]
    count: int


def lesion_cards(patient: Patient) -> list[LesionCard]:
    """The patient's lesions, each with what its newest visit found; two visits of one day speak together."""
    lesions = patient.lesions.annotate(photographs=_count_in_use("lesion")).order_by("number")
    newest = Image.objects.in_use().filter(lesion=OuterRef("lesion")).order_by("-visit__date").values("visit__date")
    shown = photographs(Image.objects.in_use().filter(lesion__patient=patient, visit__date=Subquery(newest[:1])))
    groups = {group.lesion.pk: group for group in by_lesion(shown)}
    return [_card(lesion, groups.get(lesion.pk)) for lesion in lesions]


def _card(lesion: Any, group: "LesionPhotographs | None") -> LesionCard:
    leading = max(group.photographs, key=lambda each: each.leading_sign.pressing) if group else None
    return LesionCard(lesion=lesion, leading=leading, signs=group.signs if group else (), count=lesion.photographs)


def signs_by_visit(images: ImageQuerySet) -> dict[UUID, tuple[Sign, ...]]:
    """The chips of each visit of which there are photographs."""
    groups: dict[UUID, list[Photograph]] = {}
    for photograph in photographs(images):
        groups.setdefault(photograph.image.visit_id, []).append(photograph)
    return {visit: signs_of_a_visit(group) for visit, group in groups.items()}


@dataclass(frozen=True)
class LesionPhotographs:
    lesion: Lesion
    photographs: list[Photograph]

    @property
    def signs(self) -> tuple[Sign, ...]:
        """What they say together: the most urgent answer, and every label."""
        return signs_together(self.photographs)


def contradictions_among(shown: Iterable[Photograph]) -> list[Contradiction]:
    """The contradictions of the lesions of some photographs, each once."""
    found = {each.lesion.pk: each for photograph in shown for each in photograph.contradictions}
    return sorted(found.values(), key=lambda each: each.lesion.number)


def by_lesion(shown: Iterable[Photograph]) -> list[LesionPhotographs]:
    """Group photographs by lesion, in the order of the lesions' numbers."""
    groups: dict[UUID, LesionPhotographs] = {}
    for photograph in shown:
        lesion = photograph.image.lesion
        groups.setdefault(lesion.pk, LesionPhotographs(lesion, [])).photographs.append(photograph)
    return sorted(groups.values(), key=lambda group: group.lesion.number)


def visits_with_counts(patient: Patient) -> QuerySet[Visit]:
    """The patient's visits, newest first, each with ``photographs``: how many were taken."""
    visits = patient.visits.select_related("clinician__user").annotate(photographs=_count_in_use("visit"))
    return visits.order_by("-date", "-created_at")


def _count_in_use(of: str) -> Coalesce:
    """How many photographs in use a row has, which is what their field ``of`` points to."""
    counted = Image.objects.in_use().filter(**{of: OuterRef("pk")}).order_by().values(of).annotate(count=Count("pk"))
    return Coalesce(Subquery(counted.values("count")), 0)
