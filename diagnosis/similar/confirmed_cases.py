"""Which photographs may be shown as examples of a diagnosis, and to whom."""

from django.db.models import Exists, OuterRef, Q

from diagnosis.images.models import Image, ImageQuerySet
from diagnosis.reviews.diagnoses import BY_CODE
from diagnosis.reviews.labelled_images import with_confirmed_label
from diagnosis.similar.models import ImageEmbedding
from patients.models import Lesion, Member, Patient, Purpose


def confirmed_cases_for(member: Member | None, *, space: str) -> ImageQuerySet:
    """Return the photographs that may be shown to ``member`` as examples of their ``confirmed_answer``.

    Their settled label is a diagnosis with a code. They belong to the member's own clinic, or to a patient who has
    consented to sharing with others. Their embedding is of the space with this hash. Photographs of other clinics must
    be de-identified (``diagnosis.similar.services``).
    """
    if member is None:
        return Image.objects.none()
    # EXISTS, as in visible_to: listing everyone who consented would take longer than the search, and with a join
    # SQLite reads a whole space to look up ten photographs.
    patient = Patient.objects.filter(pk=OuterRef("visit__patient"))
    is_own, is_shared = Exists(patient.visible_to(member)), Exists(patient.consenting_to(Purpose.SHARING))
    is_in_space = Exists(ImageEmbedding.objects.filter(image=OuterRef("pk"), space_sha256=space))
    labelled = with_confirmed_label(Image.objects.in_use())
    return labelled.filter(is_own | is_shared, Q(confirmed_answer__in=BY_CODE)).filter(is_in_space)


def of_other_lesions(images: ImageQuerySet, image: Image) -> ImageQuerySet:
    """Return ``images`` without copies of ``image`` and without lesions of its patient at the same site.

    Two lesions of one patient at one site may be a single lesion that was registered twice.
    """
    return images.exclude(lesion__in=Lesion.objects.at_the_place_of(image.lesion)).exclude(sha256=image.sha256)
