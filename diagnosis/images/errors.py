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


class DeviceOfAnotherClinic(Refused):
    code = "device_of_another_clinic"

    def __init__(self) -> None:
        super().__init__(_("This device belongs to another clinic. Choose one of your own."))


class ImplausibleTime(Refused):
    code = "implausible_time"

    def __init__(self) -> None:
        super().__init__(_("A photograph was taken in 1990 or later, and before it was uploaded. Correct the time."))


class NotItsOverview(Refused):
    code = "not_its_overview"

    def __init__(self) -> None:
        super().__init__(_("Choose an overview of the same lesion or of the same visit."))


class DeviceNameTaken(Refused):
    code = "device_name_taken"

    def __init__(self) -> None:
        super().__init__(_("The clinic already has a device with this name and lens. Give this one another name."))
