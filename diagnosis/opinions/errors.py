"""Refusals about second opinions. ``code`` is for programs; ``message`` tells people what to do."""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dermascan.core.errors import Refused
from diagnosis.opinions.models import LONGEST_DAYS


class NothingToShare(Refused):
    code = "nothing_to_share"

    def __init__(self) -> None:
        super().__init__(_("Choose at least one photograph of this lesion that is in use."))


class CannotBeAsked(Refused):
    code = "cannot_be_asked"

    def __init__(self) -> None:
        super().__init__(
            _("Ask another dermatologist of your clinic who can sign in, or a doctor outside the clinic.")
        )


class TooLong(Refused):
    code = "too_long"

    def __init__(self) -> None:
        super().__init__(_("A request may stay open for at most %(days)d days.") % {"days": LONGEST_DAYS})


class OpinionIsClosed(Refused):
    """The request was answered, revoked, or has expired."""

    code = "opinion_is_closed"

    def __init__(self) -> None:
        super().__init__(_("This request can no longer be answered: it was answered or revoked, or it has expired."))


class WrongCode(Refused):
    code = "wrong_code"

    def __init__(self, left: int) -> None:
        words = ngettext(
            "This is not the code. You can try %(left)d more time.",
            "This is not the code. You can try %(left)d more times.",
            left,
        )
        super().__init__(words % {"left": left})


class TooManyWrongCodes(Refused):
    code = "too_many_wrong_codes"

    def __init__(self) -> None:
        super().__init__(_("Too many wrong codes were entered. Ask the clinic for a new code."))
