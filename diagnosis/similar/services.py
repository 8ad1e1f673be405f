"""Find confirmed cases that look similar to a photograph, with only the details that the member may see."""

import base64
import logging
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from diagnosis.images.condition_names import condition_name
from diagnosis.images.models import Image
from diagnosis.images.models.image import ImageQuerySet
from diagnosis.reviews.diagnoses import BY_CODE
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
# of 100) 73 times, those below 53 times. Three in four random pairs are below 0.62: such cases come up only where a
# clinic has confirmed little.
VERY_ALIKE, ALIKE, SOMEWHAT_ALIKE = 0.93, 0.85, 0.65
_OLDEST_BAND = 90


@dataclass(frozen=True)
class SimilarCase:
    """A confirmed case as it may be shown.

    Attributes:
        image: the photograph, if it belongs to the member's own clinic; None for another clinic's. Nothing here then
            identifies the patient, the clinic or the date.
        thumbnail: a URL, or for another clinic's case the picture itself (``data:``), so that there is no URL to
            store or pass on.
        age_band: the age when photographed, in bands of ten years.
        similarity: the cosine, in [−1, 1].
    """

    image: Image | None
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
        if self.similarity >= VERY_ALIKE:
            return _("Very alike")
        if self.similarity >= ALIKE:
            return _("Alike")
        return _("Somewhat alike") if self.similarity >= SOMEWHAT_ALIKE else _("Hardly alike")


def similar_cases(*, image: Image, member: Member) -> list[SimilarCase]:
    """Return the confirmed cases of other lesions that look most like ``image``, one photograph per lesion.

    ``image`` must be visible to ``member``. There are none for a photograph that the current network has not analysed,
    nor for one whose answer cannot be relied on: the labels would be read as that answer.
    """
    if image.reliability is not Reliability.CALIBRATED:
        return []
    space = current_space()
    own = ImageEmbedding.objects.filter(image=image, space_sha256=space).first()
    if own is None:
        return []
    query, archive = read_vector(own.vector), archive_of(clinic_id=member.clinic_id, space=space)
    same_place = set(Lesion.objects.at_the_place_of(image.lesion).values_list("pk", flat=True))
    may_be_shown = _may_be_shown(image, member, space)
    cases: list[SimilarCase] = []
    count, checked = 2 * SHOWN, 0
    while len(cases) < SHOWN:
        proposed = archive.nearest(query, member=member, count=count, without=same_place)
        images = may_be_shown.in_bulk([key for key, _similarity in proposed[checked:]])
        for key, similarity in proposed[checked:]:
            if key in images and (case := _case(images[key], similarity, member)):
                cases.append(case)
        if len(proposed) < count:
            break
        count, checked = 4 * count, len(proposed)
    return cases[:SHOWN]


def _may_be_shown(image: Image, member: Member, space: str) -> ImageQuerySet:
    """Return the cases that may be shown now, by the database and not by the archive."""
    cases = of_other_lesions(confirmed_cases_for(member, space=space), image)
    return cases.select_related("lesion", "visit__patient")


def _case(image: Image, similarity: float, member: Member) -> SimilarCase | None:
    patient, condition = image.visit.patient, BY_CODE[_confirmed_answer(image)]
    is_own = patient.clinic_id == member.clinic_id
    thumbnail = reverse("image-file", args=[image.pk, "thumbnail"]) if is_own else _embedded_thumbnail(image)
    if thumbnail is None:
        return None
    return SimilarCase(
        image=image if is_own else None,
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
