"""Carry a recipe out: phases, epochs, steps; checkpoints; validation; and going on after any interruption."""

import hashlib
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mlmodel.training import evaluate
from mlmodel.training.curves import draw_curves
from mlmodel.training.dataset import Dataset
from mlmodel.training.feed import Kept, batches
from mlmodel.training.frozen import FrozenFeatures
from mlmodel.training.learner import Learner
from mlmodel.training.progress import Progress
from mlmodel.training.recipe import Phase, Recipe
from mlmodel.training.runs import REPORT_FILE, Place, RunDirectory
from mlmodel.training.sampling import drawn_mix, epoch_order, held_log_mix
from mlmodel.training.teachers import Teachers

CHECKPOINT_SECONDS = 120.0
_ROW_EVERY = 20
_VALIDATION_BATCH = 32
# Numbers the draws that settle batch normalisation, apart from those of any epoch.
_AFTER_ALL_EPOCHS = 1_000_000


@dataclass(frozen=True)
class Split:
    """Rows of a data set that train, and rows that are watched; no other rows are touched."""

    trained: npt.NDArray[np.int64]
    watched: npt.NDArray[np.int64]


def train(
    *,
    recipe: Recipe,
    dataset: Dataset,
    split: Split,
    run: RunDirectory,
    weights: Path | None = None,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
    say: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Carry ``recipe`` out in ``run``, from its last checkpoint on if it has one, and return its report.

    The order of photographs and their random changes follow from the seed, the epoch and the place in it, so a run
    that was killed shows the same ones that it would have shown; ``report["order"]`` is the hash that proves it.

    Args:
        recipe: what to do.
        dataset: photographs with labels.
        split: which rows train and which are watched.
        run: where everything is kept.
        weights: of the base; by default Keras's own ImageNet weights.
        checkpoint_seconds: so much work is lost at most.
        say: receives lines for people.
    """
    return _Training(recipe, dataset, split, run, weights, checkpoint_seconds, say).carry_out()


class _Training:
    def __init__(
        self,
        recipe: Recipe,
        dataset: Dataset,
        split: Split,
        run: RunDirectory,
        weights: Path | None,
        checkpoint_seconds: float,
        say: Callable[[str], None],
    ) -> None:
        self.checkpoint_seconds = checkpoint_seconds
        self.recipe, self.dataset, self.split, self.run, self.say = recipe, dataset, split, run, say
        self.paths = [dataset.paths[row] for row in split.trained]
        # Class indices among the recipe's own classes, which may be three of the seven.
        self.labels = dataset.labels_among(recipe.classes)
        self.trained_labels = self.labels[split.trained]
        self.sources = dataset.sources[split.trained]
        mix = drawn_mix(self.trained_labels, sampling=recipe.sampling)
        # All of HAM10000 at 256 pixels is two gigabytes.
        self.kept: Kept = {}
        self.teachers = Teachers.of(recipe, self.trained_labels, beside=run)
        self.learner = Learner(recipe, class_mix=mix, weights=weights)

    def carry_out(self) -> dict[str, Any]:
        kept = self.run.load_checkpoint()
        place = kept[0] if kept else Place()
        self.run.forget_rows_from("steps.csv", steps_taken=place.steps_taken + 1)
        # A checkpoint from within an epoch knows nothing of that epoch's end, even if it was reached.
        self.run.forget_rows_from("epochs.csv", steps_taken=place.steps_taken + (place.step == 0))
        progress = Progress(self.recipe, epoch_steps=self._epoch_steps(), say=self.say)
        for number in range(place.phase, len(self.recipe.phases)):
            phase = self.recipe.phases[number]
            self.learner.begin(phase, steps=phase.epochs * self._epoch_steps())
            if kept and place.phase == number:
                self.learner.load_state(kept[1])
                self.say(f"Going on after step {place.steps_taken}.")
            kept = None
            for epoch in range(place.epoch, phase.epochs):
                place = self._epoch(phase, replace(place, phase=number, epoch=epoch), progress)
            place = replace(place, phase=number + 1, epoch=0, step=0)
        return self._finish(place)

    def _epoch(self, phase: Phase, place: Place, progress: Progress) -> Place:
        order, number = self._order(place)
        recent: deque[tuple[float, float]] = deque(maxlen=_ROW_EVERY)
        saved = time.monotonic()
        for shown, rows in self._shown(phase, order, number, place.step):
            chance = np.random.default_rng((self.recipe.seed, number, place.step))
            taught = self.teachers.probabilities(shown) if self.teachers else None
            recent.append(self.learner.learn(shown, self.trained_labels[rows], taught=taught, chance=chance))
            place = replace(
                place,
                step=place.step + 1,
                steps_taken=place.steps_taken + 1,
                order=hashlib.sha256(place.order.encode() + rows.tobytes()).hexdigest(),
                loss_sum=place.loss_sum + recent[-1][0],
                right_sum=place.right_sum + recent[-1][1],
            )
            if place.steps_taken % _ROW_EVERY == 0:
                loss, right = np.mean(recent, axis=0)
                self.run.add_row(
                    "steps.csv", {"steps_taken": place.steps_taken, "loss": f"{loss:.4f}", "right": f"{right:.4f}"}
                )
                progress.step(place, loss=float(loss))
            if time.monotonic() - saved > self.checkpoint_seconds:
                self.run.save_checkpoint(place, self.learner.state())
                saved = time.monotonic()
        figures = self._watch(phase)
        loss, right = place.loss_sum / place.step, place.right_sum / place.step
        self.run.add_row(
            "epochs.csv",
            {"steps_taken": place.steps_taken, "phase": place.phase + 1, "epoch": number + 1, "side": phase.side,
             "loss": f"{loss:.4f}", "accuracy": f"{right:.4f}", **{k: f"{v:.4f}" for k, v in figures.items()}},
        )  # fmt: skip
        draw_curves(self.run)
        progress.epoch(place, figures)
        place = replace(place, epoch=place.epoch + 1, step=0, loss_sum=0.0, right_sum=0.0)
        if place.epoch < phase.epochs:
            self.run.save_checkpoint(place, self.learner.state())
        else:
            self._end_phase(phase, place)
        return place

    def _shown(
        self, phase: Phase, order: npt.NDArray[np.int64], number: int, first: int
    ) -> Iterator[tuple[npt.NDArray[Any], npt.NDArray[np.int64]]]:
        """Yield what each step is shown, and the rows: photographs, or their features where only the head learns."""
        size = self.recipe.batch_size
        if phase.trainable_from == "head":
            features = self._frozen(phase).of(self.split.trained, variant=number)
            for start in range(first * size, len(order), size):
                rows = order[start : start + size]
                yield features[rows], rows
            return
        yield from batches(
            self.paths, order, side=phase.side, kind=self.recipe.changes, chance=(self.recipe.seed, number),
            batch_size=size, first=first, preparation=self.recipe.preparation, kept=self.kept,
        )  # fmt: skip

    def _frozen(self, phase: Phase) -> FrozenFeatures:
        return FrozenFeatures(
            recipe=self.recipe,
            phase=phase,
            paths=self.dataset.paths,
            base_id=f"{self.dataset.sha256} {self.learner.base_sha256()}",
            compute=self.learner.features,
            cache=self.run.path.parent / "frozen",
            say=self.say,
        )

    def _order(self, place: Place) -> tuple[npt.NDArray[np.int64], int]:
        number = sum(phase.epochs for phase in self.recipe.phases[: place.phase]) + place.epoch
        order = epoch_order(
            self.trained_labels, self.sources, sampling=self.recipe.sampling, seed=self.recipe.seed, epoch=number
        )
        return order, number

    def _epoch_steps(self) -> int:
        order, _ = self._order(Place())
        return -(-len(order) // self.recipe.batch_size)

    def _watch(self, phase: Phase) -> dict[str, float]:
        """Judge the averaged weights on the watched rows: equal-prior balanced accuracy, natural accuracy and loss."""
        current = self.learner.swap_in_average()
        if phase.trainable_from == "head":
            logits = self.learner.logits(self._frozen(phase).of(self.split.watched, variant=None))
        else:
            parts = batches(
                self.dataset.paths, self.split.watched, side=phase.side, kind="none", chance=(),
                batch_size=_VALIDATION_BATCH, preparation=self.recipe.preparation, kept=self.kept,
            )  # fmt: skip
            logits = np.concatenate([self.learner.logits(pixels) for pixels, _ in parts])
        self.learner.restore(current)
        return watched_figures(
            logits,
            self.labels[self.split.watched],
            trained=self.trained_labels,
            held=held_log_mix(self.trained_labels, sampling=self.recipe.sampling, loss=self.recipe.loss),
        )

    def _end_phase(self, phase: Phase, place: Place) -> None:
        """Keep the averaged weights, with statistics of their own as far as the recipe asks for them, and go on."""
        self.learner.swap_in_average()
        if phase.trainable_from != "head" and (count := self.recipe.settling_batches):
            self.say(f"Settling batch normalisation over {count} batches.")
            number = _AFTER_ALL_EPOCHS + place.phase
            order = epoch_order(
                self.trained_labels, self.sources, sampling=self.recipe.sampling, seed=self.recipe.seed, epoch=number
            )
            seen = batches(
                self.paths, order[: count * self.recipe.batch_size], side=phase.side, kind=self.recipe.changes,
                chance=(self.recipe.seed, number), batch_size=self.recipe.batch_size,
                preparation=self.recipe.preparation,
            )  # fmt: skip
            self.learner.settle(pixels for pixels, _ in seen)
        arrays = {f"{n:04}": weight.numpy() for n, weight in enumerate(self.learner.network.weights)}
        self.run.save_weights(arrays, f"weights-phase-{place.phase + 1}.npz")

    def _finish(self, place: Place) -> dict[str, Any]:
        epochs = self.run.rows("epochs.csv")
        report = {"recipe": self.recipe.name, **asdict(place), "epochs": epochs}
        self.run.copy_weights(f"weights-phase-{len(self.recipe.phases)}.npz")
        self.run.write_json(REPORT_FILE, report)
        return report


def watched_figures(
    logits: npt.NDArray[np.float32],
    labels: npt.NDArray[np.int64],
    *,
    trained: npt.NDArray[np.int64],
    held: npt.NDArray[np.float64],
) -> dict[str, float]:
    """Return loss, accuracy, balanced accuracy and macro AUC of logits (N, classes).

    Args:
        logits: of the network.
        labels: int64 (N,).
        trained: labels of the training rows, whose class mix is the prior of loss and accuracy.
        held: what the logits hold of the class mix already, float64 (classes,).
    """
    equal_prior = logits - held
    natural = equal_prior + np.log(np.bincount(trained, minlength=logits.shape[1]) / len(trained))
    shifted = natural - natural.max(axis=1, keepdims=True)
    log_probabilities = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    chosen = equal_prior.argmax(axis=1)
    present = np.unique(labels)
    return {
        "watched_loss": float(-log_probabilities[np.arange(len(labels)), labels].mean()),
        "watched_accuracy": float((natural.argmax(axis=1) == labels).mean()),
        "watched_balanced_accuracy": float(np.mean([(chosen[labels == k] == k).mean() for k in present])),
        "watched_macro_auc": float(np.mean([evaluate.auc(log_probabilities[:, k], labels == k) for k in present])),
    }
