"""The list of specimens that wait: for their result, or for a dermatologist to confirm it."""

from dataclasses import dataclass

from django.db import models
from django.db.models import Case, Exists, OuterRef, Value, When
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from diagnosis.outcomes.models import PathologyResult, Specimen, SpecimenKind
from diagnosis.outcomes.models.pathology import MALIGNANT_ANSWERS
from diagnosis.outcomes.models.specimen import SpecimenQuerySet
from patients.models import Member
from patients.names import clean_line, fold_number


class Waiting(models.TextChoices):
    """What a specimen waits for."""

    RESULT = "result", _("Without a result")
    LATE = "late", _("Late")
    CONFIRMATION = "confirmation", _("To be confirmed")


@dataclass(frozen=True)
class AwaitedFilter:
    """The list's filters, as far as the query string names any that exist."""

    waiting: Waiting
    kind: str
    laboratory: str
    number: str
    mine: bool

    @classmethod
    def of(cls, query: QueryDict) -> "AwaitedFilter":
        waiting, kind = query.get("waiting", ""), query.get("kind", "")
        return cls(
            waiting=Waiting(waiting) if waiting in Waiting.values else Waiting.RESULT,
            kind=kind if kind in SpecimenKind.values else "",
            laboratory=clean_line(query.get("laboratory", "").replace("\0", ""))[:120],
            number=clean_line(query.get("number", "").replace("\0", ""))[:40],
            mine=query.get("mine") == "on",
        )

    @property
    def is_narrow(self) -> bool:
        return bool(self.kind or self.laboratory or self.number or self.mine)


def waiting_specimens(member: Member | None, chosen: AwaitedFilter) -> SpecimenQuerySet:
    """Return the specimens of the member's clinic that wait, the most pressing first.

    Without a result that is the one sent first; among those to be confirmed, the malignant ones first.
    """
    specimens = _narrowed(Specimen.objects.visible_to(member), member, chosen)
    if chosen.waiting == Waiting.CONFIRMATION:
        unconfirmed = PathologyResult.objects.to_confirm().filter(specimen=OuterRef("pk")).order_by()
        malignant = Exists(unconfirmed.filter(answer__in=MALIGNANT_ANSWERS))
        specimens = specimens.filter(Exists(unconfirmed), withdrawn_at__isnull=True)
        danger = Case(When(malignant, then=Value(0)), default=Value(1))
        return specimens.order_by(danger, "sent_on", "created_at", "pk")
    specimens = specimens.awaited()
    specimens = specimens.late() if chosen.waiting == Waiting.LATE else specimens
    return specimens.order_by("sent_on", "created_at", "pk")


def waiting_counts(member: Member | None) -> dict[str, int]:
    """Return how many specimens of the clinic wait, by ``Waiting``."""
    awaited = Specimen.objects.visible_to(member).awaited()
    to_confirm = PathologyResult.objects.visible_to(member).to_confirm()
    return {
        Waiting.RESULT: awaited.count(),
        Waiting.LATE: awaited.late().count(),
        Waiting.CONFIRMATION: to_confirm.count(),
    }


def _narrowed(specimens: SpecimenQuerySet, member: Member | None, chosen: AwaitedFilter) -> SpecimenQuerySet:
    if chosen.kind:
        specimens = specimens.filter(kind=chosen.kind)
    if chosen.laboratory:
        specimens = specimens.filter(laboratory__icontains=chosen.laboratory)
    if chosen.number:
        specimens = specimens.filter(number_key__contains=fold_number(chosen.number))
    return specimens.filter(sent_by=member) if chosen.mine else specimens
