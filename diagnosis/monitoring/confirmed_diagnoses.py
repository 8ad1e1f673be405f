"""Confirmed diagnoses, including those outside the seven classes, and the malignant ones that were missed."""

from collections import Counter
from dataclasses import dataclass

from django.db.models import Count

from diagnosis.images.models import Prediction, Tier
from diagnosis.monitoring.activity import of, window
from diagnosis.reviews.answers import NOT_A_LESION, Basis, LabelState, is_malignant_answer, is_one_of_the_seven
from diagnosis.reviews.review_words import answer_malignancy, answer_name
from patients.models import Clinic


@dataclass(frozen=True)
class Diagnosed:
    """One confirmed diagnosis, with the number of answers and of calm answers.

    Free-text diagnoses are counted together, since their text must not leave the clinic.

    Attributes:
        proven_calm: those of the calm answers whose diagnosis rests on histopathology.
    """

    answer: str
    count: int
    calm: int
    proven_calm: int = 0

    @property
    def name(self) -> str:
        return answer_name(self.answer)

    @property
    def malignancy(self) -> str:
        return answer_malignancy(self.answer)

    @property
    def is_malignant(self) -> bool:
        return is_malignant_answer(self.answer)

    @property
    def is_outside(self) -> bool:
        return not is_one_of_the_seven(self.answer)


@dataclass(frozen=True)
class Diagnoses:
    """The confirmed diagnoses of a period: malignant ones first, then by frequency."""

    rows: list[Diagnosed]
    weeks: int

    @property
    def count(self) -> int:
        return sum(row.count for row in self.rows)

    @property
    def outside(self) -> int:
        """The number of answers whose diagnosis is outside the seven classes."""
        return sum(row.count for row in self.rows if row.is_outside)

    @property
    def malignant(self) -> int:
        return sum(row.count for row in self.rows if row.is_malignant)

    @property
    def missed(self) -> int:
        """The number of malignant diagnoses called calm, inside or outside the seven classes."""
        return sum(row.calm for row in self.rows if row.is_malignant)

    @property
    def proven_missed(self) -> int:
        """Those of them that histopathology has proven."""
        return sum(row.proven_calm for row in self.rows if row.is_malignant)

    def malignant_rows(self, *, outside: bool) -> list[Diagnosed]:
        """Return the malignant diagnoses outside the seven classes, or those inside."""
        return [row for row in self.rows if row.is_malignant and row.is_outside == outside]

    @property
    def shown(self) -> list[Diagnosed]:
        """The rows of the page: malignant diagnoses, and those outside the seven classes."""
        return [row for row in self.rows if row.is_malignant or row.is_outside]


def diagnoses_of(clinic: Clinic | None, *, days: int) -> Diagnoses:
    """Return the confirmed diagnoses of the latest ``days`` days, of one clinic or of all."""
    # Rescored answers are left out: the version may have been trained on the photograph.
    answers = Prediction.objects.of_new_photographs().filter(
        of(clinic, "image__visit"), image__label__state=LabelState.SETTLED, created_at__range=window(days)
    )
    counts: Counter[str] = Counter()
    calm: Counter[str] = Counter()
    proven: Counter[str] = Counter()
    diagnosed = answers.exclude(image__label__answer=NOT_A_LESION).order_by().with_shown_tier()
    by_tier = diagnosed.values_list("image__label__answer", "image__label__basis", "tier_shown")  # type: ignore[misc]
    for answer, basis, tier, count in by_tier.annotate(count=Count("pk")):
        counts[answer] += count
        if tier == Tier.CALM:
            calm[answer] += count
            proven[answer] += count if basis == Basis.HISTOPATHOLOGY else 0
    rows = [Diagnosed(answer, count, calm[answer], proven[answer]) for answer, count in counts.items()]
    return Diagnoses(sorted(rows, key=lambda row: (not row.is_malignant, -row.count, row.answer)), weeks=days // 7)
