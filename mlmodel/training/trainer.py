"""The training loop: phases, epochs, steps, checkpoints, validation and resuming."""

import hashlib
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mlmodel.datasets.dataset import Dataset
from mlmodel.releases.sources import HAM10000
from mlmodel.training.architectures import head_slices
from mlmodel.training.curve_pictures import draw_curves
from mlmodel.training.feed import Kept, batches
from mlmodel.training.frozen import FrozenFeatures
from mlmodel.training.learner import Learner
from mlmodel.training.progress import Progress
from mlmodel.training.recipe import Phase, Recipe
from mlmodel.training.run_folder import REPORT_FILE, Place, RunDirectory, RunError
from mlmodel.training.sampling import implied_log_mix
from mlmodel.training.shown_cases import ShownCases
from mlmodel.training.teachers import Teachers
from mlmodel.training.validation import validation_figures

CHECKPOINT_SECONDS = 120.0
_ROW_EVERY = 20
# Single steps can fail; this many in a row mean that training has diverged.
_LEFT_OUT_AT_MOST = 5
_VALIDATION_BATCH = 32
# The number of the draw for settling batch normalisation, different from any epoch.
_AFTER_ALL_EPOCHS = 1_000_000
# A unit of the last block responds if it reaches this value for one of this many validation photographs.
_ANSWERING, _UNITS_SEEN_BY = 1e-3, 256


@dataclass(frozen=True)
class Split:
    """The training and validation rows of a data set; other rows are not used."""

    trained: npt.NDArray[np.int64]
    validation: npt.NDArray[np.int64]


