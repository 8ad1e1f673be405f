"""What a request shares, as every page about it shows it: the asker's preview and the doctor's page are the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.forms import BaseForm
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from diagnosis.images.models import Image
from diagnosis.opinions.links import signature_of
from diagnosis.opinions.models import OpinionRequest
from diagnosis.reviews.answers import ANSWERS, Certainty
from diagnosis.reviews.review_words import answer_name
from diagnosis.similar.services import age_band
from patients.models import Lesion, Sex

LONGEST_SHOWN = 5000


@dataclass(frozen=True)
class SharedPhotograph:
    """A photograph as the doctor sees it: numbered, with its month and without a name."""

    number: int
    address: str
    taken: str
    width: int
    height: int


@dataclass(frozen=True)
class Shared:
    """Everything that the doctor sees besides the clinic's and the asking dermatologist's names."""

    place: str
    patient: str
    question: str
    photographs: Sequence[SharedPhotograph]


def shared_by(request: OpinionRequest, *, outside: bool = False) -> Shared:
    """Return what ``request`` shares. ``outside``: photographs are served through the signed link."""
    images = list(request.images().select_related("visit"))

    def address(number: int, image: Image) -> str:
        if outside:
            return reverse("shared-opinion-photograph", args=[request.pk, signature_of(request), number])
        return reverse("image-file", args=[image.pk, "display"])

    numbers = dict(request.photographs.values_list("image_id", "number"))
    return Shared(
        place=request.lesion.place,
        patient=_age_and_sex(request.lesion, images) if request.shares_age_and_sex else "",
        question=request.question,
        photographs=[
            SharedPhotograph(
                numbers[image.pk],
                address(numbers[image.pk], image),
                date_format(image.visit.date, "F Y"),
                image.width,
                image.height,
            )
            for image in images
        ],
    )


def _age_and_sex(lesion: Lesion, images: Sequence[Any]) -> str:
    """Return “60–69, female”: the decade at the newest of the photographs, since a birth date identifies."""
    patient = lesion.patient
    day = max((image.visit.date for image in images), default=None)
    band = age_band(patient.age_on(day) if day else patient.age)
    sex = "" if patient.sex == Sex.UNKNOWN else str(Sex(patient.sex).label).lower()
    return _("%(age)s years, %(sex)s") % {"age": band, "sex": sex} if sex else _("%(age)s years") % {"age": band}


def answer_in_words(form: BaseForm) -> str:
    """Return what was typed into the form of an answer, valid or not, for a page that tells it was not recorded."""
    answer, certainty = str(form["answer"].value() or ""), str(form["certainty"].value() or "")
    parts = [
        answer_name(answer) if answer in ANSWERS else "",
        str(form["other_text"].value() or ""),
        str(Certainty(certainty).label) if certainty in Certainty.values else "",
        str(form["reason"].value() or ""),
    ]
    return "\n".join(part[:LONGEST_SHOWN] for part in parts if part)
