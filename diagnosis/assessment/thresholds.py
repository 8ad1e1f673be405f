"""A dermatologist chooses the clinic's thresholds and class mix, for photographs from then on."""

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext as _

from dermascan.core.errors import Refused
from dermascan.core.sentences import is_a_sentence
from diagnosis.assessment.class_mix import own_mix_of
from diagnosis.images.clinic_analysers import levels_here, newest_settings
from diagnosis.images.models import AnswerSettings
from diagnosis.images.models.answer_settings import MixChoice
from mlmodel.network.threshold_levels import UrgentLevel, WatchLevel
from mlmodel.versions.serving import now_serving
from patients.models import Clinic, Member


class NoLevels(Refused):
    code = "no_levels"

    def __init__(self) -> None:
        super().__init__(_("The active network offers no other levels: its thresholds cannot be changed."))


class ChosenMeanwhile(Refused):
    code = "chosen_meanwhile"

    def __init__(self) -> None:
        super().__init__(_("A colleague has changed this in the meantime. Check the current settings, then choose."))


class NothingMoved(Refused):
    code = "nothing_moved"

    def __init__(self) -> None:
        super().__init__(_("These settings already apply: nothing was changed."))


class ThresholdsReasonMissing(Refused):
    code = "thresholds_reason_missing"

    def __init__(self) -> None:
        super().__init__(_("Give the reason in a sentence. It is stored with the choice."))


class MixNotOffered(Refused):
    code = "mix_not_offered"

    def __init__(self) -> None:
        super().__init__(_("The clinic's own mix of diagnoses is not offered: see why below."))


def choose_answer_settings(
    *, by: Member, watch: WatchLevel, urgent: UrgentLevel, mix: MixChoice, reason: str, seen: int
) -> AnswerSettings:
    """Store new answer settings for the clinic of ``by``; they apply from now on.

    Args:
        mix: the class mix for percentages; ``OWN`` is estimated from confirmed labels now.
        seen: the number of the newest settings that ``by`` was shown; 0 for none.

    Raises:
        PermissionDenied: ``by`` is not a dermatologist.
        NoLevels, MixNotOffered, ChosenMeanwhile, NothingMoved, ThresholdsReasonMissing: nothing was changed.
    """
    if not by.is_dermatologist:
        raise PermissionDenied
    if not is_a_sentence(reason):
        raise ThresholdsReasonMissing
    serving, requested = now_serving(), (watch, urgent)
    has_levels = levels_here(serving.analyser) is not None
    with transaction.atomic():
        clinic = Clinic.objects.select_for_update().get(pk=by.clinic_id)
        newest = newest_settings(clinic.pk)
        if (newest.number if newest else 0) != seen:
            raise ChosenMeanwhile
        # The current levels may stay, and going back to the released thresholds is always possible.
        if not has_levels and requested not in (levels_of(newest), levels_of(None)):
            raise NoLevels
        class_mix = newest.class_mix if newest and mix is MixChoice.KEPT else {}
        if mix is MixChoice.OWN:
            own = own_mix_of(clinic, serving.version, serving.analyser)
            if not own.is_offered:
                raise MixNotOffered
            class_mix = own.mix
        if (*requested, class_mix) == (*levels_of(newest), newest.class_mix if newest else {}):
            raise NothingMoved
        return AnswerSettings.objects.create(
            clinic=clinic,
            number=seen + 1,
            watch=watch.value,
            urgent=urgent.value,
            class_mix=class_mix,
            reason=reason.strip(),
            member=by,
        )


def levels_of(settings: AnswerSettings | None) -> tuple[WatchLevel, UrgentLevel]:
    """Return the two levels of ``settings``; the released ones without settings."""
    if settings is None:
        return WatchLevel.RELEASED, UrgentLevel.RELEASED
    return WatchLevel(settings.watch), UrgentLevel(settings.urgent)
