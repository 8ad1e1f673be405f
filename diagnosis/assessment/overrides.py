"""Overrides of the quality check: a dermatologist has a refused photograph analysed anyway, with a reason."""

from django.db import transaction

from dermascan.core.written_files import kept_only_on_success
from diagnosis.assessment.analysis import read_original, record_prediction
from diagnosis.assessment.errors import NothingToOverride, ReasonMissing
from diagnosis.images.clinic_analysers import serving_in
from diagnosis.images.errors import IsExcluded
from diagnosis.images.models import Image, Prediction, QualityOverride
from patients.models import Member, Visit
from patients.services.same_clinic import ensure_dermatologist_of
from patients.services.visits import VisitIsClosed, lock_open_visit


def override_refusal(*, image: Image, by: Member, reason: str) -> Prediction:
    """Analyse a refused photograph anyway, and store who decided that, when and why with the prediction.

    Raises:
        PermissionDenied: ``by`` is not a dermatologist of the patient's clinic.
        ReasonMissing, VisitIsClosed, NothingToOverride, IsExcluded, CannotReadOriginal: see
            ``diagnosis.assessment.errors``.
    """
    ensure_dermatologist_of(image.visit.patient, by)
    reason = reason.strip()
    if not reason:
        raise ReasonMissing
    _check(image.visit, image)
    serving = serving_in(image.visit.patient.clinic_id)
    reading = read_original(image, analyser=serving.analyser)
    with kept_only_on_success() as files, transaction.atomic():
        _check(lock_open_visit(visit_id=image.visit_id), image)
        QualityOverride.objects.create(image=image, member=by, reason=reason)
        return record_prediction(image=image, serving=serving, reading=reading, files=files)


def _check(visit: Visit, image: Image) -> None:
    if not visit.is_open:
        raise VisitIsClosed
    if image.is_accepted or QualityOverride.objects.filter(image=image).exists():
        raise NothingToOverride
    if image.exclusions.standing().exists():
        raise IsExcluded
