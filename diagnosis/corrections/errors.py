"""Refusals of corrections. ``code`` is for programs; ``message`` tells people what to do."""

from django.utils.translation import gettext as _

from dermascan.core.errors import Refused


class CannotCorrect(Refused):
    """The records do not allow this correction; the message says why and what to do."""

    code = "cannot_correct"


class ReasonNeeded(Refused):
    code = "correction_needs_a_reason"

    def __init__(self) -> None:
        super().__init__(_("Explain in a sentence what is wrong and how you know."))


class SignedNeedsSenior(Refused):
    code = "signed_needs_dermatologist_or_manager"

    def __init__(self) -> None:
        super().__init__(_("Something signed is touched: ask a dermatologist or manager of the clinic to do this."))


class DangerNeedsDermatologist(Refused):
    code = "danger_needs_dermatologist"

    def __init__(self, findings: list[str]) -> None:
        words = _("%(findings)s. A dermatologist has to do this, since a dangerous finding goes with it.")
        super().__init__(words % {"findings": "; ".join(findings)})


class ChangedSincePreview(Refused):
    code = "changed_since_preview"

    def __init__(self) -> None:
        super().__init__(
            _("The records were changed after this page was opened. Nothing was done: read it again, then confirm.")
        )


class AlreadyUndone(Refused):
    code = "correction_already_undone"

    def __init__(self) -> None:
        super().__init__(_("This was already undone."))


class CannotUndo(Refused):
    """Something was built on the correction; the message says what."""

    code = "cannot_undo"
