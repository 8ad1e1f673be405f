"""A network while it learns: one compiled step, averaged weights, and all of its state as arrays."""

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
# What is not possible has a probability of e to this; a true zero would have no gradient.
_IMPOSSIBLE = -1e9


@dataclass(frozen=True)
class Targets:
    """What B photographs of a step are known to show.

    Attributes:
        possible: float32 (B, classes), 1 for each class that the label leaves possible.
        log_priors: float32 (B, classes), the class mix that each is drawn from.
        weights: float32 (B,), of the loss.
        taught: float32 (B, classes), what teachers say of the same photographs, where the recipe has any.
        teaching: float32 (B,), the share of the target that is theirs.
    """

    possible: Floats
    log_priors: Floats
    weights: Floats
    taught: Floats | None = None
    teaching: Floats | None = None

    @classmethod
    def exact(cls, labels: npt.NDArray[np.int64], mix: npt.NDArray[np.float64]) -> "Targets":
        """Return those of exact labels, int64 (B,), all drawn from one mix, float64 (classes,)."""
        possible = np.eye(len(mix), dtype=np.float32)[labels]
        priors = np.tile(np.log(mix), (len(labels), 1)).astype(np.float32)
        return cls(possible, priors, np.ones(len(labels), dtype=np.float32))


class Learner:
    """Network, optimiser and averaged weights: ``begin`` a phase, ``learn`` from batches, ask for ``logits``."""

    def __init__(self, recipe: Recipe, *, weights: Path | None = None) -> None:
        """Build the network.

        Args:
            recipe: what to train, and how.
            weights: ImageNet weights of the base; by default Keras's own, downloaded.
        """
        keras.utils.set_random_seed(recipe.seed)
        self.recipe = recipe
        with _computing_in(recipe.precision):
            self.network = build_network(recipe, weights=weights, is_quick=True)
        self._weights = weights
        self._average = [tf.Variable(weight) for weight in self.network.weights] if recipe.average else []

    def begin(self, phase: Phase, *, steps: int) -> None:
        """Get ready for ``steps`` steps of ``phase``, with a fresh optimiser and an average of its own."""
        set_trainable_from(self.network, phase.trainable_from)
        self._mixup = phase.mixup or self.recipe.mixup
        self._cutmix = self.recipe.cutmix if phase.trainable_from != "head" else 0.0
        if phase.renewed_from:
            self._renew(phase.renewed_from)
        for kept, weight in zip(self._average, self.network.weights, strict=False):
            kept.assign(weight)
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
        # Where only the head learns, what it is shown are the features of the frozen base.
        self._learning = head if phase.trainable_from == "head" else self.network
        self._step = tf.function(self._learn, reduce_retracing=True)
        self._forward = tf.function(lambda shown: self._learning(shown, training=False), reduce_retracing=True)
        self._features = compiled_base(base)
        self._pooled = tf.function(lambda shown: base(shown, training=False), reduce_retracing=True)

    def _renew(self, block: str) -> None:
        """Give the base from ``block`` on its starting weights again, and have the head not read it yet."""
        fresh = build_network(self.recipe, weights=self._weights)
        renew_from(self.network, fresh, block, pooled_stages=self.recipe.pooled_stages)

    def settle(self, batches: Iterable[npt.NDArray[np.uint8]]) -> None:
        """Take the moving statistics of batch normalisation from what it sees of uint8 (B, side, side, 3) now."""
        see = tf.function(lambda pixels: self.network(pixels, training=True), reduce_retracing=True)
        for pixels in batches:
            see(tf.cast(tf.constant(pixels), tf.float32))

    def features(self, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Return what the base, frozen in this phase, makes of uint8 (B, side, side, 3): float32 (B, F)."""
        return self._features(pixels)

    def pooled(self, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Return what the base, as it stands among two steps, makes of uint8 (B, side, side, 3): float32 (B, F)."""
        found: npt.NDArray[np.float32] = tf.cast(
            self._pooled(tf.cast(tf.constant(pixels), tf.float32)), tf.float32
        ).numpy()
        return found

    def base_sha256(self) -> str:
        """Return a hash of the base's weights, which tells its features from another's."""
        digest = hashlib.sha256()
        for weight in base_of(self.network).get_weights():
            digest.update(np.ascontiguousarray(weight).tobytes())
        return digest.hexdigest()

    def learn(self, shown: npt.NDArray[Any], targets: Targets, *, chance: np.random.Generator) -> tuple[float, float]:
        """Take one step and return its loss and the share of its photographs that were named rightly.

        A step whose loss or gradient is no number is left out, as when losses are scaled (Micikevicius et al., ICLR
        2018): network and optimiser stay as they were, and the loss that comes back is NaN.

        Args:
            shown: uint8 (B, side, side, 3), or features (B, F) in a phase where only the head learns.
            targets: what they show.
            chance: what mixes photographs, where the recipe does.
        """
        kept = self._kept(shown, chance)
        loss, right = self._step(
            tf.constant(shown),
            tf.constant(targets.possible),
            tf.constant(targets.log_priors),
            tf.constant(targets.weights),
            tf.constant(targets.possible if targets.taught is None else targets.taught),
            tf.constant(np.zeros(len(shown), np.float32) if targets.teaching is None else targets.teaching),
            tf.constant(chance.permutation(len(shown))),
            tf.constant(kept),
            tf.constant(kept.mean(), tf.float32),
        )
        return float(loss), float(right)

    def _kept(self, shown: npt.NDArray[Any], chance: np.random.Generator) -> Floats:
        """Return how much of each pixel stays with its own photograph: one share for all, or 0 in a pasted patch."""
        if self._cutmix and (not self._mixup or chance.random() < 0.5):
            rows, columns = shown.shape[1:3]
            share = chance.beta(self._cutmix, self._cutmix)
            height, width = round(rows * (1 - share) ** 0.5), round(columns * (1 - share) ** 0.5)
            top, left = chance.integers(rows - height + 1), chance.integers(columns - width + 1)
            kept = np.ones((rows, columns, 1), dtype=np.float32)
            kept[top : top + height, left : left + width] = 0.0
            return kept
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
        kept: Any,
        share: Any,
    ) -> Any:
        recipe = self.recipe
        shown = tf.cast(shown, tf.float32)
        is_mixed = bool(self._mixup or self._cutmix)
        if is_mixed:
            shown = kept * shown + (1.0 - kept) * tf.gather(shown, partners)
        # Seeing a batch moves the statistics of batch normalisation before its loss is known.
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
        """Return each photograph's loss: of all that its label leaves possible, taken together."""
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
        """Move the averaged weights towards the others: early on faster, or their start would weigh on them."""
        taken = tf.cast(self._optimizer.iterations, tf.float32)
        momentum = tf.minimum(momentum, (1.0 + taken) / (10.0 + taken))
        for kept, weight in zip(self._average, self.network.weights, strict=False):
            kept.assign_sub((kept - weight) * (1.0 - momentum))

    def logits(self, shown: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """Return what the network, as it stands, says of what ``learn`` takes: float32 (B, classes)."""
        found: npt.NDArray[np.float32] = self._forward(tf.cast(tf.constant(shown), tf.float32)).numpy()
        return found

    def swap_in_average(self) -> list[npt.NDArray[np.float32]]:
        """Put the averaged weights in place and return the others, for ``restore``."""
        current = [weight.numpy() for weight in self.network.weights]
        for weight, kept in zip(self.network.weights, self._average, strict=False):
            weight.assign(kept)
        return current

    def restore(self, weights: list[npt.NDArray[np.float32]]) -> None:
        """Put back what ``swap_in_average`` returned."""
        for weight, kept in zip(self.network.weights, weights, strict=True):
            weight.assign(kept)

    def state(self) -> dict[str, npt.NDArray[Any]]:
        """Return everything that a later process needs to go on: weights, chance, optimiser, average."""
        return {name: variable.numpy() for name, variable in self._variables().items()}

    def load_state(self, arrays: dict[str, npt.NDArray[Any]]) -> None:
        """Take on what ``state`` returned, in the same phase of the same recipe."""
        for name, variable in self._variables().items():
            variable.assign(arrays[name])

    def _variables(self) -> dict[str, Any]:
        groups = {
            "network": self.network.variables,
            "optimizer": self._optimizer.variables,
            "average": self._average,
        }
        return {f"{group}-{n:04}": found for group, variables in groups.items() for n, found in enumerate(variables)}


@contextmanager
def _computing_in(precision: Precision) -> Iterator[None]:
    """Layers that are built meanwhile compute in ``precision``; their weights are float32 either way."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32" if precision == "float32" else f"mixed_{precision}")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