def train(
    *,
    recipe: Recipe,
    dataset: Dataset,
    split: Split,
    run: RunDirectory,
    weights: Path | None = None,
    begin_from: RunDirectory | None = None,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
    say: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Train ``recipe`` in ``run``, from its last checkpoint if there is one, and return its report.

    The order of photographs and their augmentation depend only on seed, epoch and place, so that an interrupted run is
    reproducible; ``report["order"]`` is a hash of the order.

    Args:
        recipe: the recipe.
        dataset: photographs with labels.
        split: the training and validation rows.
        run: the run's folder.
        weights: weights of the base; by default Keras's ImageNet weights.
        begin_from: a finished run of the same network, from whose weights, including the head, training starts.
        checkpoint_seconds: the time between checkpoints.
        say: receives progress messages.
    """
    return _Training(recipe, dataset, split, run, weights, begin_from, checkpoint_seconds, say).run_all()


class _Training:
    def __init__(
        self,
        recipe: Recipe,
        dataset: Dataset,
        split: Split,
        run: RunDirectory,
        weights: Path | None,
        begin_from: RunDirectory | None,
        checkpoint_seconds: float,
        say: Callable[[str], None],
    ) -> None:
        self.checkpoint_seconds = checkpoint_seconds
        self.recipe, self.dataset, self.split, self.run, self.say = recipe, dataset, split, run, say
        self.paths = [dataset.paths[row] for row in split.trained]
        self.shown = ShownCases.of(dataset, split.trained, recipe)
        # All of HAM10000 at 256 pixels is two gigabytes.
        self.kept: Kept = {}
        self.teachers = Teachers.of(recipe, self.shown.exact_labels, beside=run)
        self.learner = Learner(recipe, weights=weights)
        if begin_from is not None:
            self.learner.network.set_weights(begin_from.load_weights())

    def run_all(self) -> dict[str, Any]:
        checkpoint = self.run.load_checkpoint()
        place = checkpoint[0] if checkpoint else Place()
        self.run.forget_rows_from("steps.csv", steps_taken=place.steps_taken + 1)
        # A checkpoint within an epoch precedes that epoch's row, even if the epoch was finished.
        self.run.forget_rows_from("epochs.csv", steps_taken=place.steps_taken + (place.step == 0))
        steps = [self._epoch_steps(phase) for phase in self.recipe.phases]
        progress = Progress(self.recipe, epoch_steps=steps, say=self.say)
        for number in range(place.phase, len(self.recipe.phases)):
            phase = self.recipe.phases[number]
            self.learner.begin(phase, steps=phase.epochs * steps[number])
            if checkpoint and place.phase == number:
                self.learner.load_state(checkpoint[1])
                self.say(f"Resuming after step {place.steps_taken}.")
            checkpoint = None
            for epoch in range(place.epoch, phase.epochs):
                place = self._epoch(phase, replace(place, phase=number, epoch=epoch), progress)
            place = replace(place, phase=number + 1, epoch=0, step=0)
        return self._finish(place)

    def _epoch(self, phase: Phase, place: Place, progress: Progress) -> Place:
        number = sum(each.epochs for each in self.recipe.phases[: place.phase]) + place.epoch
        order = self._order(phase, number)
        recent: deque[tuple[float, float]] = deque(maxlen=_ROW_EVERY)
        saved, in_a_row = time.monotonic(), 0
        for shown, rows in self._shown(phase, order, number, place.step):
            chance = np.random.default_rng((self.recipe.seed, number, place.step))
            targets = self.shown.targets(rows, phase)
            if self.teachers:
                sources = self.shown.source_of[rows]
                targets = self.teachers.ask(shown, targets, sources, share=self.recipe.teaching_share)
            loss, right = self.learner.learn(shown, targets, chance=chance)
            is_learned = bool(np.isfinite(loss))
            in_a_row = 0 if is_learned else in_a_row + 1
            if in_a_row == _LEFT_OUT_AT_MOST:
                raise RunError(
                    f"The loss of {in_a_row} consecutive steps, up to step {place.steps_taken + 1:,}, is not finite. "
                    "Start again with a lower learning rate or with --precision float32."
                )
            if is_learned:
                recent.append((loss, right))
            place = replace(
                place,
                step=place.step + 1,
                steps_taken=place.steps_taken + 1,
                order=hashlib.sha256(place.order.encode() + rows.tobytes()).hexdigest(),
                left_out=place.left_out + (not is_learned),
                loss_sum=place.loss_sum + (loss if is_learned else 0.0),
                right_sum=place.right_sum + (right if is_learned else 0.0),
            )
            if place.steps_taken % _ROW_EVERY == 0 and recent:
                loss, right = np.mean(recent, axis=0)
                self.run.add_row(
                    "steps.csv", {"steps_taken": place.steps_taken, "loss": f"{loss:.4f}", "right": f"{right:.4f}"}
                )
                progress.step(place, loss=float(loss))
            if time.monotonic() - saved > self.checkpoint_seconds:
                self.run.save_checkpoint(place, self.learner.state())
                saved = time.monotonic()
        figures = self._validate(phase)
        learned = max(place.step - place.left_out, 1)
        loss, right = place.loss_sum / learned, place.right_sum / learned
        if place.left_out:
            self.say(f"{place.left_out} of {place.step} steps were skipped: their loss or gradient was not finite.")
        self.run.add_row(
            "epochs.csv",
            {"steps_taken": place.steps_taken, "phase": place.phase + 1, "epoch": number + 1, "side": phase.side,
             "loss": f"{loss:.4f}", "accuracy": f"{right:.4f}",
             "left_out": str(place.left_out), **{k: f"{v:.4f}" for k, v in figures.items()}},
        )  # fmt: skip
        draw_curves(self.run)
        progress.epoch(place, figures)
        place = replace(place, epoch=place.epoch + 1, step=0, left_out=0, loss_sum=0.0, right_sum=0.0)
        if place.epoch < phase.epochs:
            self.run.save_checkpoint(place, self.learner.state())
        else:
            self._end_phase(phase, place)
        return place

    def _shown(
        self, phase: Phase, order: npt.NDArray[np.int64], number: int, first: int
    ) -> Iterator[tuple[npt.NDArray[Any], npt.NDArray[np.int64]]]:
        """Yield the inputs and rows of each step: photographs, or features if only the head is trained."""
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

    def _order(self, phase: Phase, number: int) -> npt.NDArray[np.int64]:
        return self.shown.order(phase, sampling=self.recipe.sampling, seed=self.recipe.seed, epoch=number)

    def _epoch_steps(self, phase: Phase) -> int:
        return -(-len(self._order(phase, 0)) // self.recipe.batch_size)

    def _validate(self, phase: Phase) -> dict[str, float]:
        """Return the validation metrics of the averaged weights."""
        current = self.learner.swap_in_average()
        if phase.trainable_from == "head":
            logits = self.learner.logits(self._frozen(phase).of(self.split.validation, variant=None))
        else:
            parts = batches(
                self.dataset.paths, self.split.validation, side=phase.side, kind="none", chance=(),
                batch_size=_VALIDATION_BATCH, preparation=self.recipe.preparation, kept=self.kept,
            )  # fmt: skip
            logits = np.concatenate([self.learner.logits(pixels) for pixels, _ in parts])
        units = self._answering_units(phase)
        self.learner.restore(current)
        figures = validation_figures(
            logits,
            self.dataset.take(self.split.validation),
            classes=self.recipe.classes,
            trained=self.shown.labels_of(HAM10000),
            held=implied_log_mix(self.shown.exact_labels, sampling=self.recipe.sampling, loss=self.recipe.loss),
            log_priors=dict(zip(self.shown.sources, self.shown.log_priors[phase.unseen_share], strict=True)),
        )
        return {**figures, **units}

    def _answering_units(self, phase: Phase) -> dict[str, float]:
        """Return the share of the last block's units that respond to some validation photograph.

        Raises:
            RunError: it is lower than the recipe requires.
        """
        if self.recipe.architecture != "xception" or phase.trainable_from == "head":
            return {}
        rows = self.split.validation[:: max(len(self.split.validation) // _UNITS_SEEN_BY, 1)]
        parts = batches(
            self.dataset.paths, rows, side=phase.side, kind="none", chance=(), batch_size=_VALIDATION_BATCH,
            preparation=self.recipe.preparation, kept=self.kept,
        )  # fmt: skip
        last = head_slices(self.recipe.pooled_stages)["block14"]
        largest = np.max([self.learner.pooled(pixels)[:, last].max(axis=0) for pixels, _ in parts], axis=0)
        share = float((largest > _ANSWERING).mean())
        if share < self.recipe.least_answering:
            raise RunError(
                f"Only {round(share * len(largest)):,} of the last block's {len(largest):,} units respond to any "
                "photograph; the others have died. Start again with a lower learning rate."
            )
        return {"answering_units": share}

    def _end_phase(self, phase: Phase, place: Place) -> None:
        """Save the averaged weights, with recomputed statistics of batch normalisation if the recipe requires it."""
        self.learner.swap_in_average()
        if phase.trainable_from != "head" and (count := self.recipe.settling_batches):
            self.say(f"Recomputing the statistics of batch normalisation over {count} batches.")
            number = _AFTER_ALL_EPOCHS + place.phase
            order = self._order(phase, number)
            settling_batches = batches(
                self.paths, order[: count * self.recipe.batch_size], side=phase.side, kind=self.recipe.changes,
                chance=(self.recipe.seed, number), batch_size=self.recipe.batch_size,
                preparation=self.recipe.preparation,
            )  # fmt: skip
            self.learner.settle(pixels for pixels, _ in settling_batches)
        arrays = {f"{n:04}": weight.numpy() for n, weight in enumerate(self.learner.network.weights)}
        self.run.save_weights(arrays, f"weights-phase-{place.phase + 1}.npz")

    def _finish(self, place: Place) -> dict[str, Any]:
        epochs = self.run.rows("epochs.csv")
        report = {"recipe": self.recipe.name, **asdict(place), "epochs": epochs}
        self.run.copy_weights(f"weights-phase-{len(self.recipe.phases)}.npz")
        self.run.write_json(REPORT_FILE, report)
        return report
