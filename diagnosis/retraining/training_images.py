"""The photographs that a network may learn from, by label and consent as they are now."""

from django.db.models import Exists, OuterRef, Q

from diagnosis.images.models import Image, ImageFeatures, ImageQuerySet
from diagnosis.reviews.answers import NOT_A_LESION, LabelState
from diagnosis.reviews.labelled_images import with_confirmed_label
from diagnosis.reviews.models import ConfirmedLabel
from mlmodel.taxonomy import CODES
from patients.models import Clinic, Patient, Purpose


def images_for_training(clinic: Clinic | None = None) -> ImageQuerySet:
    """The photographs that a network may learn from, of ``clinic`` or of all, with ``confirmed_code``.

    Their label is settled as one of the seven, their features are kept, and the patient agrees now: whoever
    withdraws is gone from the next answer.
    """
    return _agreed_and_labelled(Q(answer__in=CODES), clinic)


def images_outside_the_classes(clinic: Clinic | None = None) -> ImageQuerySet:
    """Those that would be ``images_for_training``, were their label not a diagnosis that is none of the seven.

    Free text counts; that there is no lesion does not.
    """
    return _agreed_and_labelled(~Q(answer__in=(*CODES, NOT_A_LESION)), clinic)


def _agreed_and_labelled(answer: Q, clinic: Clinic | None) -> ImageQuerySet:
    settled = ConfirmedLabel.objects.filter(answer, image=OuterRef("pk"), state=LabelState.SETTLED)
    patients = Patient.objects.filter(pk=OuterRef("visit__patient")).consenting_to(Purpose.TRAINING)
    if clinic is not None:
        patients = patients.filter(clinic=clinic)
    judged = ImageFeatures.objects.filter(image=OuterRef("pk"))
    return with_confirmed_label(Image.objects.in_use()).filter(Exists(settled), Exists(patients), Exists(judged))
