"""Why the system refuses to do something. ``code`` is for programs, ``message`` for people: it says what to do."""

from django.utils.translation import gettext as _

from dermascan.core.errors import Refused


class IsExcluded(Refused):
    """Something that is only done with photographs in use."""

    code = "is_excluded"

    def __init__(self) -> None:
        super().__init__(_("This photograph was set aside. Put it back first, if it is in the right record."))


class CannotReadOriginal(Refused):
    code = "cannot_read_original"

    def __init__(self) -> None:
        super().__init__(_("The original photograph could not be read. Upload it again."))
