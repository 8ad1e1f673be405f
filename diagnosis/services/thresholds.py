"""A dermatologist moves the clinic's thresholds, for what is photographed from then on."""

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext as _

from diagnosis.models import ThresholdChoice
from diagnosis.reports.checks import is_a_sentence
from diagnosis.services.errors import Refused
from diagnosis.thresholds import levels_here, newest_choice
from mlmodel.serving import active_analyser
from mlmodel.threshold_levels import UrgentLevel, WatchLevel
from patients.models import Clinic, Member


class NoLevels(Refused):
    code = "no_levels"

    def __init__(self) -> None:
        super().__init__(_("The network in use states no other levels: its thresholds cannot be moved."))


class ChosenMeanwhile(Refused):
    code = "chosen_meanwhile"

    def __init__(self) -> None:
        super().__init__(_("A colleague has moved the thresholds meanwhile. Look at what counts now, then choose."))


class NothingMoved(Refused):
    code = "nothing_moved"

    def __init__(self) -> None:
        super().__init__(_("The thresholds are there already: nothing was changed."))


class WhyMissing(Refused):
    code = "reason_missing"

    def __init__(self) -> None:
        super().__init__(_("Say in a sentence why: it is kept with the choice."))


def choose_thresholds(
    *, by: Member, watch: WatchLevel, urgent: UrgentLevel, reason: str, seen: int
) -> ThresholdChoice:
    """Have the tiers of the clinic of ``by`` begin at these levels from now on.

    Args:
        seen: the number of the newest choice that ``by`` was shown; 0 for none.

    Raises:
        PermissionDenied: ``by`` is no dermatologist.
        NoLevels, ChosenMeanwhile, NothingMoved, WhyMissing: nothing was changed.
    """
    if not by.is_dermatologist:
        raise PermissionDenied
    if not is_a_sentence(reason):
        raise WhyMissing
    if levels_here(active_analyser()) is None:
        raise NoLevels
    with transaction.atomic():
        clinic = Clinic.objects.select_for_update().get(pk=by.clinic_id)
        newest = newest_choice(clinic.pk)
        if (newest.number if newest else 0) != seen:
            raise ChosenMeanwhile
        if (watch, urgent) == levels_of_choice(newest):
            raise NothingMoved
        return ThresholdChoice.objects.create(
            clinic=clinic, number=seen + 1, watch=str(watch), urgent=str(urgent), reason=reason.strip(), member=by
        )


def levels_of_choice(choice: ThresholdChoice | None) -> tuple[WatchLevel, UrgentLevel]:
    """Return the two levels that count after ``choice``."""
    if choice is None:
        return WatchLevel.RELEASED, UrgentLevel.RELEASED
    return WatchLevel(choice.watch), UrgentLevel(choice.urgent)
