"""What photographs turned out to be, the diagnoses that the network cannot name included, and what it missed."""

from collections import Counter
from dataclasses import dataclass

from django.db.models import Count

from diagnosis.images.models import Prediction, Tier
from diagnosis.monitoring.activity import of, window
from diagnosis.reviews.answers import NOT_A_LESION, LabelState, is_malignant_answer, is_one_of_the_seven
from diagnosis.reviews.review_words import answer_malignancy, answer_name
from patients.models import Clinic


@dataclass(frozen=True)
class Diagnosed:
    """One confirmed diagnosis: how many answers were given to photographs of it, and how many of those were calm.

    A reader's own words are counted together: they stay in their clinic.
    """

    answer: str
    count: int
    calm: int

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
    """The confirmed diagnoses of a time, the malignant and then the frequent ones first."""

    rows: list[Diagnosed]
    weeks: int

    @property
    def count(self) -> int:
        return sum(row.count for row in self.rows)

    @property
    def outside(self) -> int:
        """Of those that the network cannot name."""
        return sum(row.count for row in self.rows if row.is_outside)

    @property
    def malignant(self) -> int:
        return sum(row.count for row in self.rows if row.is_malignant)

    @property
    def missed(self) -> int:
        """Malignant ones that were called calm, whether the network knows them or not."""
        return sum(row.calm for row in self.rows if row.is_malignant)

    def malignant_rows(self, *, outside: bool) -> list[Diagnosed]:
        """The malignant ones that the network can name, or those that it cannot."""
        return [row for row in self.rows if row.is_malignant and row.is_outside == outside]

    @property
    def shown(self) -> list[Diagnosed]:
        """What is malignant or outside the seven, which no other figure of the page names."""
        return [row for row in self.rows if row.is_malignant or row.is_outside]


def diagnoses_of(clinic: Clinic | None, *, days: int) -> Diagnoses:
    """Count the answers of the newest ``days`` days whose label is confirmed, of one clinic or of all."""
    # As in ``confirmed``: a rescored answer may be one to a photograph that its version was trained on.
    answers = Prediction.objects.of_new_photographs().filter(
        of(clinic, "image__visit"), image__label__state=LabelState.SETTLED, created_at__range=window(days)
    )
    counts: Counter[str] = Counter()
    calm: Counter[str] = Counter()
    diagnosed = answers.exclude(image__label__answer=NOT_A_LESION).order_by().with_shown_tier()
    by_tier = diagnosed.values_list("image__label__answer", "tier_shown")  # type: ignore[misc]
    for answer, tier, count in by_tier.annotate(count=Count("pk")):
        counts[answer] += count
        calm[answer] += count if tier == Tier.CALM else 0
    rows = [Diagnosed(answer, count, calm[answer]) for answer, count in counts.items()]
    return Diagnoses(sorted(rows, key=lambda row: (not row.is_malignant, -row.count, row.answer)), weeks=days // 7)
