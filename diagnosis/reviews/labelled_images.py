"""Annotations of photographs with their labels and reviews."""

from functools import cache
from typing import Any

from django.db.models import Case, Exists, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce, Concat

from diagnosis.images.models import Exclusion, ImageQuerySet
from diagnosis.reviews.answers import (
    ANSWERS,
    CANNOT_TELL,
    Certainty,
    LabelState,
    is_malignant_answer,
    leaves_danger_open,
)
from diagnosis.reviews.models import ConfirmedLabel, Review
from mlmodel.taxonomy import CODES

MALIGNANT = [answer for answer in ANSWERS if is_malignant_answer(answer)]
OF_UNKNOWN_DANGER = [answer for answer in ANSWERS if leaves_danger_open(answer)]


def with_confirmed_label(images: ImageQuerySet) -> ImageQuerySet:
    """Annotate the settled label: ``confirmed_answer``, or None, and ``confirmed_code``.

    The code is the answer if that is one of the seven classes, else None. ``confirmed_text`` holds the reader's words
    if the answer is something else; ``confirmed_basis`` is what the label is based on.
    """
    settled = ConfirmedLabel.objects.filter(image=OuterRef("pk"), state=LabelState.SETTLED)
    return images.annotate(
        confirmed_answer=Subquery(settled.values("answer")[:1]),
        confirmed_text=Subquery(settled.values("review__other_text")[:1]),
        confirmed_basis=Subquery(settled.values("basis")[:1]),
        confirmed_code=Subquery(settled.filter(answer__in=CODES).values("answer")[:1]),
    )


def with_suspicions(images: ImageQuerySet) -> ImageQuerySet:
    """Annotate conditions that readers named: ``suspected`` (malignant) and ``unclear`` (malignancy not known).

    Both hold an answer and, after a line break, the reader's words; None if there is none. ``is_doubted`` is whether a
    reader was not sure or could not tell. Each reader's newest review counts. While a photograph has no review of its
    own, those of the same file count if that was excluded from another record of the clinic.
    """
    return images.annotate(**_suspicions())


@cache
def _suspicions() -> dict[str, Any]:
    """Return the annotations of ``with_suspicions``, cached because building them takes longer than running them."""
    newest = Review.objects.newest_of_each_reader().filter(image=OuterRef("pk")).newest_first()
    is_unread = ~Exists(Review.objects.standing().filter(image=OuterRef("pk")).order_by())
    was_excluded = Exists(Exclusion.objects.standing().filter(image=OuterRef("image")).order_by())
    moved = Review.objects.newest_of_each_reader().newest_first()
    moved = moved.filter(
        was_excluded,
        image__sha256=OuterRef("sha256"),
        image__visit__patient__clinic=OuterRef("visit__patient__clinic"),
    )

    def named(answers: list[str]) -> Coalesce:
        words = Concat("answer", Value("\n"), "other_text")
        own, before = (
            reviews.filter(answer__in=answers).annotate(words=words).values("words")[:1] for reviews in (newest, moved)
        )
        return Coalesce(Subquery(own), Case(When(is_unread, then=Subquery(before))))

    return {
        "suspected": named(MALIGNANT),
        "unclear": named(OF_UNKNOWN_DANGER),
        "is_doubted": Exists(newest.filter(Q(certainty=Certainty.UNSURE) | Q(answer=CANNOT_TELL)).order_by()),
    }
