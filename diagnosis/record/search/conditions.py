"""The filter as conditions on rows that have photographs: a lesion, or a visit.

Each condition holds for one row at a time (EXISTS), so that a list read in the order of an index stops when its page
is full. Where few rows can fulfil it, their keys are read first (``few``): then only those are looked at.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, UUIDField
from django.db.models.functions import Coalesce

from diagnosis.images.models import Image, Prediction, Tier
from diagnosis.images.models.image import ImageQuerySet
from diagnosis.outcomes.models import Specimen
from diagnosis.record.search.choices import Answered, LabelKind
from diagnosis.record.search.forms import Wanted
from diagnosis.reviews.answers import ANSWERS, LabelState, is_benign_answer, is_malignant_answer, leaves_danger_open
from diagnosis.reviews.blinding import reads_blinded, unread_by
from diagnosis.reviews.models import ConfirmedLabel, QueueState, Review
from patients.models import Member, Patient, VisitStatus

# So many keys are still looked up quickly, and read in some milliseconds.
FEW = 3000
MALIGNANT = [answer for answer in ANSWERS if is_malignant_answer(answer)]
DANGEROUS = [answer for answer in ANSWERS if is_malignant_answer(answer) or leaves_danger_open(answer)]
BENIGN = [answer for answer in ANSWERS if is_benign_answer(answer)]


@dataclass(frozen=True)
class Photographed:
    """Rows of one kind and their photographs.

    Attributes:
        row: the field of a photograph that points to its row, “lesion” or “visit”.
        images: those that count: in use, or all of them where void visits are asked for.
    """

    row: str
    images: ImageQuerySet

    @classmethod
    def of(cls, row: str, wanted: Wanted) -> "Photographed":
        images = Image.objects.all() if wanted.status == VisitStatus.VOID else Image.objects.in_use()
        return cls(row, images.order_by())

    def with_photograph(self, *conditions: Any, **fields: Any) -> Exists:
        """Whether the row has a photograph for which the conditions hold."""
        return Exists(self.images.filter(*conditions, **{self.row: OuterRef("pk")}, **fields))

    def few(self, photographs: QuerySet[Any], *, path: str) -> Q:
        """Return that the row is one of those of ``photographs`` if these are few; else nothing."""
        keys = list(photographs.order_by().values_list(f"{path}{self.row}", flat=True)[: FEW + 1])
        return Q(pk__in=set(keys)) if len(keys) <= FEW else Q()


def of_patients(wanted: Wanted, member: Member) -> list[Q]:
    """Return the condition that the words ask for."""
    if not wanted.q:
        return []
    found = Patient.objects.visible_to(member).found_by(wanted.q).order_by().values_list("pk", flat=True)
    keys = list(found[: FEW + 1])
    return [Q(patient__in=keys) if len(keys) <= FEW else Q(patient__in=found)]


def of_photographs(wanted: Wanted, rows: Photographed, member: Member) -> list[Any]:
    """Return the conditions about photographs that lesions and visits share."""
    conditions: list[Any] = []
    if wanted.tier:
        conditions += _of_tier(wanted.tier, rows, member)
    if wanted.label:
        conditions += _of_label(wanted.label, rows)
    if wanted.reader:
        few = rows.few(Review.objects.standing().filter(reviewer=wanted.reader), path="image__")
        # As an expression, so that the reviews of the photograph are looked through and not those of the reader.
        reader = Coalesce("reviewer", "outside_reader", output_field=UUIDField())
        reviews = Review.objects.standing().alias(read_by=reader).filter(read_by=wanted.reader.pk)
        conditions += [few, rows.with_photograph(Exists(reviews.filter(image=OuterRef("pk")).order_by()))]
    return conditions


def late_specimens(member: Member) -> QuerySet[Specimen]:
    return Specimen.objects.visible_to(member).awaited().late().order_by()


def is_unread_by(member: Member | None) -> Any:
    """Whether a photograph waits for the blinded answer of ``member``: whatever its answer is, it may be urgent."""
    if not reads_blinded(member):
        return Q(pk__in=())
    return Q(Exists(unread_by(member).filter(image=OuterRef("pk")).order_by()))


def _of_tier(tier: str, rows: Photographed, member: Member) -> list[Any]:
    unread = is_unread_by(member)
    if tier == Answered.CALM:
        # Every photograph was judged, and shown as calm.
        return [rows.with_photograph(), ~rows.with_photograph(Q(~is_shown_as(Tier.CALM)) | unread)]
    urgent = rows.with_photograph(Q(is_shown_as(Tier.URGENT)) | unread)
    if tier == Answered.URGENT:
        maybe = Q(predictions__tier=Tier.URGENT)
        if reads_blinded(member):
            maybe |= Q(queue_entry__state=QueueState.WAITING)
        return [rows.few(Image.objects.filter(maybe).distinct(), path=""), urgent]
    watch = rows.with_photograph(is_shown_as(Tier.WATCH))
    if tier == Answered.WATCH:
        return [watch, ~urgent]
    is_judged = Exists(Prediction.objects.filter(image=OuterRef("pk")).order_by())
    return [rows.with_photograph(~is_judged), ~urgent, ~watch]


def is_shown_as(tier: Tier) -> Exists:
    """Whether pages show a photograph with this tier.

    The tier as an expression: by a plain column SQLite would look through all predictions of the tier for each row.
    """
    shown = Prediction.objects.shown().with_shown_tier().filter(image=OuterRef("pk"))
    return Exists(shown.filter(tier_shown=tier).order_by())  # type: ignore[misc]


def is_labelled(answers: Iterable[str]) -> Exists:
    """Whether a photograph has one of ``answers`` as its label."""
    return Exists(_labels(state=LabelState.SETTLED, answer__in=list(answers)).filter(image=OuterRef("pk")))


def _labels(**fields: Any) -> QuerySet[ConfirmedLabel]:
    return ConfirmedLabel.objects.filter(**fields).order_by()


def _of_label(label: str, rows: Photographed) -> list[Any]:
    settled = Exists(_labels(state=LabelState.SETTLED).filter(image=OuterRef("pk")))
    if label == LabelKind.NONE:
        return [~rows.with_photograph(settled)]
    open_dispute = rows.with_photograph(Exists(_labels(state=LabelState.DISPUTED).filter(image=OuterRef("pk"))))
    malignant, benign = rows.with_photograph(is_labelled(MALIGNANT)), rows.with_photograph(is_labelled(BENIGN))
    match label:
        case LabelKind.MALIGNANT:
            few = rows.few(_labels(state=LabelState.SETTLED, answer__in=MALIGNANT), path="image__")
            return [few, malignant]
        case LabelKind.BENIGN:
            return [benign, ~rows.with_photograph(is_labelled(DANGEROUS)), ~open_dispute]
        case LabelKind.DISPUTED:
            return [open_dispute | (Q(malignant) & Q(benign))]
        case answer:
            few = rows.few(_labels(state=LabelState.SETTLED, answer=answer), path="image__")
            return [few, rows.with_photograph(is_labelled([answer]))]
