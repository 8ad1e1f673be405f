"""A network in training: one compiled step, averaged weights, and its complete state as arrays."""

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from mlmodel.training.architectures import base_of, build_network, renew_from, set_trainable_from, split_at_features
from mlmodel.training.base_engine import compiled_base
from mlmodel.training.layer_rates import LayerwiseAdam, layer_factors
from mlmodel.training.recipe import Phase, Precision, Recipe

Floats = npt.NDArray[np.float32]
# The log probability of impossible classes; minus infinity would have no gradient.
_IMPOSSIBLE = -1e9


@dataclass(frozen=True)
class Targets:
    """The targets of the B photographs of a step.

    Attributes:
        possible: float32 (B, classes), 1 for each class that the label allows.
        log_priors: float32 (B, classes), the log class priors of each photograph's source.
        weights: float32 (B,), weights of the loss.
        taught: float32 (B, classes), the teachers' probabilities for the same photographs, if the recipe has teachers.
        teaching: float32 (B,), the weight of the teachers in the target.
    """

    possible: Floats
    log_priors: Floats
    weights: Floats
    taught: Floats | None = None
    teaching: Floats | None = None

    @classmethod
    def exact(cls, labels: npt.NDArray[np.int64], mix: npt.NDArray[np.float64]) -> "Targets":
        """Return the targets for exact labels, int64 (B,), all with the same class mix, float64 (classes,)."""
        possible = np.eye(len(mix), dtype=np.float32)[labels]
        priors = np.tile(np.log(mix), (len(labels), 1)).astype(np.float32)
        return cls(possible, priors, np.ones(len(labels), dtype=np.float32))


