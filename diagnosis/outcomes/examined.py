"""The photographs that a specimen's result speaks about."""

from datetime import timedelta
from uuid import UUID

from diagnosis.images.kinds import PhotographKind
from diagnosis.images.models import Image
from diagnosis.outcomes.models import PathologyResult, ResultReview, Specimen, SpecimenKind
from diagnosis.reviews.answers import danger_rank

# A lesion may change over the years: what an older photograph shows is for a dermatologist to decide.
SPEAKS_FOR = timedelta(days=365)


def photographs_examined(specimen: Specimen) -> list[Image]:
    """Return the photographs in use that show what was examined, newest first.

    They were taken up to the day on which the specimen was sent, within a year before it; without one, those of the
    newest day before it. An overview shows where the lesion is, not what it is. After an excision a photograph shows a
    scar, so a later specimen speaks about none.
    """
    if _was_excised_before(specimen):
        return []
    images = Image.objects.in_use().filter(lesion=specimen.lesion_id).exclude(kind=PhotographKind.OVERVIEW)
    rows = images.select_related("visit__patient__clinic", "lesion")
    before = [image for image in rows if image.taken_on <= specimen.sent_on]
    if not before:
        return []
    since = min(max(image.taken_on for image in before), specimen.sent_on - SPEAKS_FOR)
    examined = [image for image in before if image.taken_on >= since]
    return sorted(examined, key=lambda image: (*image.order_in_time, image.pk), reverse=True)


def photographs_to_label(result: PathologyResult) -> list[Image]:
    """Return the photographs that get the label of ``result`` when it is confirmed, newest first.

    Left out are those that it labels already, and those that another specimen's result gave a more dangerous
    diagnosis: an excision that finds nothing left does not take back the melanoma of the biopsy before it.
    """
    if not result.names_a_diagnosis:
        return []
    left_out = _labelled_by(result) | _proven_worse(result)
    return [image for image in photographs_examined(result.specimen) if image.pk not in left_out]


def photographs_proven_worse(result: PathologyResult) -> int:
    """Return how many photographs keep the more dangerous diagnosis of another specimen."""
    worse = _proven_worse(result)
    return sum(image.pk in worse for image in photographs_examined(result.specimen))


def _was_excised_before(specimen: Specimen) -> bool:
    others = Specimen.objects.standing().filter(lesion=specimen.lesion_id, kind=SpecimenKind.EXCISION)
    return others.filter(sent_on__lt=specimen.sent_on).exclude(pk=specimen.pk).exists()


def _labelled_by(result: PathologyResult) -> set[UUID]:
    reviews = ResultReview.objects.filter(result=result, review__retraction__isnull=True)
    return set(reviews.values_list("review__image", flat=True))


def _proven_worse(result: PathologyResult) -> set[UUID]:
    others = PathologyResult.objects.counting().filter(specimen__lesion=result.specimen.lesion_id)
    others = others.exclude(specimen=result.specimen_id)
    worse = [each.pk for each in others if danger_rank(each.answer) > danger_rank(result.answer)]
    reviews = ResultReview.objects.filter(result__in=worse, review__retraction__isnull=True)
    return set(reviews.values_list("review__image", flat=True))
