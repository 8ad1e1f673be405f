"""Networks that teach another one: what they say, on average, of the very photographs that it is shown."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from mlmodel.network.calibration import Labels, softmax
from mlmodel.training.recipe import Recipe, RecipeError
from mlmodel.training.run_folder import RunDirectory, RunError
from mlmodel.training.sampling import held_log_mix
from mlmodel.training.trained import load_trained


@dataclass(frozen=True)
class Teachers:
    """Trained networks of the same classes, ready to be asked.

    Attributes:
        networks: from float32 (B, side, side, 3), 0 to 255, to logits (B, classes).
        held: what each one's logits hold of the class mix, float64 (classes,).
    """

    networks: Sequence[Callable[[Any], Any]]
    held: Sequence[npt.NDArray[np.float64]]

    @classmethod
    def of(cls, recipe: Recipe, trained_labels: Labels, *, beside: RunDirectory) -> "Teachers | None":
        """Return the teachers that ``recipe`` names, or None if it names none.

        Args:
            recipe: of the network that learns.
            trained_labels: int64 (N,), the exact labels of the photographs that teachers and learner are trained on.
            beside: the run whose neighbours they are.

        Raises:
            RecipeError: a teacher knows other classes, was trained on other photographs or sees them otherwise.
            RunError: a teacher's run is not there or has not ended.
        """
        networks, held = [], []
        for name in recipe.teachers:
            own, network = load_trained(RunDirectory(beside.path.parent / name))
            if own.classes != recipe.classes or own.preparation != recipe.preparation or _split(own) != _split(recipe):
                raise RecipeError(f"“{name}” cannot teach “{recipe.name}”: it knows or sees other things.")
            networks.append(_compiled(network))
            held.append(held_log_mix(trained_labels, sampling=own.sampling, loss=own.loss))
        return cls(networks, held) if networks else None

    def probabilities(
        self, pixels: npt.NDArray[np.uint8], log_priors: npt.NDArray[np.float32]
    ) -> npt.NDArray[np.float32]:
        """Return the mean of what the teachers say of photographs, float32 (B, classes).

        Args:
            pixels: uint8 (B, side, side, 3).
            log_priors: float32 (B, classes), the class mix that the learner is shown each in: they answer for it.
        """
        shown = tf.cast(tf.constant(pixels), tf.float32)
        said = [
            softmax(network(shown).numpy() - held + log_priors)
            for network, held in zip(self.networks, self.held, strict=True)
        ]
        return np.mean(said, axis=0).astype(np.float32)


def check_teachers(recipe: Recipe, *, beside: RunDirectory) -> None:
    """Make sure, before anything is begun, that the teachers which ``recipe`` names have ended.

    Raises:
        RunError: one has not, or is not there.
    """
    for name in recipe.teachers:
        if RunDirectory(beside.path.parent / name).report() is None:
            raise RunError(f"“{name}” is to teach “{recipe.name}”: beside {beside.path.name}, no such run has ended.")


def _split(recipe: Recipe) -> tuple[str, int]:
    return recipe.split, recipe.seed if recipe.split == "by-image" else 0


def _compiled(network: keras.Model) -> Callable[[Any], Any]:
    compiled: Callable[[Any], Any] = tf.function(lambda shown: network(shown, training=False), reduce_retracing=True)
    return compiled
