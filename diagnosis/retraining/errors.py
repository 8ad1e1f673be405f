"""Why a run does not start or go on. Each says what to do about it."""

from django.conf import settings
from django.utils.translation import gettext as _

from dermascan.core.durations import in_words
from diagnosis.retraining.models import TrainingRun


class RetrainingRefused(Exception):
    """What was asked for cannot be done now."""


class RunIsAlive(RetrainingRefused):
    def __init__(self) -> None:
        super().__init__(_("A run is at work already. Wait until it ends, or abandon it."))


class NothingToLearn(RetrainingRefused):
    def __init__(self) -> None:
        super().__init__(
            _(
                "There is nothing new to learn from: no photograph has a label that was settled since the active "
                "version was made, and a patient who agrees to training. Review some first."
            )
        )


class NotResumable(RetrainingRefused):
    def __init__(self, run: TrainingRun | None) -> None:
        if run is None:
            words = _("There is no run that could be resumed. Start a new one.")
        elif run.is_alive:
            words = _(
                "The run is at work: nothing has to be resumed. One that falls silent is seen within %(time)s."
            ) % {"time": in_words(settings.RETRAINING_DEAD_AFTER_SECONDS)}
        else:
            words = _("Only a run that stopped without a word can be resumed. Start a new one.")
        super().__init__(words)


class NotAbandonable(RetrainingRefused):
    def __init__(self) -> None:
        super().__init__(_("There is no run at work and none that stopped without a word: nothing to abandon."))


class ManifestAltered(RetrainingRefused):
    def __init__(self) -> None:
        super().__init__(
            _("What the run was frozen on is no longer what it was: a manifest or features were altered. Start anew.")
        )


class LeaseLost(Exception):
    """The run was abandoned, or another process has resumed it: this one's work no longer counts."""
