"""Find confirmed cases that look similar to a photograph, with only the details that the member may see."""

import base64
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext as _

from diagnosis.images.condition_names import condition_name
from diagnosis.images.models import Image
from diagnosis.images.models.image import ImageQuerySet
from diagnosis.reviews.diagnoses import BY_CODE
from diagnosis.reviews.treating import patients_treated_by
from diagnosis.similar.archives import archive_of
from diagnosis.similar.confirmed_cases import confirmed_cases_for, of_other_lesions
from diagnosis.similar.embeddings import current_space, read_vector
from diagnosis.similar.models import ImageEmbedding
from mlmodel.network.quality import Reliability
from patients.models import BodySite, Lesion, Member, Sex

log = logging.getLogger(__name__)

SHOWN = 5
# Cosine similarities, to be chosen again for every new backbone (``research.neighbours DATA --folds 7``). Of the five
# nearest on fold 7, those in the upper band (46 of 100) were of the same class 96 times in 100, those in the next (41
# of 100) 73 times, those below 53 times: these are not shown, since a label beside a picture reads as evidence.
VERY_ALIKE, ALIKE = 0.93, 0.85
LEAST_SHOWN = ALIKE
_OLDEST_BAND = 90


@dataclass(frozen=True)
class SimilarCase:
    """A confirmed case as it may be shown.

    Attributes:
        image: the photograph, if it is of the same patient or of one whom the member treats. Otherwise None, and
            nothing here identifies the patient, the clinic or the date.
        is_of_the_clinic: it belongs to the member's own clinic.
        thumbnail: a URL, or without ``image`` the picture itself (``data:``), so that there is no URL to follow,
            store or pass on.
        age_band: the age when photographed, in bands of ten years.
        similarity: the cosine, in [−1, 1].
    """

    image: Image | None
    is_of_the_clinic: bool
    thumbnail: str
    code: str
    label: str
    is_malignant: bool
    body_site: str
    age_band: str
    sex: str
    similarity: float

    @property
    def likeness(self) -> str:
        return _("Very alike") if self.similarity >= VERY_ALIKE else _("Alike")


@dataclass(frozen=True)
class SimilarCases:
    """The cases that are alike enough to be shown, and how many confirmed photographs were compared."""

    cases: Sequence[SimilarCase] = ()
    compared: int = 0


def similar_cases(*, image: Image, member: Member) -> list[SimilarCase]:
    """Return the cases of ``search_cases`` alone."""
    return list(search_cases(image=image, member=member).cases)


def search_cases(*, image: Image, member: Member) -> SimilarCases:
    """Return the confirmed cases of other lesions that look most like ``image``, one photograph per lesion.

    Cases below ``LEAST_SHOWN`` are left out. ``image`` must be visible to ``member``. There are none for a photograph
    that the current network has not analysed, nor for one whose answer cannot be relied on: the labels would be read
    as that answer.
    """
    if image.reliability is not Reliability.CALIBRATED:
        return SimilarCases()
    space = current_space()
    own = ImageEmbedding.objects.filter(image=image, space_sha256=space).first()
    if own is None:
        return SimilarCases()
    query, archive = read_vector(own.vector), archive_of(clinic_id=member.clinic_id, space=space)
    same_place = set(Lesion.objects.at_the_place_of(image.lesion).values_list("pk", flat=True))
    may_be_shown = _may_be_shown(image, member, space)
    cases: list[SimilarCase] = []
    count, checked = 2 * SHOWN, 0
    while len(cases) < SHOWN:
        proposed = archive.nearest(query, member=member, count=count, without=same_place)
        alike = [(key, similarity) for key, similarity in proposed[checked:] if similarity >= LEAST_SHOWN]
        images = may_be_shown.in_bulk([key for key, _similarity in alike])
        named = _named(images.values(), image, member)
        for key, similarity in alike:
            if key in images and (case := _case(images[key], similarity, member, is_named=key in named)):
                cases.append(case)
        if len(proposed) < count or len(alike) < len(proposed) - checked:
            break
        count, checked = 4 * count, len(proposed)
    return SimilarCases(cases[:SHOWN], archive.count(without=same_place))


def _named(images: Iterable[Image], image: Image, member: Member) -> set[UUID]:
    """Return the keys of those whose patient may be named: the same as of ``image``, or one whom the member treats."""
    patients = {each.visit.patient_id for each in images}
    if not patients:
        return set()
    known = set(patients_treated_by(member).filter(pk__in=patients).values_list("pk", flat=True))
    known.add(image.visit.patient_id)
    return {each.pk for each in images if each.visit.patient_id in known}


def _may_be_shown(image: Image, member: Member, space: str) -> ImageQuerySet:
    """Return the cases that may be shown now, by the database and not by the archive."""
    cases = of_other_lesions(confirmed_cases_for(member, space=space), image)
    return cases.select_related("lesion", "visit__patient")


def _case(image: Image, similarity: float, member: Member, *, is_named: bool) -> SimilarCase | None:
    patient, condition = image.visit.patient, BY_CODE[_confirmed_answer(image)]
    thumbnail = reverse("image-file", args=[image.pk, "thumbnail"]) if is_named else _embedded_thumbnail(image)
    if thumbnail is None:
        return None
    return SimilarCase(
        image=image if is_named else None,
        is_of_the_clinic=patient.clinic_id == member.clinic_id,
        thumbnail=thumbnail,
        code=condition.code,
        label=condition_name(condition),
        is_malignant=condition.is_malignant,
        body_site=str(BodySite(image.lesion.body_site).label),
        age_band=age_band(image.visit.age),
        sex="" if patient.sex == Sex.UNKNOWN else str(Sex(patient.sex).label),
        similarity=similarity,
    )


def age_band(age: int) -> str:
    """Return the age in a band of ten years; open from 90 on, since so few patients are older."""
    if age >= _OLDEST_BAND:
        return _("%(age)d or older") % {"age": _OLDEST_BAND}
    return f"{age // 10 * 10}–{age // 10 * 10 + 9}"


def _embedded_thumbnail(image: Image) -> str | None:
    """Return the thumbnail as a data URL. It was re-encoded when it was made and carries no metadata."""
    try:
        with image.thumbnail.open("rb") as file:
            return "data:image/jpeg;base64," + base64.b64encode(file.read()).decode()
    except FileNotFoundError:
        log.error("The file %s is missing from the storage.", image.thumbnail.name)
        return None


def _confirmed_answer(image: Any) -> str:
    answer: str = image.confirmed_answer
    return answer
