"""Training of the segmenter, on small pictures first and at full size in the end, with checkpoints."""

import contextlib
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from mlmodel.datasets.dataset import CALIBRATION_FOLDS, TRAIN_FOLDS
from mlmodel.segmentation.segmenter import INPUT_SIDE
from mlmodel.training.run_folder import Place, RunDirectory, RunError
from mlmodel.training.segmenter_training.pair_augmentation import changed
from mlmodel.training.segmenter_training.pairs import Pairs
from mlmodel.training.segmenter_training.unet import build_segmenter

_REPORT_SECONDS, _CHECKPOINT_SECONDS = 30.0, 120.0
_SMALL_SIDE = INPUT_SIDE // 2


@dataclass(frozen=True)
class SegmenterRecipe:
    """The hyperparameters for training the segmenter.

    Attributes:
        small_steps: steps at 64 pixels.
        full_steps: subsequent steps at 128 pixels.
        batch: the batch size.
        peak_rate: the peak learning rate of AdamW, with warm-up over the first hundredth and cosine decay to zero.
        weight_decay: the weight decay of AdamW.
        seed: the seed for weights, order and augmentation.
    """

    small_steps: int = 2400
    full_steps: int = 300
    batch: int = 8
    peak_rate: float = 3e-3
    weight_decay: float = 1e-4
    seed: int = 20

    def __post_init__(self) -> None:
        """Raise ``RunError`` for invalid values."""
        if self.small_steps < 0 or self.full_steps < 0 or not self.steps:
            raise RunError("--small-steps and --full-steps must be 0 or more, and at least one of them above 0.")
        if not 0 < self.peak_rate < 1:
            raise RunError(f"--peak-rate must be between 0 and 1, such as 0.003; it is {self.peak_rate}.")
        if self.seed < 0:
            raise RunError("--seed must be 0 or more.")

    @property
    def steps(self) -> int:
        return self.small_steps + self.full_steps


def train_segmenter(
    pairs: Pairs,
    *,
    recipe: SegmenterRecipe,
    run: RunDirectory,
    resume: bool,
    say: Callable[[str], None],
    begin_with: RunDirectory | None = None,
) -> keras.Model:
    """Return the network trained in ``run``, starting with the weights of ``begin_with`` if given.

    Raises:
        RunError: the folder contains a run and ``resume`` is not set, or vice versa; or recipe or data differ.
    """
    earlier = begin_with.configuration() if begin_with else None
    configuration = {"recipe": asdict(recipe), "data": pairs.dataset.sha256, "began_with": earlier}
    if not resume:
        run.start(configuration)
    elif run.configuration() != configuration:
        raise RunError(f"The run in {run.path} has another recipe or other data. Give another --run.")
    trained = np.flatnonzero(pairs.dataset.rows(TRAIN_FOLDS))
    validation = np.flatnonzero(pairs.dataset.rows(CALIBRATION_FOLDS))
    learner = _Learner(recipe)
    taken = learner.resume(run)
    if begin_with and not taken:
        learner.begin_with(begin_with)
    epoch_steps = len(trained) // recipe.batch
    last_report = last_checkpoint = start_time = time.monotonic()
    first_step, losses = taken, []
    while taken < recipe.steps:
        pixels, masks = _batch(pairs, trained, recipe, taken)
        losses.append(learner.learn(pixels, masks, taken))
        taken += 1
        now = time.monotonic()
        if now - last_report >= _REPORT_SECONDS:
            left = (recipe.steps - taken) * (now - start_time) / (taken - first_step) / 60
            loss = float(np.mean(losses))
            say(
                f"step {taken}/{recipe.steps} · {learner.side} px · loss {loss:.3f} · {left:.0f} min left at this pace"
            )
            run.add_row("steps.csv", {"steps_taken": taken, "side": learner.side, "loss": round(loss, 4)})
            last_report, losses = now, []
        if taken % epoch_steps == 0 or taken == recipe.steps:
            dice = mean_dice(learner.forward, pairs, validation, side=learner.side)
            say(f"— fold 7 after {taken} steps, {learner.side} px: Dice {dice:.4f}")
            run.add_row("epochs.csv", {"steps_taken": taken, "side": learner.side, "dice": round(dice, 4)})
        if now - last_checkpoint >= _CHECKPOINT_SECONDS or taken % epoch_steps == 0 or taken == recipe.steps:
            learner.save(run, taken)
            last_checkpoint = now
    return learner.model


def limit_threads(count: int) -> None:
    """Limit the cores that TensorFlow uses, 0 for all. On a busy machine one is faster.

    It has no effect after TensorFlow's first computation in the process; results do not depend on it.
    """
    with contextlib.suppress(RuntimeError):
        tf.config.threading.set_intra_op_parallelism_threads(count)
        tf.config.threading.set_inter_op_parallelism_threads(count)


