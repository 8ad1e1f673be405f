from functools import cache
from typing import TYPE_CHECKING, Any

from django.db.models import Case, Exists, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce, Concat

from diagnosis.reviews.answers import ANSWERS, CANNOT_TELL, Certainty, is_malignant_answer, leaves_danger_open

if TYPE_CHECKING:
    pass


MALIGNANT = [answer for answer in ANSWERS if is_malignant_answer(answer)]
OF_UNKNOWN_DANGER = [answer for answer in ANSWERS if leaves_danger_open(answer)]


@cache
def _suspicions() -> dict[str, Any]:
    """The annotations of ``with_suspicions``: made once, since they take longer to put together than to run."""
    from diagnosis.images.models import SetAside
    from diagnosis.reviews.models import Review

    newest = Review.objects.newest_of_each_reader().filter(image=OuterRef("pk")).newest_first()
    is_unread = ~Exists(Review.objects.standing().filter(image=OuterRef("pk")).order_by())
    was_set_aside = Exists(SetAside.objects.standing().filter(image=OuterRef("image")).order_by())
    moved = Review.objects.newest_of_each_reader().newest_first()
    moved = moved.filter(
        was_set_aside,
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
