"""Why the system refuses to do something. ``code`` is for programs, ``message`` for people: it says what to do."""

from django.utils.translation import gettext as _

from dermascan.core.errors import Refused
from diagnosis.images.errors import CannotReadOriginal, IsExcluded
from diagnosis.images.models import Image
from diagnosis.reviews.errors import AnsweredMeanwhile, NothingToRetract, OtherTextMissing, TooLateToRetract
from patients.services.visits import VisitIsClosed

__all__ = [
    "AlreadyExcluded",
    "AlreadyUploaded",
    "AnsweredMeanwhile",
    "CannotReadOriginal",
    "FindingNeedsDermatologist",
    "FindingNeedsNote",
    "FindingWouldBeLost",
    "IsExcluded",
    "LesionOfAnotherPatient",
    "NotExcluded",
    "NothingToOverride",
    "NothingToRetract",
    "OtherTextMissing",
    "ReasonMissing",
    "Refused",
    "TooLateToRetract",
    "UrgentNeedsDermatologist",
    "VisitIsClosed",
]


class AlreadyUploaded(Refused):
    """The same bytes are already kept for this lesion at this visit, as ``existing``."""

    code = "already_uploaded"

    def __init__(self, existing: Image) -> None:
        if existing.exclusions.standing().exists():
            words = _("This photograph is already kept for this lesion at this visit, but was set aside: put it back.")
        else:
            words = _("This photograph is already kept for this lesion at this visit.")
        super().__init__(words)
        self.existing = existing


class AlreadyExcluded(Refused):
    code = "already_excluded"

    def __init__(self) -> None:
        super().__init__(_("This photograph was set aside already."))


class FindingWouldBeLost(Refused):
    """A photograph that says something dangerous of its lesion, which no other photograph in use says; by name."""

    code = "finding_would_be_lost"

    def __init__(self, finding: str) -> None:
        super().__init__(
            _(
                "%(finding)s. No other photograph in use of this lesion is confirmed as malignant, so the lesion "
                "would no longer say so. First give another photograph of it this diagnosis, or ask the dermatologist "
                "who named it here to take that back or to review this one again."
            )
            % {"finding": finding}
        )


class FindingNeedsDermatologist(Refused):
    code = "finding_needs_dermatologist"

    def __init__(self, finding: str) -> None:
        words = _("%(finding)s. Ask a dermatologist of the clinic to set this photograph aside.")
        super().__init__(words % {"finding": finding})


class FindingNeedsNote(Refused):
    code = "finding_needs_note"

    def __init__(self, finding: str) -> None:
        words = _("%(finding)s. Say in a sentence whose or which lesion it shows, and how you know.")
        super().__init__(words % {"finding": finding})


class UrgentNeedsDermatologist(Refused):
    code = "urgent_needs_dermatologist"

    def __init__(self) -> None:
        super().__init__(
            _(
                "The network finds this photograph urgent, nobody has confirmed what it shows, and no other "
                "photograph of the lesion says as much. A dermatologist of the clinic can set it aside, and says why "
                "in a sentence."
            )
        )


class NotExcluded(Refused):
    code = "not_excluded"

    def __init__(self) -> None:
        super().__init__(_("This photograph is in use: there is nothing to put back."))


class LesionOfAnotherPatient(Refused):
    code = "lesion_of_another_patient"

    def __init__(self) -> None:
        super().__init__(_("This lesion belongs to another patient. Choose one of this patient's lesions."))


class NothingToOverride(Refused):
    code = "nothing_to_override"

    def __init__(self) -> None:
        super().__init__(_("This photograph was judged already; there is no refusal to override."))


class ReasonMissing(Refused):
    code = "reason_missing"

    def __init__(self) -> None:
        super().__init__(_("Say why this photograph is to be judged all the same."))
