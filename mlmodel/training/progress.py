"""How far a run is, in lines that people read while it runs."""

import time
from collections.abc import Callable, Sequence

from mlmodel.training.recipe import Recipe
from mlmodel.training.run_folder import Place

_SAY_EVERY_SECONDS = 30.0
_BAR = 24


class Progress:
    """Says where a run stands and when its phase will end, at most every half minute; ``epoch_steps`` is by phase."""

    def __init__(self, recipe: Recipe, *, epoch_steps: Sequence[int], say: Callable[[str], None]) -> None:
        self._recipe, self._epoch_steps, self._say = recipe, epoch_steps, say
        self._said = 0.0
        self._began: tuple[int, int, float] | None = None

    def step(self, place: Place, *, loss: float) -> None:
        """Tell of steps taken; ``loss`` is the mean of the last ones."""
        now = time.monotonic()
        # A phase has its own speed, so the time left is reckoned from what this process did of this phase.
        if self._began is None or self._began[0] != place.phase:
            self._began = (place.phase, place.steps_taken, now)
            return
        if now - self._said < _SAY_EVERY_SECONDS:
            return
        self._said = now
        phase = self._recipe.phases[place.phase]
        seconds = (now - self._began[2]) / (place.steps_taken - self._began[1])
        epoch_steps = self._epoch_steps[place.phase]
        done, whole = place.epoch * epoch_steps + place.step, phase.epochs * epoch_steps
        filled = round(_BAR * done / whole)
        self._say(
            f"phase {place.phase + 1}/{len(self._recipe.phases)} · epoch {place.epoch + 1}/{phase.epochs} "
            f"▕{'█' * filled}{' ' * (_BAR - filled)}▏ step {place.step}/{epoch_steps} · {phase.side} px · "
            f"loss {loss:.3f} · {seconds:.2f} s a step · {_span((whole - done) * seconds)} left in this phase"
        )

    def epoch(self, place: Place, figures: dict[str, float]) -> None:
        """Tell of an epoch's end."""
        said = ", ".join(f"{name.replace('_', ' ')} {value:.3f}" for name, value in figures.items())
        self._say(f"— end of epoch {place.epoch + 1} of phase {place.phase + 1}: {said}")


def _span(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02} min" if minutes >= 60 else f"{minutes} min"
