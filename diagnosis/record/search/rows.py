"""What the list of lesions shows of each: its newest photograph, label, plan and state."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.utils.translation import gettext as _

from diagnosis.assessment.chips import Chip, in_order
from diagnosis.assessment.findings import excluded_findings
from diagnosis.assessment.photographs import LesionCard, answers_told, cards_of
from diagnosis.followup.models import LesionPlan
from diagnosis.images.models import Image
from diagnosis.outcomes.states import LesionOutcome, outcomes_of
from diagnosis.reviews.blinding import note_seen
from diagnosis.reviews.models import ConfirmedLabel
from diagnosis.reviews.review_words import answer_name
from patients.models import Lesion, Member


@dataclass(frozen=True)
class LesionRow:
    """One lesion.

    Attributes:
        chips: of the photographs of its newest day, with what excluded ones warn of.
        labels: the confirmed labels of its photographs in words, each once, the newest first.
        label_note: what ``labels`` do not say: that a photograph of its newest day has none.
    """

    card: LesionCard
    chips: Sequence[Chip]
    labels: Sequence[str]
    label_note: str
    plan: LesionPlan | None
    outcome: LesionOutcome

    @property
    def lesion(self) -> Lesion:
        return self.card.lesion

    @property
    def newest(self) -> Image | None:
        return self.card.leading.image if self.card.leading else None


def lesion_rows(keys: Sequence[UUID], member: Member) -> list[LesionRow]:
    """Return the rows of these lesions, in their order, in a fixed number of queries.

    What the rows tell a dermatologist of the newest photographs is recorded; what waits for their answer is withheld.
    """
    lesions = Lesion.objects.filter(pk__in=keys)
    cards = {card.lesion.pk: card for card in cards_of(lesions.select_related("patient"), reader=member)}
    note_seen(member, answers_told(cards.values()))
    warnings: dict[UUID, list[Chip]] = {}
    for each in excluded_findings(Image.objects.filter(lesion__in=keys)):
        warnings.setdefault(each.image.lesion_id, []).append(each.chip)
    plans = {plan.lesion_id: plan for plan in LesionPlan.objects.standing().filter(lesion__in=keys)}
    labels, labelled = _labels_of(keys)
    outcomes = outcomes_of([card.lesion for card in cards.values()])
    return [
        LesionRow(
            card=cards[key],
            chips=in_order([*warnings.get(key, ()), *cards[key].chips]),
            labels=labels.get(key, ()),
            label_note=_label_note(cards[key], labelled) if key in labels else "",
            plan=plans.get(key),
            outcome=outcomes[key],
        )
        for key in keys
        if key in cards
    ]


def _label_note(card: LesionCard, labelled: Collection[UUID]) -> str:
    have_one = {each.image.pk in labelled for each in card.newest}
    if False not in have_one:
        return ""
    return _("newest photographs not all labelled") if True in have_one else _("newest photograph not labelled")


def _labels_of(keys: Iterable[UUID]) -> tuple[dict[UUID, list[str]], set[UUID]]:
    """Return the labels in words by lesion, and the photographs that have one."""
    in_use = Image.objects.in_use().filter(lesion__in=list(keys)).order_by()
    rows = (
        ConfirmedLabel.objects.filter(image__in=in_use.values("pk"))
        .order_by("-settled_at", "pk")
        .values_list("image", "image__lesion", "answer", "review__other_text")
    )
    labels: dict[UUID, list[str]] = {}
    labelled: set[UUID] = set()
    for image, lesion, answer, text in rows:
        if not answer:  # not settled; asked of the database, it would look through every settled label
            continue
        labelled.add(image)
        words, of_lesion = answer_name(answer, text or ""), labels.setdefault(lesion, [])
        if words not in of_lesion:
            of_lesion.append(words)
    return labels, labelled
