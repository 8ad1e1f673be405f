"""Contradictory labels of one lesion: one rule for every page, list and check that warns of them."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _

from diagnosis.images.models import Image
from diagnosis.reviews.answers import FREE_TEXT, Basis, LabelState, danger_rank, is_malignant_answer
from diagnosis.reviews.models import ConfirmedLabel
from diagnosis.reviews.review_words import answer_name
from patients.models import Lesion, Visit


@dataclass(frozen=True)
class Label:
    """A confirmed label of a photograph.

    Attributes:
        text: the reader's words, if the answer is free text.
        basis: what it is based on, if known.
    """

    answer: str
    text: str = ""
    basis: str = ""

    @property
    def diagnosis(self) -> tuple[str, str]:
        """A key for comparison: the answer, and the words of free text regardless of case and spacing."""
        return self.answer, " ".join(self.text.casefold().split()) if self.answer in FREE_TEXT else ""

    @property
    def name(self) -> str:
        return answer_name(self.answer, self.text)

    @property
    def is_proven(self) -> bool:
        """Whether it is based on histopathology."""
        return self.basis == Basis.HISTOPATHOLOGY


@dataclass(frozen=True)
class Contradiction:
    """A lesion whose photographs in use have different confirmed labels.

    Any two different answers contradict each other, also “something else” or “not a lesion” next to a diagnosis. A
    lesion may change over the years; whether it has is for a dermatologist to decide.

    Attributes:
        names: of the labels, malignant ones first.
        is_dangerous: one of them is or may be malignant.
        proven: the name of a malignant label based on histopathology; empty if there is none.
    """

    lesion: Lesion
    names: tuple[str, ...]
    is_dangerous: bool
    proven: str = ""

    @property
    def words(self) -> str:
        if self.proven:
            return f"{self.lesion.title}: {self.words_of_proof}"
        words = _(
            "%(lesion)s: the confirmed labels of its photographs contradict each other: %(names)s. Correct one, or "
            "explain both."
        )
        return words % {"lesion": self.lesion.title, "names": ", ".join(self.names)}

    @property
    def words_of_proof(self) -> str:
        """The label that counts, if histopathology found a malignant disease; else empty."""
        if not self.proven:
            return ""
        words = _(
            "%(name)s by histopathology, which counts. Other photographs of it are confirmed as: %(others)s. Review "
            "them again, or explain both."
        )
        others = (name for name in self.names if name != self.proven)
        return words % {"name": self.proven, "others": ", ".join(others)}


def contradiction_among(lesion: Lesion, labels: Iterable[Label]) -> Contradiction | None:
    """Return the contradiction among ``labels``, all those of a lesion's photographs in use, if there is one."""
    labels = list(labels)
    by_diagnosis = {label.diagnosis: label for label in labels}
    if len(by_diagnosis) < 2:
        return None
    in_order = sorted(by_diagnosis.values(), key=lambda label: (-danger_rank(label.answer), label.diagnosis))
    proven = (label for label in labels if label.is_proven and is_malignant_answer(label.answer))
    return Contradiction(
        lesion=lesion,
        names=tuple(label.name for label in in_order),
        is_dangerous=any(danger_rank(label.answer) for label in in_order),
        proven=min((label.name for label in proven), default=""),
    )


def contradictions_of(lesions: QuerySet[Lesion]) -> list[Contradiction]:
    """Return the contradictions among ``lesions``."""
    labels: defaultdict[UUID, list[Label]] = defaultdict(list)
    # Compared in Python: grouped in a subquery, PostgreSQL took 9 s for 5,000 labels without current statistics.
    rows = _settled(lesions).values_list("image__lesion", "answer", "review__other_text", "basis")
    for lesion, answer, text, basis in rows:
        labels[lesion].append(Label(answer, text or "", basis))
    keys = [lesion for lesion, own in labels.items() if len({label.diagnosis for label in own}) > 1]
    in_order = Lesion.objects.filter(pk__in=keys).select_related("patient")
    contradictions = (contradiction_among(each, labels[each.pk]) for each in in_order.order_by("patient", "number"))
    return [each for each in contradictions if each is not None]


def contradictions_at(visit: Visit) -> list[Contradiction]:
    """Return the contradictions of the lesions photographed at a visit, with labels from any visit."""
    lesions = Image.objects.in_use().filter(visit=visit).order_by().values("lesion")
    return contradictions_of(Lesion.objects.filter(pk__in=lesions))


def awaits_another_look(label: ConfirmedLabel, *, read_at: int) -> bool:
    """Return whether another photograph of the lesion got a different label after this one's newest review.

    Only the older of the two waits. Once it has been reviewed again, its reader has seen both and it no longer waits:
    a lesion may change.

    Args:
        label: a settled one.
        read_at: the step of the newest review of its photograph.
    """
    own = label_of(label).diagnosis
    later = other_labels(label.image).filter(settled_after__gte=read_at)
    return any(label_of(other).diagnosis != own for other in later)


def other_labels(image: Image) -> QuerySet[ConfirmedLabel]:
    """Return the settled labels of the lesion's other photographs in use, each with its review."""
    # A list of keys, since a lesion has few photographs: the query planner need not estimate a subquery.
    others = Image.objects.in_use().filter(lesion=image.lesion_id).exclude(pk=image.pk).order_by()
    return ConfirmedLabel.objects.filter(
        state=LabelState.SETTLED, image__in=list(others.values_list("pk", flat=True))
    ).select_related("review")


def label_of(label: ConfirmedLabel) -> Label:
    return Label(label.answer, label.review.other_text if label.review else "")


def _settled(lesions: QuerySet[Lesion]) -> QuerySet[ConfirmedLabel]:
    in_use = Image.objects.in_use().filter(pk=OuterRef("image")).order_by()
    settled = ConfirmedLabel.objects.filter(
        state=LabelState.SETTLED, image__lesion__in=lesions.order_by().values("pk")
    )
    return settled.filter(Exists(in_use)).order_by()
