"""The filter as conditions on rows that have photographs: a lesion, or a visit.

Each condition holds for one row at a time (EXISTS), so that a list read in the order of an index stops when its page
is full. Where few rows can fulfil it, their keys are read first (``few``): then only those are looked at.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from diagnosis.images.models import Image, Prediction, Tier
from diagnosis.images.models.image import ImageQuerySet
from diagnosis.outcomes.models import Specimen
from diagnosis.record.search.choices import Answered, LabelKind, Planned
from diagnosis.record.search.forms import Wanted
from diagnosis.reviews.answers import ANSWERS, LabelState, is_benign_answer, is_malignant_answer, leaves_danger_open
from diagnosis.reviews.blinding import reads_blinded, unread_by
from diagnosis.reviews.models import ConfirmedLabel, QueueState, Review
from patients.models import Member, Patient, Visit, VisitStatus

# The flag of a summary that answers a kind of label, and its value.
LABEL_FLAGS: dict[str, tuple[str, bool]] = {
    LabelKind.MALIGNANT: ("is_malignant", True),
    LabelKind.BENIGN: ("is_benign", True),
    LabelKind.DISPUTED: ("is_disputed", True),
    LabelKind.NONE: ("is_labelled", False),
}
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

    def of_few_visits(self, status: str) -> Q:
        """Return that it was photographed at one of the visits with this status if these are few; else nothing."""
        visits = list(Visit.objects.filter(status=status).order_by().values_list("pk", flat=True)[: FEW + 1])
        return self.few(self.images.filter(visit__in=visits), path="") if len(visits) <= FEW else Q()


def of_patients(wanted: Wanted, member: Member) -> list[Q]:
    """Return the condition that the words ask for."""
    if not wanted.q:
        return []
    found = Patient.objects.visible_to(member).found_by(wanted.q).order_by().values_list("pk", flat=True)
    keys = list(found[: FEW + 1])
    return [Q(patient__in=keys) if len(keys) <= FEW else Q(patient__in=found)]


def of_photographs(wanted: Wanted, rows: Photographed, member: Member, *, summarised: bool = False) -> list[Any]:
    """Return the conditions about photographs that lesions and visits share.

    Args:
        summarised: leave out what ``of_summary`` asks for.
    """
    conditions: list[Any] = []
    if wanted.tier and not summarised:
        conditions += [*_few_of_tier(wanted.tier, rows, member), *of_tier(wanted.tier, rows, reader=member)]
    if wanted.label and not (summarised and wanted.label in LABEL_FLAGS):
        conditions += [*_few_of_label(wanted.label, rows), *of_label(wanted.label, rows)]
    if wanted.reader:
        few = rows.few(Review.objects.standing().filter(reviewer=wanted.reader), path="image__")
        reviews = Review.objects.standing().read_by(wanted.reader.pk)
        conditions += [few, rows.with_photograph(Exists(reviews.filter(image=OuterRef("pk")).order_by()))]
    return conditions


def of_summary(wanted: Wanted, member: Member) -> dict[str, Any]:
    """Return the part of the filter that a ``ListSummary`` answers, as values of its fields.

    Summaries know no reader: ``of_unread`` says what of this differs for one who reads blinded.
    """
    is_blinded = reads_blinded(member)
    fields: dict[str, Any] = {}
    if wanted.tier and not (is_blinded and wanted.tier == Answered.URGENT):
        fields["tier"] = wanted.tier
    if wanted.label in LABEL_FLAGS:
        flag, value = LABEL_FLAGS[wanted.label]
        fields[flag] = value
    if wanted.plan == Planned.MISSING and not is_blinded:
        fields["needs_plan"] = True
    return fields


def of_unread(wanted: Wanted, rows: Photographed, member: Member) -> list[Any]:
    """Return what a summary cannot answer to a reader who reads blinded: for them, what is unread may be urgent."""
    if not (wanted.tier and reads_blinded(member)):
        return []
    unread = rows.with_photograph(is_unread_by(member))
    return [Q(summary__tier=Answered.URGENT) | Q(unread) if wanted.tier == Answered.URGENT else ~unread]


def late_specimens(member: Member) -> QuerySet[Specimen]:
    return Specimen.objects.visible_to(member).awaited().late().order_by()


def is_unread_by(member: Member | None) -> Any:
    """Whether a photograph waits for the blinded answer of ``member``: whatever its answer is, it may be urgent."""
    if not reads_blinded(member):
        return Q(pk__in=())
    return Q(Exists(unread_by(member).filter(image=OuterRef("pk")).order_by()))


def of_tier(tier: str, rows: Photographed, *, reader: Member | None = None) -> list[Any]:
    """Return the conditions for what the network answered; to ``reader``, what is unread may be urgent."""
    unread = is_unread_by(reader)
    if tier == Answered.CALM:
        # Every photograph was judged, and shown as calm.
        return [rows.with_photograph(), ~rows.with_photograph(Q(~is_shown_as(Tier.CALM)) | unread)]
    urgent = rows.with_photograph(Q(is_shown_as(Tier.URGENT)) | unread)
    if tier == Answered.URGENT:
        return [urgent]
    watch = rows.with_photograph(is_shown_as(Tier.WATCH))
    if tier == Answered.WATCH:
        return [watch, ~urgent]
    is_judged = Exists(Prediction.objects.filter(image=OuterRef("pk")).order_by())
    return [rows.with_photograph(~is_judged), ~urgent, ~watch]


def _few_of_tier(tier: str, rows: Photographed, reader: Member) -> list[Q]:
    if tier != Answered.URGENT:
        return []
    if not reads_blinded(reader):
        return [rows.few(Prediction.objects.filter(tier=Tier.URGENT), path="image__")]
    maybe = Q(predictions__tier=Tier.URGENT) | Q(queue_entry__state=QueueState.WAITING)
    return [rows.few(Image.objects.filter(maybe).distinct(), path="")]


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


def of_label(label: str, rows: Photographed) -> list[Any]:
    settled = Exists(_labels(state=LabelState.SETTLED).filter(image=OuterRef("pk")))
    if label == LabelKind.NONE:
        return [~rows.with_photograph(settled)]
    open_dispute = rows.with_photograph(Exists(_labels(state=LabelState.DISPUTED).filter(image=OuterRef("pk"))))
    malignant, benign = rows.with_photograph(is_labelled(MALIGNANT)), rows.with_photograph(is_labelled(BENIGN))
    match label:
        case LabelKind.MALIGNANT:
            return [malignant]
        case LabelKind.BENIGN:
            return [benign, ~rows.with_photograph(is_labelled(DANGEROUS)), ~open_dispute]
        case LabelKind.DISPUTED:
            return [open_dispute | (Q(malignant) & Q(benign))]
        case answer:
            return [rows.with_photograph(is_labelled([answer]))]


def _few_of_label(label: str, rows: Photographed) -> list[Q]:
    if label in (LabelKind.NONE, LabelKind.BENIGN, LabelKind.DISPUTED):
        return []
    answers = MALIGNANT if label == LabelKind.MALIGNANT else [label]
    return [rows.few(_labels(state=LabelState.SETTLED, answer__in=answers), path="image__")]
