"""Refusals about photographs. ``code`` is for programs; ``message`` tells people what to do."""

from django.utils.translation import gettext as _

from dermascan.core.errors import Refused
from diagnosis.images.models import Image


class AlreadyUploaded(Refused):
    """The same file is already stored for this lesion at this visit, as ``existing``."""

    code = "already_uploaded"

    def __init__(self, existing: Image) -> None:
        if existing.exclusions.standing().exists():
            words = _(
                "This photograph is already stored for this lesion at this visit, but excluded: undo the exclusion."
            )
        else:
            words = _("This photograph is already stored for this lesion at this visit.")
        super().__init__(words)
        self.existing = existing


class AlreadyExcluded(Refused):
    code = "already_excluded"

    def __init__(self) -> None:
        super().__init__(_("This photograph is already excluded."))


class FindingWouldBeLost(Refused):
    """The photograph holds a dangerous finding that no other photograph of the lesion in use confirms."""

    code = "finding_would_be_lost"

    def __init__(self, finding: str) -> None:
        super().__init__(
            _(
                "%(finding)s. No other photograph of this lesion in use is confirmed as malignant, so this finding "
                "would be lost. First give another photograph of the lesion this diagnosis, or ask the dermatologist "
                "who made it here to withdraw the review or to review this photograph again."
            )
            % {"finding": finding}
        )


class FindingNeedsDermatologist(Refused):
    code = "finding_needs_dermatologist"

    def __init__(self, finding: str) -> None:
        words = _("%(finding)s. Ask a dermatologist of the clinic to exclude this photograph.")
        super().__init__(words % {"finding": finding})


class FindingNeedsNote(Refused):
    code = "finding_needs_note"

    def __init__(self, finding: str) -> None:
        words = _("%(finding)s. State in a sentence which patient or lesion it shows, and how you know.")
        super().__init__(words % {"finding": finding})


class UrgentNeedsDermatologist(Refused):
    code = "urgent_needs_dermatologist"

    def __init__(self) -> None:
        super().__init__(
            _(
                "The network rates this photograph as urgent, its diagnosis is not confirmed, and no other photograph "
                "of the lesion is as urgent. A dermatologist of the clinic can exclude it and must give the reason in "
                "a sentence."
            )
        )


class NotExcluded(Refused):
    code = "not_excluded"

    def __init__(self) -> None:
        super().__init__(_("This photograph is in use: there is no exclusion to undo."))


class ExcludedWithVisit(Refused):
    code = "excluded_with_visit"

    def __init__(self) -> None:
        super().__init__(_("Its visit is void. Restore the visit: its photographs are then used again."))


class NothingToOverride(Refused):
    code = "nothing_to_override"

    def __init__(self) -> None:
        super().__init__(_("This photograph was already analysed: there is no refusal to override."))


class ReasonMissing(Refused):
    code = "reason_missing"

    def __init__(self) -> None:
        super().__init__(_("State why this photograph should be analysed anyway."))
