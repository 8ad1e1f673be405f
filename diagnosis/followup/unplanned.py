"""Lesions that must not be left without a next step: a laboratory result demands one, or the lesion was reopened."""

from django.db.models import Exists, OuterRef, Q, QuerySet

from diagnosis.followup.models import LesionPlan
from diagnosis.outcomes.models import LesionClosure, PathologyResult, Specimen
from diagnosis.outcomes.models.pathology import RESULT_ANSWERS, PathologyResultQuerySet
from diagnosis.reviews.answers import danger_of
from patients.models import Member

# Malignant, pre-malignant, or nothing that could reassure.
DEMANDING = tuple(answer for answer in RESULT_ANSWERS if danger_of(answer) is not False)


def demanding_results() -> PathologyResultQuerySet:
    """Return the results that count and are not known to be benign."""
    return PathologyResult.objects.counting().filter(answer__in=DEMANDING)


def results_without_a_plan(member: Member | None) -> PathologyResultQuerySet:
    """Return the results after which nobody has planned anything, the newest of each lesion.

    A plan or closure from before the result does not answer it.
    """
    moment = OuterRef("confirmed_at")
    planned = _plans("specimen__lesion").filter(stated_at__gte=moment)
    closed = LesionClosure.objects.standing().filter(lesion=OuterRef("specimen__lesion"), created_at__gte=moment)
    # EXISTS rather than a join, so that the few such results are looked through and not every specimen of the clinic.
    specimens = Specimen.objects.visible_to(member).filter(pk=OuterRef("specimen")).order_by()
    open_ones = demanding_results().filter(Exists(specimens), ~Exists(planned), ~Exists(closed.order_by()))
    later = demanding_results().filter(
        Q(confirmed_at__gt=moment) | Q(confirmed_at=moment, pk__gt=OuterRef("pk")),
        specimen__lesion=OuterRef("specimen__lesion"),
    )
    return open_ones.filter(~Exists(later.order_by()))


def reopened_without_a_plan(member: Member | None) -> QuerySet[LesionClosure]:
    """Return the closures of lesions that were reopened and have no plan since; not those with such a result."""
    lesion = OuterRef("lesion")
    planned = _plans("lesion").filter(stated_at__gte=OuterRef("reopened_at"))
    later = LesionClosure.objects.filter(lesion=lesion, created_at__gte=OuterRef("reopened_at"))
    open_result = results_without_a_plan(member).filter(specimen__lesion=lesion)
    reopened = LesionClosure.objects.visible_to(member).filter(reopened_at__isnull=False)
    return reopened.filter(~Exists(planned), ~Exists(later.order_by()), ~Exists(open_result.order_by()))


def _plans(lesion: str) -> QuerySet[LesionPlan]:
    return LesionPlan.objects.standing().filter(lesion=OuterRef(lesion)).order_by()
