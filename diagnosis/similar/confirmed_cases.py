"""Which photographs may be shown as examples of a diagnosis, and to whom."""

from django.db.models import Exists, OuterRef, Q

from diagnosis.images.models import Image, ImageQuerySet
from diagnosis.reviews.diagnoses import BY_CODE
from diagnosis.reviews.labelled_images import with_confirmed_label
from diagnosis.similar.models import ImageEmbedding
from patients.models import Lesion, Member, Patient, Purpose


def confirmed_cases_for(member: Member | None, *, space: str) -> ImageQuerySet:
    """The photographs that may be shown to ``member`` as examples of a diagnosis, the ``confirmed_answer``.

    Reviews have settled their label as a diagnosis that has a code, they are of the member's own clinic or of a
    patient who has agreed to have them shown at others, and their embedding is of the space with this hash. Those of
    other clinics must be de-identified (``diagnosis.similar.services``).
    """
    if member is None:
        return Image.objects.none()
    # Asked row by row, as in visible_to: to list everybody who agreed would take longer than the search, and joined,
    # SQLite reads a whole space to look up ten photographs.
    patient = Patient.objects.filter(pk=OuterRef("visit__patient"))
    is_own, is_shared = Exists(patient.visible_to(member)), Exists(patient.consenting_to(Purpose.SHARING))
    is_in_space = Exists(ImageEmbedding.objects.filter(image=OuterRef("pk"), space_sha256=space))
    labelled = with_confirmed_label(Image.objects.in_use())
    return labelled.filter(is_own | is_shared, Q(confirmed_answer__in=BY_CODE)).filter(is_in_space)


def of_other_lesions(images: ImageQuerySet, image: Image) -> ImageQuerySet:
    """Without photographs of the lesion of ``image``, of lesions of the patient at the same place, and its copies.

    Two lesions of one patient at one place may be one that was registered twice.
    """
    return images.exclude(lesion__in=Lesion.objects.at_the_place_of(image.lesion)).exclude(sha256=image.sha256)
