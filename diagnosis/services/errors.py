"""Why the system refuses to do something. ``code`` is for programs, ``message`` for people: it says what to do."""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from diagnosis.models import Image, Review
from diagnosis.models.review import RETRACTABLE_FOR
from patients.durations import in_words
from patients.services.visits import VisitIsClosed

__all__ = [
    "AlreadySetAside",
    "AlreadyUploaded",
    "AnsweredMeanwhile",
    "CannotReadOriginal",
    "FindingNeedsDermatologist",
    "FindingNeedsNote",
    "FindingWouldBeLost",
    "IsSetAside",
    "LesionOfAnotherPatient",
    "NotSetAside",
    "NothingToOverride",
    "NothingToRetract",
    "OtherTextMissing",
    "ReasonMissing",
    "Refused",
    "TooLateToRetract",
    "UrgentNeedsDermatologist",
    "VisitIsClosed",
]


class Refused(Exception):
    """Something that may not be done as things stand."""

    code = "refused"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class AlreadyUploaded(Refused):
    """The same bytes are already kept for this lesion at this visit, as ``existing``."""

    code = "already_uploaded"

    def __init__(self, existing: Image) -> None:
        if existing.set_asides.standing().exists():
            words = _("This photograph is already kept for this lesion at this visit, but was set aside: put it back.")
        else:
            words = _("This photograph is already kept for this lesion at this visit.")
        super().__init__(words)
        self.existing = existing


class AnsweredMeanwhile(Refused):
    """Colleagues have said something of the photograph since the form was made; ``reviews`` are theirs."""

    code = "answered_meanwhile"

    def __init__(self, reviews: Sequence[Review]) -> None:
        said = _("%(who)s: %(answer)s, %(certainty)s")
        answers = [
            said
            % {
                "who": each.reviewer.name,
                "answer": each.answer_words,
                "certainty": each.get_certainty_display().lower(),
            }
            for each in reviews
        ]
        words = _(
            "A colleague has answered since this page was opened (%(answers)s). Nothing of yours is recorded yet."
        )
        super().__init__(words % {"answers": "; ".join(answers)})
        self.reviews = tuple(reviews)


class AlreadySetAside(Refused):
    code = "already_set_aside"

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


class NotSetAside(Refused):
    code = "not_set_aside"

    def __init__(self) -> None:
        super().__init__(_("This photograph is in use: there is nothing to put back."))


class IsSetAside(Refused):
    """Something that is only done with photographs in use."""

    code = "is_set_aside"

    def __init__(self) -> None:
        super().__init__(_("This photograph was set aside. Put it back first, if it is in the right record."))


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


class CannotReadOriginal(Refused):
    code = "cannot_read_original"

    def __init__(self) -> None:
        super().__init__(_("The original photograph could not be read. Upload it again."))


class OtherTextMissing(Refused):
    code = "other_text_missing"

    def __init__(self) -> None:
        super().__init__(_("Say what else it is."))


class NothingToRetract(Refused):
    code = "nothing_to_retract"

    def __init__(self) -> None:
        super().__init__(_("There is nothing to take back: this review was taken back already."))


class TooLateToRetract(Refused):
    code = "too_late_to_retract"

    def __init__(self) -> None:
        super().__init__(
            _("A review can be taken back for %(time)s. Now add another one; both stay.")
            % {"time": in_words(RETRACTABLE_FOR)}
        )