def mean_dice(forward: Callable[[Any], Any], pairs: Pairs, rows: npt.NDArray[np.int64], *, side: int) -> float:
    """Return the mean Dice of ``rows`` at logit 0, on pictures of ``side`` pixels; ``forward`` returns the logits."""
    scores = []
    for start in range(0, len(rows), 64):
        chosen = rows[start : start + 64]
        masks = forward(_reduced(pairs.pixels[chosen], side)).numpy() > 0.0
        true = _reduced(pairs.masks[chosen][..., None], side).numpy()[..., 0] > 127
        both = (masks & true).sum(axis=(1, 2))
        scores.append(2 * both / np.maximum(masks.sum(axis=(1, 2)) + true.sum(axis=(1, 2)), 1))
    return float(np.concatenate(scores).mean())


class _Learner:
    """Network and optimiser with one compiled step for each picture size."""

    def __init__(self, recipe: SegmenterRecipe) -> None:
        self.recipe, self.side = recipe, _SMALL_SIDE
        self.model = build_segmenter(seed=recipe.seed)
        warm_up = max(1, recipe.steps // 100)
        schedule = keras.optimizers.schedules.CosineDecay(
            recipe.peak_rate / 20, max(1, recipe.steps - warm_up), warmup_target=recipe.peak_rate, warmup_steps=warm_up
        )
        self.optimizer = keras.optimizers.AdamW(schedule, weight_decay=recipe.weight_decay, global_clipnorm=1.0)
        self.optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
        self.optimizer.build(self.model.trainable_variables)
        self._step = tf.function(self._learn)
        self.forward = tf.function(lambda pixels: self.model(pixels, training=False)[..., 0])

    def learn(self, pixels: Any, masks: Any, step: int) -> float:
        self.side = _SMALL_SIDE if step < self.recipe.small_steps else INPUT_SIDE
        both = tf.constant(np.concatenate([pixels, masks[..., None]], axis=3))
        return float(self._step(both, tf.constant([self.recipe.seed, step]), self.side))

    def _learn(self, pairs: Any, seed: Any, side: int) -> Any:
        pixels, mask = changed(_reduced(pairs, side), seed)
        with tf.GradientTape() as tape:
            loss = _loss(self.model(pixels, training=True), mask)
        variables = self.model.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return loss

    def save(self, run: RunDirectory, taken: int) -> None:
        arrays = {f"{n:04}": variable.numpy() for n, variable in enumerate(self._variables())}
        run.save_checkpoint(Place(steps_taken=taken), arrays)

    def resume(self, run: RunDirectory) -> int:
        """Restore the last checkpoint, if there is one, and return its number of steps."""
        checkpoint = run.load_checkpoint()
        if checkpoint is None:
            return 0
        place, arrays = checkpoint
        for n, variable in enumerate(self._variables()):
            variable.assign(arrays[f"{n:04}"])
        for name in ("steps.csv", "epochs.csv"):
            run.forget_rows_from(name, steps_taken=place.steps_taken + 1)
        return place.steps_taken

    def begin_with(self, run: RunDirectory) -> None:
        """Load only the final weights of another run."""
        found = run.load_checkpoint()
        if found is None:
            raise RunError(f"The run in {run.path} has no checkpoint to start from.")
        for n, variable in enumerate(self.model.variables):
            variable.assign(found[1][f"{n:04}"])

    def _variables(self) -> list[Any]:
        return [*self.model.variables, *self.optimizer.variables]


def _loss(logits: Any, mask: Any) -> Any:
    """Return cross-entropy plus soft Dice loss (Milletari et al., 3DV 2016), which gives lesions equal weight."""
    entropy = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=mask, logits=logits))
    probability = tf.sigmoid(logits)
    both = tf.reduce_sum(probability * mask, axis=(1, 2, 3))
    total = tf.reduce_sum(probability, axis=(1, 2, 3)) + tf.reduce_sum(mask, axis=(1, 2, 3))
    return entropy + tf.reduce_mean(1.0 - (2.0 * both + 1.0) / (total + 1.0))


def _reduced(values: Any, side: int) -> Any:
    values = tf.cast(values, tf.float32)
    return values if side == INPUT_SIDE else tf.nn.avg_pool2d(values, INPUT_SIDE // side, INPUT_SIDE // side, "VALID")


def _batch(pairs: Pairs, rows: npt.NDArray[np.int64], recipe: SegmenterRecipe, step: int) -> tuple[Any, Any]:
    """Return the photographs of one step, in a reproducible random order that differs between epochs."""
    epoch, place = divmod(step, len(rows) // recipe.batch)
    order = np.random.default_rng((recipe.seed, epoch)).permutation(rows)
    chosen = np.sort(order[place * recipe.batch : (place + 1) * recipe.batch])
    return pairs.pixels[chosen], pairs.masks[chosen]
