"""Refusals about specimens, results and closures. ``code`` is for programs; ``message`` tells people what to do."""

from django.utils.translation import gettext as _

from dermascan.core.errors import Refused
from diagnosis.outcomes.models import Specimen


class ChangedSince(Refused):
    """A colleague has recorded something about the lesion since the form was opened."""

    code = "outcome_changed_since"

    def __init__(self) -> None:
        super().__init__(
            _(
                "A colleague has recorded something about this lesion since the page was opened. Nothing is saved "
                "yet: check what is there now, then send again what is still needed."
            )
        )


class SpecimenNumberTaken(Refused):
    """Another specimen of the clinic has this number."""

    code = "specimen_number_taken"

    def __init__(self, specimen: Specimen) -> None:
        words = _("%(specimen)s, sent on %(date)s, already has this number. Check the number and the patient.")
        super().__init__(words % {"specimen": specimen.title, "date": specimen.sent_on.isoformat()})
        self.specimen = specimen


class SpecimenHasNumber(Refused):
    code = "specimen_has_number"

    def __init__(self) -> None:
        super().__init__(
            _(
                "This specimen has another number already. If that one is wrong, withdraw the specimen and record it "
                "again."
            )
        )


class OfAnotherPatient(Refused):
    code = "of_another_patient"

    def __init__(self) -> None:
        super().__init__(_("Choose a visit of this patient."))


class LesionIsClosed(Refused):
    code = "lesion_is_closed"

    def __init__(self) -> None:
        super().__init__(_("This lesion is closed. A dermatologist can reopen it; then record this."))


class LesionIsOpen(Refused):
    code = "lesion_is_open"

    def __init__(self) -> None:
        super().__init__(_("This lesion is not closed."))


class ResultAwaited(Refused):
    """A lesion is not closed while a result is missing or not confirmed, or nobody would ask for it."""

    code = "result_awaited"

    def __init__(self, specimen: Specimen) -> None:
        words = _("The result of “%(specimen)s” is still awaited or to be confirmed. Close the lesion after that.")
        super().__init__(words % {"specimen": specimen.title})


class SpecimenIsWithdrawn(Refused):
    code = "specimen_is_withdrawn"

    def __init__(self) -> None:
        super().__init__(_("This specimen was withdrawn. Record it again if it was sent after all."))


class SpecimenHasResult(Refused):
    code = "specimen_has_result"

    def __init__(self) -> None:
        super().__init__(_("This specimen has a result. Withdraw the result first."))


class ReceivedTooEarly(Refused):
    code = "received_before_it_was_sent"

    def __init__(self, specimen: Specimen) -> None:
        words = _("The specimen was sent on %(date)s. Enter that day or a later one.")
        super().__init__(words % {"date": specimen.sent_on.isoformat()})


class OutcomeNeedsReason(Refused):
    code = "outcome_needs_reason"

    def __init__(self) -> None:
        super().__init__(_("Give the reason in a sentence. It is stored with your name."))


class ResultIsWithdrawn(Refused):
    code = "result_is_withdrawn"

    def __init__(self) -> None:
        super().__init__(_("This result was withdrawn."))


class AlreadyConfirmed(Refused):
    code = "already_confirmed"

    def __init__(self) -> None:
        super().__init__(_("This result is already confirmed."))


class AmendedSince(Refused):
    code = "amended_since"

    def __init__(self) -> None:
        super().__init__(_("A newer result of this specimen has been entered. Confirm that one."))