class Learner:
    """Network, optimiser and averaged weights: ``begin`` a phase, ``learn`` from batches, get ``logits``."""

    def __init__(self, recipe: Recipe, *, weights: Path | None = None) -> None:
        """Build the network.

        Args:
            recipe: the recipe.
            weights: ImageNet weights of the base; by default Keras's download.
        """
        keras.utils.set_random_seed(recipe.seed)
        self.recipe = recipe
        with _computing_in(recipe.precision):
            self.network = build_network(recipe, weights=weights, is_quick=True)
        self._weights = weights
        self._average = [tf.Variable(weight) for weight in self.network.weights] if recipe.average else []

    def begin(self, phase: Phase, *, steps: int) -> None:
        """Prepare for ``steps`` steps of ``phase``, with a new optimiser and a new average."""
        set_trainable_from(self.network, phase.trainable_from)
        self._mixup = phase.mixup or self.recipe.mixup
        self._cutmix = self.recipe.cutmix if phase.trainable_from != "head" else 0.0
        if phase.renewed_from:
            self._renew(phase.renewed_from)
        for average, weight in zip(self._average, self.network.weights, strict=False):
            average.assign(weight)
        schedule: Any = phase.peak_rate
        if phase.peak_rate != phase.final_rate or phase.warm_up_steps:
            schedule = keras.optimizers.schedules.CosineDecay(
                initial_learning_rate=phase.peak_rate / 20 if phase.warm_up_steps else phase.peak_rate,
                decay_steps=max(steps - phase.warm_up_steps, 1),
                alpha=phase.final_rate / phase.peak_rate,
                warmup_target=phase.peak_rate if phase.warm_up_steps else None,
                warmup_steps=phase.warm_up_steps,
            )
        limit = {"global_clipnorm": self.recipe.clip_norm} if self.recipe.clip_norm else {}
        if phase.layer_decay != 1 or phase.head_rate:
            factors = layer_factors(self.network, phase)
            self._optimizer = LayerwiseAdam(schedule, factors=factors, decay=self.recipe.weight_decay, **limit)
        elif self.recipe.optimizer == "adamw":
            self._optimizer = keras.optimizers.AdamW(schedule, weight_decay=self.recipe.weight_decay, **limit)
            self._optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
        else:
            self._optimizer = keras.optimizers.Adam(schedule, **limit)
        self._optimizer.build(self.network.trainable_variables)
        base, head = split_at_features(self.network)
        # If only the head is trained, its inputs are the features of the frozen base.
        self._learning = head if phase.trainable_from == "head" else self.network
        self._step = tf.function(self._learn, reduce_retracing=True)
        self._forward = tf.function(lambda shown: self._learning(shown, training=False), reduce_retracing=True)
        self._features = compiled_base(base)
        self._pooled = tf.function(lambda shown: base(shown, training=False), reduce_retracing=True)

    def _renew(self, block: str) -> None:
        """Reset the base from ``block`` on to its initial weights, with zero weights in the head."""
        fresh = build_network(self.recipe, weights=self._weights)
        renew_from(self.network, fresh, block, pooled_stages=self.recipe.pooled_stages)

    def settle(self, batches: Iterable[npt.NDArray[np.uint8]]) -> None:
        """Update the moving statistics of batch normalisation with batches of uint8 (B, side, side, 3)."""
        forward = tf.function(lambda pixels: self.network(pixels, training=True), reduce_retracing=True)
        for pixels in batches:
            forward(tf.cast(tf.constant(pixels), tf.float32))

    def features(self, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Return the features of the base frozen in this phase, float32 (B, F), for uint8 (B, side, side, 3)."""
        return self._features(pixels)

    def pooled(self, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Return the features of the base with its current weights, float32 (B, F), for uint8 (B, side, side, 3)."""
        features: npt.NDArray[np.float32] = tf.cast(
            self._pooled(tf.cast(tf.constant(pixels), tf.float32)), tf.float32
        ).numpy()
        return features

    def base_sha256(self) -> str:
        """Return a hash of the base's weights, which identifies its features."""
        digest = hashlib.sha256()
        for weight in base_of(self.network).get_weights():
            digest.update(np.ascontiguousarray(weight).tobytes())
        return digest.hexdigest()

    def learn(self, shown: npt.NDArray[Any], targets: Targets, *, chance: np.random.Generator) -> tuple[float, float]:
        """Take one step and return its loss and accuracy.

        A step whose loss or gradient is not finite is skipped, as with loss scaling (Micikevicius et al., ICLR 2018):
        network and optimiser do not change, and the returned loss is NaN.

        Args:
            shown: uint8 (B, side, side, 3), or features (B, F) in a phase that trains only the head.
            targets: their targets.
            chance: the random number generator for mixup and cutmix.
        """
        own_share = self._own_share(shown, chance)
        loss, right = self._step(
            tf.constant(shown),
            tf.constant(targets.possible),
            tf.constant(targets.log_priors),
            tf.constant(targets.weights),
            tf.constant(targets.possible if targets.taught is None else targets.taught),
            tf.constant(np.zeros(len(shown), np.float32) if targets.teaching is None else targets.teaching),
            tf.constant(chance.permutation(len(shown))),
            tf.constant(own_share),
            tf.constant(own_share.mean(), tf.float32),
        )
        return float(loss), float(right)

    def _own_share(self, shown: npt.NDArray[Any], chance: np.random.Generator) -> Floats:
        """Return the weight of the own photograph in each pixel: one share for mixup, or 0 in a cutmix patch."""
        if self._cutmix and (not self._mixup or chance.random() < 0.5):
            rows, columns = shown.shape[1:3]
            share = chance.beta(self._cutmix, self._cutmix)
            height, width = round(rows * (1 - share) ** 0.5), round(columns * (1 - share) ** 0.5)
            top, left = chance.integers(rows - height + 1), chance.integers(columns - width + 1)
            shares = np.ones((rows, columns, 1), dtype=np.float32)
            shares[top : top + height, left : left + width] = 0.0
            return shares
        share = chance.beta(self._mixup, self._mixup) if self._mixup else 1.0
        return np.full((1,) * (shown.ndim - 1), share, dtype=np.float32)

    def _learn(
        self,
        shown: Any,
        possible: Any,
        priors: Any,
        weights: Any,
        taught: Any,
        teaching: Any,
        partners: Any,
        own_share: Any,
        share: Any,
    ) -> Any:
        recipe = self.recipe
        shown = tf.cast(shown, tf.float32)
        is_mixed = bool(self._mixup or self._cutmix)
        if is_mixed:
            shown = own_share * shown + (1.0 - own_share) * tf.gather(shown, partners)
        # The forward pass updates the statistics of batch normalisation before the loss is known.
        moving = [variable for variable in self._learning.non_trainable_variables if "moving" in variable.path]
        before = [tf.identity(variable) for variable in moving]
        with tf.GradientTape() as tape:
            logits = self._learning(shown, training=True)
            losses = self._losses(logits, possible, priors, weights, taught, teaching)
            if is_mixed:
                of_partners = (tf.gather(values, partners) for values in (possible, priors, weights, taught, teaching))
                losses = share * losses + (1.0 - share) * self._losses(logits, *of_partners)
            loss = tf.reduce_mean(losses)
        variables = self.network.trainable_variables
        gradients = tape.gradient(loss, variables)

        def take() -> Any:
            self._optimizer.apply_gradients(zip(gradients, variables, strict=True))
            self._follow(recipe.average)
            return loss

        def leave() -> Any:
            for variable, value in zip(moving, before, strict=True):
                variable.assign(value)
            return tf.constant(float("nan"))

        loss = tf.cond(tf.math.is_finite(loss) & tf.math.is_finite(tf.linalg.global_norm(gradients)), take, leave)
        chosen = tf.argmax(logits + priors if recipe.loss == "logit-adjusted" else logits, axis=1)
        right = tf.reduce_mean(tf.gather(possible, chosen, axis=1, batch_dims=1))
        return loss, right

    def _losses(self, logits: Any, possible: Any, priors: Any, weights: Any, taught: Any, teaching: Any) -> Any:
        """Return each photograph's loss, for the total probability of the classes that its label allows."""
        recipe = self.recipe
        adjusted = logits + priors if recipe.loss == "logit-adjusted" else logits
        logs = tf.nn.log_softmax(adjusted)
        losses = -tf.reduce_logsumexp(tf.where(possible > 0, logs, _IMPOSSIBLE), axis=1)
        if recipe.teaching_share:
            losses += teaching * (-tf.reduce_sum(taught * logs, axis=1) - losses)
        if recipe.label_smoothing:
            losses += recipe.label_smoothing * (-tf.reduce_mean(logs, axis=1) - losses)
        return weights * losses

    def _follow(self, momentum: float) -> None:
        """Update the averaged weights, faster at first so that the initial weights have little influence."""
        steps = tf.cast(self._optimizer.iterations, tf.float32)
        momentum = tf.minimum(momentum, (1.0 + steps) / (10.0 + steps))
        for average, weight in zip(self._average, self.network.weights, strict=False):
            average.assign_sub((average - weight) * (1.0 - momentum))

    def logits(self, shown: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """Return the network's current logits for inputs as in ``learn``, float32 (B, classes)."""
        result: npt.NDArray[np.float32] = self._forward(tf.cast(tf.constant(shown), tf.float32)).numpy()
        return result

    def swap_in_average(self) -> list[npt.NDArray[np.float32]]:
        """Replace the weights by the averaged ones and return the former, for ``restore``."""
        current = [weight.numpy() for weight in self.network.weights]
        for weight, average in zip(self.network.weights, self._average, strict=False):
            weight.assign(average)
        return current

    def restore(self, weights: list[npt.NDArray[np.float32]]) -> None:
        """Restore the weights that ``swap_in_average`` returned."""
        for weight, values in zip(self.network.weights, weights, strict=True):
            weight.assign(values)

    def state(self) -> dict[str, npt.NDArray[Any]]:
        """Return the complete state for resuming: weights, random state, optimiser and average."""
        return {name: variable.numpy() for name, variable in self._variables().items()}

    def load_state(self, arrays: dict[str, npt.NDArray[Any]]) -> None:
        """Restore what ``state`` returned in the same phase of the same recipe."""
        for name, variable in self._variables().items():
            variable.assign(arrays[name])

    def _variables(self) -> dict[str, Any]:
        groups = {
            "network": self.network.variables,
            "optimizer": self._optimizer.variables,
            "average": self._average,
        }
        return {f"{group}-{n:04}": each for group, variables in groups.items() for n, each in enumerate(variables)}


@contextmanager
def _computing_in(precision: Precision) -> Iterator[None]:
    """Build layers within this context for ``precision``; their weights are float32 in any case."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32" if precision == "float32" else f"mixed_{precision}")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
