"""The pins of the body map: one a lesion, with its state as a shape, a colour and words."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from diagnosis.assessment.chips import CALM, LABEL, REFUSED, URGENT, WATCH, Chip
from diagnosis.assessment.findings import ExcludedFinding
from diagnosis.assessment.photographs import LesionCard
from diagnosis.images.models import Image
from diagnosis.outcomes.states import LesionOutcome, outcomes_of
from diagnosis.record.visit_chips import chips_of_card
from diagnosis.reviews.answers import LabelState
from diagnosis.reviews.labelled_images import MALIGNANT
from diagnosis.reviews.models import ConfirmedLabel
from patients.body_map.drawing import Mark, draw, is_drawn_as_child
from patients.models import BODY_REGIONS, BodySite, Lesion, MapView, Patient
from patients.services import PinPlace, pin_places


class PinState(models.TextChoices):
    """What a pin shows, in the order of the legend."""

    MALIGNANT = "malignant", gettext_lazy("Confirmed malignant")
    URGENT = "urgent", gettext_lazy("Urgent")
    WATCH = "watch", gettext_lazy("To be looked at")
    REFUSED = "refused", gettext_lazy("Not judged")
    AWAITED = "awaited", gettext_lazy("Laboratory result awaited")
    CALM = "calm", gettext_lazy("Nothing alarming found")
    BENIGN = "benign", gettext_lazy("Confirmed, not malignant")
    EXCISED = "excised", gettext_lazy("Cut out")
    BARE = "bare", gettext_lazy("No photographs")


_BY_TONE = {
    URGENT: PinState.URGENT,
    WATCH: PinState.WATCH,
    REFUSED: PinState.REFUSED,
    CALM: PinState.CALM,
    LABEL: PinState.BENIGN,
}


@dataclass(frozen=True)
class LesionOnMap:
    """A lesion in the list beside the map, with its pin."""

    lesion: Lesion
    state: PinState
    chips: Sequence[Chip]
    place: PinPlace
    mark: Mark
    count: int

    @property
    def is_placed(self) -> bool:
        return self.place.placement is not None


def lesions_on_map(
    patient: Patient,
    *,
    cards: Iterable[LesionCard],
    missed: Sequence[ExcludedFinding],
) -> list[LesionOnMap]:
    """Return the patient's lesions with their pins.

    Args:
        missed: dangerous findings of excluded photographs.
    """
    rows = list(cards)
    places = pin_places([card.lesion for card in rows])
    malignant = _confirmed_malignant(patient)
    outcomes = outcomes_of([card.lesion for card in rows])
    return [
        _on_map(
            card,
            chips_of_card(card, missed),
            places[card.lesion.pk],
            is_malignant=card.lesion.pk in malignant,
            outcome=outcomes[card.lesion.pk],
        )
        for card in rows
    ]


def map_summary(patient: Patient, *, cards: Sequence[LesionCard], missed: Sequence[ExcludedFinding]) -> dict[str, Any]:
    """Return the map in small for the patient's page; without lesions there is none."""
    lesions = lesions_on_map(patient, cards=cards, missed=missed)
    is_child = is_drawn_as_child(patient)
    marks = [each.mark for each in lesions]
    return {
        "map_views": [draw(view, marks, is_child=is_child) for view in (MapView.FRONT, MapView.BACK)]
        if lesions
        else [],
        "states": [(state, sum(each.state is state for each in lesions)) for state in PinState],
        "unplaced": sum(not each.is_placed for each in lesions),
    }


def state_of(
    chips: Sequence[Chip], *, is_malignant: bool = False, is_excised: bool = False, is_awaited: bool = False
) -> PinState:
    """Return a pin's state from the lesion's chips, the most pressing first.

    What was confirmed malignant stays so after it was cut out: it may come back. A result that is missing or not
    confirmed is shown in place of what is calm, and never in place of a danger.
    """
    if is_malignant:
        return PinState.MALIGNANT
    if is_awaited and not any(chip.is_danger for chip in chips):
        return PinState.AWAITED
    if is_excised and not any(chip.is_danger for chip in chips):
        return PinState.EXCISED
    return _BY_TONE[chips[0].tone] if chips else PinState.BARE


def by_body_region(lesions: Sequence[LesionOnMap]) -> list[tuple[str, list[tuple[BodySite, list[LesionOnMap]]]]]:
    """Return every body region with its sites and the lesions at each, from head to foot."""
    return [
        (str(name), [(site, [each for each in lesions if each.lesion.body_site == site]) for site in sites])
        for name, sites in BODY_REGIONS.items()
    ]


def _on_map(
    card: LesionCard, chips: Sequence[Chip], place: PinPlace, *, is_malignant: bool, outcome: LesionOutcome
) -> LesionOnMap:
    state = state_of(
        chips,
        is_malignant=is_malignant or _has_malignant_result(outcome),
        is_excised=any(each.specimen.is_excision for each in outcome.specimens),
        is_awaited=outcome.unfinished is not None,
    )
    words = _("%(lesion)s: %(state)s") % {"lesion": card.lesion, "state": str(state.label).lower()}
    if place.placement is None:
        words = _("%(words)s. Exact place not set") % {"words": words}
    mark = Mark(
        place=place.place,
        number=card.lesion.number,
        state=str(state.value),
        words=words,
        url=card.lesion.get_absolute_url(),
        is_placed=place.placement is not None,
    )
    return LesionOnMap(card.lesion, state, chips, place, mark, card.count)


def _has_malignant_result(outcome: LesionOutcome) -> bool:
    """Whether a laboratory says so, also of a lesion without a photograph that could carry the label."""
    return any(each.counting is not None and each.counting.is_malignant for each in outcome.specimens)


def _confirmed_malignant(patient: Patient) -> set[UUID]:
    """Return the lesions of which any photograph in use has a malignant label, however old it is."""
    labels = ConfirmedLabel.objects.filter(state=LabelState.SETTLED, answer__in=MALIGNANT)
    in_use = Image.objects.in_use().filter(lesion__patient=patient, label__in=labels).order_by()
    return set(in_use.values_list("lesion", flat=True))
