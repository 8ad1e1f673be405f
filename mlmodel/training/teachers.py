"""Teachers for distillation: their mean answer to the same photographs as the student's."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from mlmodel.network.calibration import Labels, softmax
from mlmodel.network.engine import Engine
from mlmodel.network.head import Head
from mlmodel.releases.release import load_release
from mlmodel.releases.release_files import MANIFEST
from mlmodel.taxonomy import CODES
from mlmodel.training.learner import Targets
from mlmodel.training.recipe import Recipe, RecipeError
from mlmodel.training.run_folder import RunDirectory, RunError
from mlmodel.training.sampling import implied_log_mix
from mlmodel.training.trained import load_trained


@dataclass(frozen=True)
class Teachers:
    """Trained networks with the same classes.

    Attributes:
        networks: functions from float32 (B, side, side, 3), 0 to 255, to logits (B, classes).
        held: the log class priors included in each one's logits, float64 (classes,).
        sources: the sources for which they are used; empty for all.
    """

    networks: Sequence[Callable[[Any], Any]]
    held: Sequence[npt.NDArray[np.float64]]
    sources: tuple[str, ...] = ()

    @classmethod
    def of(cls, recipe: Recipe, trained_labels: Labels, *, beside: RunDirectory) -> "Teachers | None":
        """Return the teachers in ``recipe``, or None if it has none.

        Args:
            recipe: the recipe of the student.
            trained_labels: int64 (N,), the exact labels of the training photographs of teachers and student.
            beside: the student's run; the teachers' folders are next to it.

        Raises:
            RecipeError: a teacher has other classes, another split or other preprocessing.
            RunError: a teacher's run is missing or has not finished.
        """
        networks, held = [], []
        for name in recipe.teachers:
            folder = beside.path.parent / name
            if is_release(folder):
                network, mix = _released(folder)
                networks.append(network)
                held.append(mix)
                continue
            own, network = load_trained(RunDirectory(folder))
            if own.classes != recipe.classes or own.preparation != recipe.preparation or _split(own) != _split(recipe):
                raise RecipeError(
                    f"“{name}” cannot teach “{recipe.name}”: it has other classes, preprocessing or split."
                )
            networks.append(_compiled(network))
            held.append(implied_log_mix(trained_labels, sampling=own.sampling, loss=own.loss))
        return cls(networks, held, recipe.taught_sources) if networks else None

    def ask(
        self, pixels: npt.NDArray[np.uint8], targets: Targets, sources: npt.NDArray[np.str_], *, share: float
    ) -> Targets:
        """Return the targets of B photographs with the teachers' answers for those of their sources.

        Args:
            pixels: uint8 (B, side, side, 3).
            targets: their targets without teachers.
            sources: str (B,).
            share: the weight of the teachers in the target.
        """
        is_taught = np.isin(sources, self.sources) if self.sources else np.ones(len(pixels), dtype=np.bool_)
        taught = targets.possible.copy()
        if is_taught.any():
            taught[is_taught] = self.probabilities(pixels[is_taught], targets.log_priors[is_taught])
        return replace(targets, taught=taught, teaching=np.where(is_taught, share, 0.0).astype(np.float32))

    def probabilities(
        self, pixels: npt.NDArray[np.uint8], log_priors: npt.NDArray[np.float32]
    ) -> npt.NDArray[np.float32]:
        """Return the teachers' mean probabilities for photographs, float32 (B, classes).

        Args:
            pixels: uint8 (B, side, side, 3).
            log_priors: float32 (B, classes), the log class priors for which they answer, as for the student.
        """
        inputs = tf.cast(tf.constant(pixels), tf.float32)
        answers = [
            softmax(network(inputs).numpy() - held + log_priors)
            for network, held in zip(self.networks, self.held, strict=True)
        ]
        return np.mean(answers, axis=0).astype(np.float32)


def check_teachers(recipe: Recipe, *, beside: RunDirectory) -> None:
    """Check, before anything is written, that the teachers in ``recipe`` are finished runs or releases that can teach.

    Raises:
        RecipeError: a release cannot teach these classes or this split.
        RunError: one has not finished or is missing.
    """
    for name in recipe.teachers:
        folder = beside.path.parent / name
        if is_release(folder) and (recipe.classes != CODES or recipe.split != "by-lesion"):
            raise RecipeError(f"“{name}” is a release: it teaches all seven classes, and a split by lesion.")
        if not is_release(folder) and RunDirectory(folder).report() is None:
            raise RunError(
                f"The teacher “{name}” of “{recipe.name}” is neither a finished run nor a release next to "
                f"{beside.path.name}."
            )


def is_release(folder: Path) -> bool:
    return (folder / MANIFEST).is_file()


def _released(folder: Path) -> tuple[Callable[[Any], Any], npt.NDArray[np.float64]]:
    """Return a release as a teacher network, and the log class priors included in its logits."""
    release = load_release(folder)
    engine, head = Engine(release.backbone), Head.load(release.head)
    side = engine.input_side

    def logits(shown: Any) -> Any:
        pixels = tf.image.resize(shown, (side, side), antialias=True) if shown.shape[1] != side else shown
        rounded = tf.cast(tf.round(tf.clip_by_value(pixels, 0.0, 255.0)), tf.uint8).numpy()
        return tf.constant(head.logits(engine.run(rounded).features))

    mix = release.settings["class_mix"]
    return logits, np.log(np.array([mix[code] for code in CODES], dtype=np.float64))


def _split(recipe: Recipe) -> tuple[str, int]:
    return recipe.split, recipe.seed if recipe.split == "by-image" else 0


def _compiled(network: keras.Model) -> Callable[[Any], Any]:
    compiled: Callable[[Any], Any] = tf.function(lambda shown: network(shown, training=False), reduce_retracing=True)
    return compiled
