"""The photographs that may be used for training, by current label and consent."""

from django.db.models import Exists, OuterRef, Q

from diagnosis.images.models import Image, ImageFeatures, ImageQuerySet
from diagnosis.reviews.answers import NOT_A_LESION, LabelState
from diagnosis.reviews.labelled_images import with_confirmed_label
from diagnosis.reviews.models import ConfirmedLabel
from mlmodel.taxonomy import CODES
from patients.models import Clinic, Patient, Purpose


def images_for_training(clinic: Clinic | None = None) -> ImageQuerySet:
    """Return the photographs that may be used for training, of ``clinic`` or of all, with ``confirmed_code``.

    Their label is settled as one of the seven classes, their features are stored, and the patient consents now: a
    withdrawal takes effect with the next query.
    """
    return _consented_and_labelled(Q(answer__in=CODES), clinic)


def images_outside_the_classes(clinic: Clinic | None = None) -> ImageQuerySet:
    """Return the photographs that meet all conditions of training but have a diagnosis outside the seven classes.

    Free-text diagnoses are included; photographs without a lesion are not.
    """
    return _consented_and_labelled(~Q(answer__in=(*CODES, NOT_A_LESION)), clinic)


def _consented_and_labelled(answer: Q, clinic: Clinic | None) -> ImageQuerySet:
    settled = ConfirmedLabel.objects.filter(answer, image=OuterRef("pk"), state=LabelState.SETTLED)
    patients = Patient.objects.filter(pk=OuterRef("visit__patient")).consenting_to(Purpose.TRAINING)
    if clinic is not None:
        patients = patients.filter(clinic=clinic)
    features = ImageFeatures.objects.filter(image=OuterRef("pk"))
    return with_confirmed_label(Image.objects.in_use()).filter(Exists(settled), Exists(patients), Exists(features))
