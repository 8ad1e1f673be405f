"""Reasons why a run cannot start or continue, each with what to do."""

from django.conf import settings
from django.utils.translation import gettext as _

from dermascan.core.durations import in_words
from dermascan.core.errors import Refused
from diagnosis.retraining.models import TrainingRun


class RetrainingRefused(Refused):
    """The request cannot be carried out now."""

    code = "retraining_refused"


class RunIsAlive(RetrainingRefused):
    code = "run_is_alive"

    def __init__(self) -> None:
        super().__init__(_("A run is already in progress. Wait until it ends, or abandon it."))


class NothingToLearn(RetrainingRefused):
    code = "nothing_to_learn"

    def __init__(self) -> None:
        super().__init__(
            _(
                "There is nothing new to train on: since the active version was made, no label was settled for a "
                "photograph of a patient who consents to training. Review some photographs first."
            )
        )


class NotResumable(RetrainingRefused):
    code = "not_resumable"

    def __init__(self, run: TrainingRun | None) -> None:
        if run is None:
            words = _("There is no run to resume. Start a new one.")
        elif run.is_alive:
            words = _(
                "The run is in progress and need not be resumed. If it stops responding, this is noticed within "
                "%(time)s."
            ) % {"time": in_words(settings.RETRAINING_DEAD_AFTER_SECONDS)}
        else:
            words = _("Only a run that stopped responding can be resumed. Start a new one.")
        super().__init__(words)


class NotAbandonable(RetrainingRefused):
    code = "not_abandonable"

    def __init__(self) -> None:
        super().__init__(_("There is no run to abandon: none is in progress, and none stopped responding."))


class ManifestAltered(RetrainingRefused):
    code = "manifest_altered"

    def __init__(self) -> None:
        super().__init__(
            _("The run's frozen data have changed: its manifest or its features were altered. Start a new run.")
        )


class LeaseLost(Exception):
    """The run was abandoned or resumed by another process; this process must stop."""
