"""A dermatologist may have a refused photograph judged all the same, with a stated reason."""

from django.core.exceptions import PermissionDenied
from django.db import transaction

from diagnosis.answer_settings import serving_in
from diagnosis.models import Image, Prediction, QualityOverride
from diagnosis.services.analysis import read_original, record_prediction
from diagnosis.services.errors import IsSetAside, NothingToOverride, ReasonMissing, VisitIsClosed
from diagnosis.services.files import kept_only_on_success
from patients.models import Member, Visit
from patients.services.visits import lock_open_visit


def override_refusal(*, image: Image, by: Member, reason: str) -> Prediction:
    """Judge a refused photograph on a dermatologist's word; who, when and why are kept beside the answer.

    Raises:
        PermissionDenied: ``by`` is no dermatologist of the patient's clinic.
        ReasonMissing, VisitIsClosed, NothingToOverride, IsSetAside, CannotReadOriginal: see
            ``diagnosis.services.errors``.
    """
    if not by.is_dermatologist or by.clinic_id != image.visit.patient.clinic_id:
        raise PermissionDenied
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
    if image.set_asides.standing().exists():
        raise IsSetAside
