"""Progress messages of a training run."""

import time
from collections.abc import Callable, Sequence

from mlmodel.training.recipe import Recipe
from mlmodel.training.run_folder import Place

_INTERVAL_SECONDS = 30.0
_BAR = 24


class Progress:
    """Reports the progress and the time left in the phase, at most every half minute; ``epoch_steps`` is by phase."""

    def __init__(self, recipe: Recipe, *, epoch_steps: Sequence[int], say: Callable[[str], None]) -> None:
        self._recipe, self._epoch_steps, self._say = recipe, epoch_steps, say
        self._last_report = 0.0
        self._start: tuple[int, int, float] | None = None

    def step(self, place: Place, *, loss: float) -> None:
        """Report progress after a step; ``loss`` is the mean of the last steps."""
        now = time.monotonic()
        # Phases differ in speed, so the time left is estimated from this process's steps in this phase.
        if self._start is None or self._start[0] != place.phase:
            self._start = (place.phase, place.steps_taken, now)
            return
        if now - self._last_report < _INTERVAL_SECONDS:
            return
        self._last_report = now
        phase = self._recipe.phases[place.phase]
        seconds = (now - self._start[2]) / (place.steps_taken - self._start[1])
        epoch_steps = self._epoch_steps[place.phase]
        done, whole = place.epoch * epoch_steps + place.step, phase.epochs * epoch_steps
        filled = round(_BAR * done / whole)
        self._say(
            f"phase {place.phase + 1}/{len(self._recipe.phases)} · epoch {place.epoch + 1}/{phase.epochs} "
            f"▕{'█' * filled}{' ' * (_BAR - filled)}▏ step {place.step}/{epoch_steps} · {phase.side} px · "
            f"loss {loss:.3f} · {seconds:.2f} s per step · {_span((whole - done) * seconds)} left in this phase"
        )

    def epoch(self, place: Place, figures: dict[str, float]) -> None:
        """Report the end of an epoch."""
        metrics = ", ".join(f"{name.replace('_', ' ')} {value:.3f}" for name, value in figures.items())
        self._say(f"— end of epoch {place.epoch + 1} of phase {place.phase + 1}: {metrics}")


def _span(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02} min" if minutes >= 60 else f"{minutes} min"
