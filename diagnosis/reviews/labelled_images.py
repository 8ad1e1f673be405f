"""What reviews have said of photographs, annotated on a queryset of them."""

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
    """Annotate what reviews have settled: ``confirmed_answer``, or None, and ``confirmed_code``.

    The code is the answer where that is one of the seven classes, else None. ``confirmed_text`` is what its
    reader wrote where the answer is something else, ``confirmed_basis`` what it rests on.
    """
    settled = ConfirmedLabel.objects.filter(image=OuterRef("pk"), state=LabelState.SETTLED)
    return images.annotate(
        confirmed_answer=Subquery(settled.values("answer")[:1]),
        confirmed_text=Subquery(settled.values("review__other_text")[:1]),
        confirmed_basis=Subquery(settled.values("basis")[:1]),
        confirmed_code=Subquery(settled.filter(answer__in=CODES).values("answer")[:1]),
    )


def with_suspicions(images: ImageQuerySet) -> ImageQuerySet:
    """Annotate what readers named and still stand by: what is malignant, and what may be.

    ``suspected`` and ``unclear`` hold an answer and, after a line break, its reader's words; None without.
    ``is_doubted`` where somebody was not sure, or could not tell. Of each reader the newest review counts: who has
    thought better of it no longer suspects. Until somebody has read a photograph here, what was named on the same file
    counts that was set aside in another record of the clinic.
    """
    return images.annotate(**_suspicions())


@cache
def _suspicions() -> dict[str, Any]:
    """The annotations of ``with_suspicions``: made once, since they take longer to put together than to run."""
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
        said = Concat("answer", Value("\n"), "other_text")
        own, before = (
            found.filter(answer__in=answers).annotate(said=said).values("said")[:1] for found in (newest, moved)
        )
        return Coalesce(Subquery(own), Case(When(is_unread, then=Subquery(before))))

    return {
        "suspected": named(MALIGNANT),
        "unclear": named(OF_UNKNOWN_DANGER),
        "is_doubted": Exists(newest.filter(Q(certainty=Certainty.UNSURE) | Q(answer=CANNOT_TELL)).order_by()),
    }
