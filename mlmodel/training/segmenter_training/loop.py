"""The training run of the segmenter: small pictures first, full size at the end; killed at any moment, it goes on."""

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

_SAY_EVERY_SECONDS, _KEEP_EVERY_SECONDS = 30.0, 120.0
_SMALL_SIDE = INPUT_SIDE // 2


@dataclass(frozen=True)
class SegmenterRecipe:
    """How the segmenter is trained.

    Attributes:
        small_steps: steps at 64 pixels.
        full_steps: steps at 128 pixels, after those.
        batch: photographs a step.
        peak_rate: AdamW's highest rate; it rises over the first hundredth and falls to nothing along a cosine.
        weight_decay: AdamW's.
        seed: of weights, order and changes.
    """

    small_steps: int = 2400
    full_steps: int = 300
    batch: int = 8
    peak_rate: float = 3e-3
    weight_decay: float = 1e-4
    seed: int = 20

    def __post_init__(self) -> None:
        """Raises ``RunError`` for what cannot be trained by."""
        if self.small_steps < 0 or self.full_steps < 0 or not self.steps:
            raise RunError("--small-steps and --full-steps are 0 or more, and one of them is more.")
        if not 0 < self.peak_rate < 1:
            raise RunError(f"--peak-rate lies between 0 and 1, as 0.003; it is {self.peak_rate}.")
        if self.seed < 0:
            raise RunError("--seed is 0 or more.")

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
    """Train in ``run`` and return the network as it ended; ``begin_with`` another run's weights if that is given.

    Raises:
        RunError: the folder holds a run and ``resume`` is not set, or the other way round; or recipe or data differ.
    """
    earlier = begin_with.configuration() if begin_with else None
    configuration = {"recipe": asdict(recipe), "data": pairs.dataset.sha256, "began_with": earlier}
    if not resume:
        run.start(configuration)
    elif run.configuration() != configuration:
        raise RunError(f"The run in {run.path} began with another recipe or other data. Give another --run.")
    trained = np.flatnonzero(pairs.dataset.rows(TRAIN_FOLDS))
    watched = np.flatnonzero(pairs.dataset.rows(CALIBRATION_FOLDS))
    learner = _Learner(recipe)
    taken = learner.take_up(run)
    if begin_with and not taken:
        learner.begin_with(begin_with)
    epoch_steps = len(trained) // recipe.batch
    said = kept = began = time.monotonic()
    began_at, losses = taken, []
    while taken < recipe.steps:
        pixels, masks = _batch(pairs, trained, recipe, taken)
        losses.append(learner.learn(pixels, masks, taken))
        taken += 1
        now = time.monotonic()
        if now - said >= _SAY_EVERY_SECONDS:
            left = (recipe.steps - taken) * (now - began) / (taken - began_at) / 60
            loss = float(np.mean(losses))
            say(
                f"step {taken}/{recipe.steps} · {learner.side} px · loss {loss:.3f} · {left:.0f} min left at this pace"
            )
            run.add_row("steps.csv", {"steps_taken": taken, "side": learner.side, "loss": round(loss, 4)})
            said, losses = now, []
        if taken % epoch_steps == 0 or taken == recipe.steps:
            dice = mean_dice(learner.forward, pairs, watched, side=learner.side)
            say(f"— fold 7 after {taken} steps, {learner.side} px: Dice {dice:.4f}")
            run.add_row("epochs.csv", {"steps_taken": taken, "side": learner.side, "dice": round(dice, 4)})
        if now - kept >= _KEEP_EVERY_SECONDS or taken % epoch_steps == 0 or taken == recipe.steps:
            learner.keep(run, taken)
            kept = now
    return learner.model


def limit_threads(count: int) -> None:
    """Have TensorFlow use so many cores, 0 for all. On a busy machine one is faster.

    In a process where TensorFlow has computed already, the number stays what it is: it changes speed, not results.
    """
    with contextlib.suppress(RuntimeError):
        tf.config.threading.set_intra_op_parallelism_threads(count)
        tf.config.threading.set_inter_op_parallelism_threads(count)


def mean_dice(forward: Callable[[Any], Any], pairs: Pairs, rows: npt.NDArray[np.int64], *, side: int) -> float:
    """Return the mean Dice of ``rows`` at logit 0, on pictures of ``side`` pixels; ``forward`` gives the logits."""
    found = []
    for start in range(0, len(rows), 64):
        chosen = rows[start : start + 64]
        drawn = forward(_reduced(pairs.pixels[chosen], side)).numpy() > 0.0
        true = _reduced(pairs.masks[chosen][..., None], side).numpy()[..., 0] > 127
        both = (drawn & true).sum(axis=(1, 2))
        found.append(2 * both / np.maximum(drawn.sum(axis=(1, 2)) + true.sum(axis=(1, 2)), 1))
    return float(np.concatenate(found).mean())


class _Learner:
    """Network, optimiser, and one compiled step for each size of picture."""

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

    def keep(self, run: RunDirectory, taken: int) -> None:
        arrays = {f"{n:04}": variable.numpy() for n, variable in enumerate(self._variables())}
        run.save_checkpoint(Place(steps_taken=taken), arrays)

    def take_up(self, run: RunDirectory) -> int:
        """Go on from the last checkpoint, if there is one; return how many steps it holds."""
        found = run.load_checkpoint()
        if found is None:
            return 0
        place, arrays = found
        for n, variable in enumerate(self._variables()):
            variable.assign(arrays[f"{n:04}"])
        for name in ("steps.csv", "epochs.csv"):
            run.forget_rows_from(name, steps_taken=place.steps_taken + 1)
        return place.steps_taken

    def begin_with(self, run: RunDirectory) -> None:
        """Take over the weights, and nothing else, that another run ended with."""
        found = run.load_checkpoint()
        if found is None:
            raise RunError(f"The run in {run.path} has no checkpoint to begin with.")
        for n, variable in enumerate(self.model.variables):
            variable.assign(found[1][f"{n:04}"])

    def _variables(self) -> list[Any]:
        return [*self.model.variables, *self.optimizer.variables]


def _loss(logits: Any, mask: Any) -> Any:
    """Cross-entropy and soft Dice (Milletari et al., 3DV 2016), which counts a small lesion as much as a large one."""
    entropy = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=mask, logits=logits))
    probability = tf.sigmoid(logits)
    both = tf.reduce_sum(probability * mask, axis=(1, 2, 3))
    all_of_it = tf.reduce_sum(probability, axis=(1, 2, 3)) + tf.reduce_sum(mask, axis=(1, 2, 3))
    return entropy + tf.reduce_mean(1.0 - (2.0 * both + 1.0) / (all_of_it + 1.0))


def _reduced(values: Any, side: int) -> Any:
    values = tf.cast(values, tf.float32)
    return values if side == INPUT_SIDE else tf.nn.avg_pool2d(values, INPUT_SIDE // side, INPUT_SIDE // side, "VALID")


def _batch(pairs: Pairs, rows: npt.NDArray[np.int64], recipe: SegmenterRecipe, step: int) -> tuple[Any, Any]:
    """Return the photographs of one step: every epoch in an order of its own, the same whenever it is asked for."""
    epoch, place = divmod(step, len(rows) // recipe.batch)
    order = np.random.default_rng((recipe.seed, epoch)).permutation(rows)
    chosen = np.sort(order[place * recipe.batch : (place + 1) * recipe.batch])
    return pairs.pixels[chosen], pairs.masks[chosen]
