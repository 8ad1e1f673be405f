"""Refusals about photographs. ``code`` is for programs; ``message`` tells people what to do."""

from django.utils.translation import gettext as _

from dermascan.core.errors import Refused


class IsExcluded(Refused):
    """The action needs a photograph that is in use."""

    code = "is_excluded"

    def __init__(self) -> None:
        super().__init__(_("This photograph is excluded. Undo the exclusion first, if it is in the right record."))


class CannotReadOriginal(Refused):
    code = "cannot_read_original"

    def __init__(self) -> None:
        super().__init__(_("The original photograph could not be read. Upload it again."))
