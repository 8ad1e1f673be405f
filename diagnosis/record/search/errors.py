"""Refusals about saved filters."""

from django.utils.translation import gettext as _

from dermascan.core.errors import Refused
from diagnosis.record.search.models import MOST_SAVED


class FilterNameTaken(Refused):
    code = "filter_name_taken"

    def __init__(self, name: str) -> None:
        super().__init__(
            _("You have another filter called “%(name)s”. Choose another name, or delete that filter first.")
            % {"name": name}
        )


class NothingToSave(Refused):
    code = "filter_is_empty"

    def __init__(self) -> None:
        super().__init__(
            _("There is nothing to save. Choose a filter first; words are not saved, because they name patients.")
        )


class TooManySaved(Refused):
    code = "too_many_filters"

    def __init__(self) -> None:
        super().__init__(_("You have saved %(number)d filters. Delete one first.") % {"number": MOST_SAVED})
