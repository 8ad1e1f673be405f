"""Labels of one lesion that contradict each other: one rule for every page, list and check that warns of it."""

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
    """What a photograph is confirmed as.

    Attributes:
        text: what its reader wrote where the answer is free text.
        basis: what it rests on, where that is known.
    """

    answer: str
    text: str = ""
    basis: str = ""

    @property
    def diagnosis(self) -> tuple[str, str]:
        """To be compared with others: of free text the words count, however they are set."""
        return self.answer, " ".join(self.text.casefold().split()) if self.answer in FREE_TEXT else ""

    @property
    def name(self) -> str:
        return answer_name(self.answer, self.text)

    @property
    def is_proven(self) -> bool:
        """Whether a laboratory has said so."""
        return self.basis == Basis.HISTOPATHOLOGY


@dataclass(frozen=True)
class Contradiction:
    """A lesion whose photographs in use are confirmed as more than one thing.

    Any two answers contradict each other: “something else” or “not a lesion” beside a melanoma as well as two
    diagnoses. A lesion may change over the years; whether it has is for a dermatologist to say.

    Attributes:
        names: what its photographs are confirmed as, what is malignant first.
        is_dangerous: one of them is, or may be, malignant.
        proven: what is malignant among them and the laboratory has said, by name; empty without.
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
            "%(lesion)s: its photographs are confirmed as different things: %(names)s. Correct one, or explain both."
        )
        return words % {"lesion": self.lesion.title, "names": ", ".join(self.names)}

    @property
    def words_of_proof(self) -> str:
        """What counts where the laboratory has named something malignant; empty where it has not."""
        if not self.proven:
            return ""
        words = _(
            "%(name)s by histopathology, which counts. Other photographs of it are confirmed as: %(others)s. Review "
            "them again, or explain both."
        )
        others = (name for name in self.names if name != self.proven)
        return words % {"name": self.proven, "others": ", ".join(others)}


def contradiction_among(lesion: Lesion, labels: Iterable[Label]) -> Contradiction | None:
    """Say whether ``labels``, all those of a lesion's photographs in use, contradict each other."""
    labels = list(labels)
    found = {label.diagnosis: label for label in labels}
    if len(found) < 2:
        return None
    in_order = sorted(found.values(), key=lambda label: (-danger_rank(label.answer), label.diagnosis))
    proven = (label for label in labels if label.is_proven and is_malignant_answer(label.answer))
    return Contradiction(
        lesion=lesion,
        names=tuple(label.name for label in in_order),
        is_dangerous=any(danger_rank(label.answer) for label in in_order),
        proven=min((label.name for label in proven), default=""),
    )


def contradictions_of(lesions: QuerySet[Lesion]) -> list[Contradiction]:
    """Return those of ``lesions`` whose labels contradict each other."""
    labels: defaultdict[UUID, list[Label]] = defaultdict(list)
    # Read in one walk and compared here: grouped in a subquery, PostgreSQL took 9 s for 5,000 labels that its
    # statistics did not know of yet.
    told = _settled(lesions).values_list("image__lesion", "answer", "review__other_text", "basis")
    for lesion, answer, text, basis in told:
        labels[lesion].append(Label(answer, text or "", basis))
    keys = [lesion for lesion, own in labels.items() if len({label.diagnosis for label in own}) > 1]
    in_order = Lesion.objects.filter(pk__in=keys).select_related("patient")
    found = (contradiction_among(each, labels[each.pk]) for each in in_order.order_by("patient", "number"))
    return [each for each in found if each is not None]


def contradictions_at(visit: Visit) -> list[Contradiction]:
    """Those of the lesions photographed at a visit, whichever visit the contradicting photographs are of."""
    lesions = Image.objects.in_use().filter(visit=visit).order_by().values("lesion")
    return contradictions_of(Lesion.objects.filter(pk__in=lesions))


def awaits_another_look(label: ConfirmedLabel, *, read_at: int) -> bool:
    """Whether another photograph of the lesion was confirmed as something else after this one was read last.

    So the older of the two waits. Once it has been read again its reader has seen both, and it no longer waits: a
    lesion may change.

    Args:
        label: settled.
        read_at: the step of the newest review of its photograph.
    """
    own = label_of(label).diagnosis
    later = other_labels(label.image).filter(settled_after__gte=read_at)
    return any(label_of(other).diagnosis != own for other in later)


def other_labels(image: Image) -> QuerySet[ConfirmedLabel]:
    """The settled labels of the lesion's other photographs in use, each with its review."""
    # A lesion has few: named one by one, no database has to guess how many there are.
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
