"""What dermatologists say of a photograph. Kept for good: a second thought is a second review."""

from django.core.exceptions import PermissionDenied

from diagnosis.models import Image, Review
from patients.models import Member


def record_review(*, image: Image, reviewer: Member, code: str, certainty: str, reason: str) -> Review:
    """Add a review. A signed visit can be reviewed too: histopathology comes later than signatures.

    Raises:
        PermissionDenied: the reviewer is no dermatologist of the patient's clinic.
    """
    if not reviewer.is_dermatologist or reviewer.clinic_id != image.visit.patient.clinic_id:
        raise PermissionDenied
    return Review.objects.create(image=image, reviewer=reviewer, code=code, certainty=certainty, reason=reason.strip())
