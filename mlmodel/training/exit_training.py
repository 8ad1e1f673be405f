"""Fine-tune an exit flow and the head over it, on new cases beside what must not be forgotten."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from mlmodel.exit_flow import as_read
from mlmodel.head import Floats, Head
from mlmodel.retraining.base_set import Cases, joined
from mlmodel.retraining.learning import (
    LEAST_LESIONS,
    HeldCases,
    Progress,
    head_between,
    split_by_lesion,
)
from mlmodel.retraining.lessons import drawing_shares
from mlmodel.retraining.network import Network
from mlmodel.training.calibration_rules import lesion_weights
from mlmodel.training.exit_network import ExitNetwork

_STEPS_TOWARDS = (0.5, 1.0)
_LEAST_DEVIATION = 1e-3
_ROUNDS_TOLD = 20


@dataclass(frozen=True)
class ExitRecipe:
    """How an exit flow is fine-tuned.

    Attributes:
        epochs: as many draws as there are cases, so many times.
        rate: of Adam for the exit flow, its peak; it falls to zero along a cosine.
        head_rate: the same for the head.
        pull: how strongly weights are drawn back to those they started from (Li et al., ICML 2018).
        dropout: share of features, and of hidden units, dropped in training.
        batch: cases a step.
        evenness: 0 draws every lesion alike, 1 every class alike; in between, by that power.
    """

    epochs: int = 4
    rate: float = 2e-5
    head_rate: float = 5e-5
    pull: float = 0.5
    dropout: float = 0.3
    batch: int = 32
    evenness: float = 0.5


@dataclass(frozen=True)
class MappedCases:
    """N photographs whose labels are settled, with what the exit flow begins with.

    Attributes:
        cases: their features are the shipped backbone's, (N, 5640).
        maps: float16 (N, 728, rows, columns), of block 12; may be mapped from a file.
    """

    cases: Cases
    maps: npt.NDArray[np.float16]

    def __post_init__(self) -> None:
        if self.maps.ndim != 4 or len(self.maps) != len(self.cases):
            raise ValueError(f"expected maps ({len(self.cases)}, 728, rows, columns), got {self.maps.shape}")

    def through(self, network: ExitNetwork) -> Cases:
        """Return the cases as a head over this exit flow reads them."""
        return replace(self.cases, features=as_read(self.cases.features, network.features(self.maps)))


def fine_tune_exit(
    *,
    active: Network,
    exit_flow: bytes,
    replay: MappedCases,
    calibration: MappedCases,
    learned: MappedCases,
    seed: int,
    progress: Progress,
    recipe: ExitRecipe | None = None,
) -> tuple[bytes, Head] | None:
    """Return an exit flow and the head over it, or None where nothing better was found.

    After each epoch what was learnt is tried, and the point half-way to it, which forgets less (Wortsman et al., CVPR
    2022); the one that serves the held cases best is taken. The loss is cross-entropy with the drawn class mix added
    to the logits (Ren et al., NeurIPS 2020).

    Args:
        active: the network that answers now; its head is read over ``exit_flow``.
        exit_flow: the file of the one that answers now: the start.
        replay: of the base's training folds, so that it does not forget.
        calibration: of the base's fold that calibrates; never trained on.
        learned: confirmed cases, none of them of a locked test.
        seed: of all chance.
        progress: is told the share done, in [0, 1], and what is being done.
        recipe: how.

    Raises:
        ExitFlowError: the exit flow is none.
    """
    recipe = recipe or ExitRecipe()
    shares = split_by_lesion(learned.cases, seed=seed)
    if len(np.unique(shares.trained.lesions)) < LEAST_LESIONS:
        return None
    is_held = np.isin(learned.cases.lesions, shares.held.lesions)
    held = MappedCases(shares.held, learned.maps[is_held])
    network = ExitNetwork(exit_flow)
    judge = _Judge(active, calibration, held)
    progress(0.0, "Reading the cases")
    best, least = None, judge.loss(network, active.head)
    rows = np.flatnonzero(~is_held)
    training = _Training(active, network, replay, learned, rows, recipe, seed)
    for head in training.epochs(progress):
        end, start = network.values(), training.begun
        for share in _STEPS_TOWARDS:
            part = np.float32(share)
            network.take({name: start[name] + part * (end[name] - start[name]) for name in end})
            network.round()
            between = head_between(active.head, head, share)
            if (loss := judge.loss(network, between)) < least:
                best, least = (network.file(), between), loss
        network.take(end)
    return best


class _Judge:
    """How well an exit flow and a head serve cases that neither was trained on."""

    def __init__(self, active: Network, calibration: MappedCases, held: MappedCases) -> None:
        self._calibration, self._held, self._active = calibration, held, active

    def loss(self, network: ExitNetwork, head: Head) -> float:
        parts = [part.through(network) for part in (self._calibration, self._held) if len(part.cases)]
        return HeldCases(*parts, calibration=self._active.calibration).loss(head)


class _Training:
    """The variables that learn, and how they take a step."""

    def __init__(
        self,
        active: Network,
        network: ExitNetwork,
        replay: MappedCases,
        learned: MappedCases,
        rows: npt.NDArray[np.int64],
        recipe: ExitRecipe,
        seed: int,
    ) -> None:
        self._network, self._recipe, self._seed = network, recipe, seed
        self._parts = (replay, learned)
        self._cases = joined(replay.cases, learned.cases.take(rows))
        self._places = [(0, row) for row in range(len(replay.cases))] + [(1, int(row)) for row in rows]
        self.begun = network.values()
        self._log_mix = np.log(active.calibration.class_mix)
        seen = self._cases.features.astype(np.float32)
        self._mean, self._scale = seen.mean(axis=0), np.maximum(seen.std(axis=0), _LEAST_DEVIATION)
        head = active.head
        started = (
            head.hidden_weights * self._scale[:, None],
            head.hidden_bias + self._mean @ head.hidden_weights,
            head.output_weights,
            head.output_bias - self._log_mix,
        )
        self._head = [tf.Variable(values.astype(np.float32)) for values in started]
        self._is_read = (np.abs(head.hidden_weights).sum(axis=1, keepdims=True) > 0).astype(np.float32)
        self._exit = list(network.weights.values())
        self._starts = [tf.constant(each.numpy()) for each in (*self._exit, *self._head)]
        self._adams = (keras.optimizers.Adam(recipe.rate), keras.optimizers.Adam(recipe.head_rate))
        for adam, variables in zip(self._adams, (self._exit, self._head), strict=True):
            adam.build(variables)

    def epochs(self, progress: Progress) -> Iterator[Head]:
        """Yield the head after each epoch; the network holds the exit flow of that moment."""
        recipe, cases = self._recipe, self._cases
        generator = np.random.default_rng(self._seed)
        tf.random.set_seed(self._seed)
        shares, log_drawn = drawing_shares(cases, lesion_weights(cases.lesions), recipe.evenness)
        steps = -(-len(cases) // recipe.batch)
        for epoch in range(recipe.epochs):
            for step in range(steps):
                done = (epoch * steps + step) / (recipe.epochs * steps)
                fall = 0.5 * (1 + np.cos(np.pi * done))
                for adam, peak in zip(self._adams, (recipe.rate, recipe.head_rate), strict=True):
                    adam.learning_rate = peak * fall
                rows = generator.choice(len(cases), recipe.batch, p=shares)
                self._step(
                    tf.constant(self._maps(rows)),
                    tf.constant(cases.features[rows].astype(np.float32)),
                    tf.constant(cases.labels[rows]),
                    tf.constant(log_drawn),
                )
                if step % max(steps // _ROUNDS_TOLD, 1) == 0:
                    progress(done, f"Training the exit flow: epoch {epoch + 1} of {recipe.epochs}")
            yield self._read_out()

    def _maps(self, rows: npt.NDArray[np.int64]) -> Floats:
        return np.stack([self._parts[part].maps[row] for part, row in (self._places[row] for row in rows)]).astype(
            np.float32
        )

    @tf.function(reduce_retracing=True)
    def _step(self, maps: tf.Tensor, features: tf.Tensor, labels: tf.Tensor, log_drawn: tf.Tensor) -> None:
        recipe = self._recipe
        hidden_weights, hidden_bias, output_weights, output_bias = self._head
        with tf.GradientTape() as tape:
            own = self._network(maps)
            read = tf.concat([features[:, : -own.shape[1]], own], axis=1)
            inputs = tf.nn.dropout((read - self._mean) / self._scale, recipe.dropout)
            hidden = tf.nn.dropout(tf.nn.relu(inputs @ (hidden_weights * self._is_read) + hidden_bias), recipe.dropout)
            logits = hidden @ output_weights + output_bias + log_drawn
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))
        gradients = tape.gradient(loss, [*self._exit, *self._head])
        count = len(self._exit)
        self._adams[0].apply(gradients[:count])
        self._adams[1].apply(gradients[count:])
        rates = [self._adams[0].learning_rate] * count + [self._adams[1].learning_rate] * len(self._head)
        for variable, start, rate in zip((*self._exit, *self._head), self._starts, rates, strict=True):
            variable.assign_sub(rate * recipe.pull * (variable - start))

    def _read_out(self) -> Head:
        hidden_weights, hidden_bias, output_weights, output_bias = (each.numpy() for each in self._head)
        hidden = hidden_weights * self._is_read / self._scale[:, None]
        return Head(hidden, hidden_bias - self._mean @ hidden, output_weights, output_bias + self._log_mix)
