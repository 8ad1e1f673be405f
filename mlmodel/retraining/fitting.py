"""Fit a head to cases, epoch by epoch, in NumPy: what Keras would do, without TensorFlow in the worker."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mlmodel.network.calibration import softmax
from mlmodel.network.head import Floats, Head
from mlmodel.retraining.training_cases import TrainingMix

_LEAST_DEVIATION = 1e-3
# Adam's (Kingma & Ba, ICLR 2015).
_FIRST, _SECOND, _TINY = 0.9, 0.999, 1e-7


@dataclass(frozen=True)
class Recipe:
    """How a head is fitted. Chosen on fold 7; ``research/retraining.md`` has the table.

    Attributes:
        epochs: as many draws as there are cases, so many times.
        rate: of Adam, its peak; it falls to zero along a cosine.
        pull: how strongly weights are drawn back to those they started from, as AdamW decays them to zero.
        feature_dropout: share of features dropped in training.
        dropout: share of hidden units dropped in training.
        batch: cases a step.
        evenness: of the new cases: 0 draws every lesion alike, 1 every class alike; in between, by that power.
        replay_evenness: the same of the replay.
        remembered: of what a replayed case is to be answered, the share that is the active head's own answer; the
            rest is its label.
    """

    epochs: int = 8
    rate: float = 3e-4
    pull: float = 0.1
    feature_dropout: float = 0.3
    dropout: float = 0.3
    batch: int = 128
    evenness: float = 0.5
    replay_evenness: float = 1.0
    remembered: float = 1.0


def epochs_of(start: Head, lessons: TrainingMix, *, recipe: Recipe, seed: int, log_mix: Floats) -> Iterator[Head]:
    """Yield the head after each epoch, in half precision as it would be kept.

    The loss is cross-entropy with the drawn class mix added to the logits (Ren et al., NeurIPS 2020), so that what is
    learnt is fair to rare classes, whatever was drawn. Features are standardised on the way in, which is folded back
    into the weights; features that the start does not read stay unread.

    Args:
        start: the head that goes on learning.
        lessons: what to learn from.
        recipe: how.
        seed: of all chance.
        log_mix: float32 (7,), log of the class mix that the head's logits hold; the new head's hold it too.
    """
    generator = np.random.default_rng(seed)
    is_read = np.abs(start.hidden_weights).sum(axis=1) > 0
    cases = lessons.cases
    inputs = cases.features[:, is_read].astype(np.float32)
    mean = inputs.mean(axis=0)
    scale = np.maximum(inputs.std(axis=0), _LEAST_DEVIATION)
    inputs = (inputs - mean) / scale
    begun = [
        start.hidden_weights[is_read] * scale[:, None],
        start.hidden_bias + mean @ start.hidden_weights[is_read],
        start.output_weights,
        start.output_bias - log_mix,
    ]
    adam = _Adam(begun, recipe)
    steps = -(-len(cases) // recipe.batch)
    for epoch in range(recipe.epochs):
        for step in range(steps):
            rows = generator.choice(len(cases), recipe.batch, p=lessons.shares)
            adam.rate = recipe.rate * 0.5 * (1 + np.cos(np.pi * (epoch * steps + step) / (recipe.epochs * steps)))
            drawn = inputs[rows], lessons.targets[rows], lessons.log_mixes[rows]
            adam.step(_gradients(adam.values, *drawn, recipe, generator))
        hidden = np.zeros_like(start.hidden_weights)
        hidden[is_read] = adam.values[0] / scale[:, None]
        yield in_half_precision(
            Head(hidden, adam.values[1] - mean @ hidden[is_read], adam.values[2], adam.values[3] + log_mix)
        )


def in_half_precision(head: Head) -> Head:
    """Return the head as it will be loaded: what is calibrated and judged is what will be served."""
    return Head(**{name: values.astype(np.float16).astype(np.float32) for name, values in vars(head).items()})


class _Adam:
    """Adam with decoupled decay (Loshchilov & Hutter, ICLR 2019), towards the start instead of zero."""

    def __init__(self, begun: list[Floats], recipe: Recipe) -> None:
        self.values = [values.astype(np.float32).copy() for values in begun]
        self.rate = recipe.rate
        self._begun, self._pull = begun, recipe.pull
        self._first = [np.zeros_like(values) for values in self.values]
        self._second = [np.zeros_like(values) for values in self.values]
        self._steps = 0

    def step(self, gradients: list[Floats]) -> None:
        self._steps += 1
        size = np.float32(self.rate * np.sqrt(1 - _SECOND**self._steps) / (1 - _FIRST**self._steps))
        pull = np.float32(self.rate * self._pull)
        for values, begun, first, second, gradient in zip(
            self.values, self._begun, self._first, self._second, gradients, strict=True
        ):
            first *= np.float32(_FIRST)
            first += np.float32(1 - _FIRST) * gradient
            second *= np.float32(_SECOND)
            second += np.float32(1 - _SECOND) * gradient * gradient
            values -= size * first / (np.sqrt(second) + np.float32(_TINY)) + pull * (values - begun)


def _gradients(
    values: list[Floats],
    inputs: Floats,
    targets: Floats,
    log_mixes: Floats,
    recipe: Recipe,
    generator: np.random.Generator,
) -> list[Floats]:
    hidden_weights, hidden_bias, output_weights, output_bias = values
    inputs = inputs * _kept(inputs.shape, recipe.feature_dropout, generator)
    before = inputs @ hidden_weights + hidden_bias
    kept = _kept(before.shape, recipe.dropout, generator) * (before > 0).astype(np.float32)
    hidden: Floats = before * kept
    slope = (softmax(hidden @ output_weights + output_bias + log_mixes) - targets) / np.float32(len(inputs))
    back = (slope @ output_weights.T) * kept
    return [inputs.T @ back, back.sum(axis=0), hidden.T @ slope, slope.sum(axis=0)]


def _kept(shape: tuple[int, ...], dropped: float, generator: np.random.Generator) -> Floats:
    return (generator.random(shape, dtype=np.float32) >= dropped).astype(np.float32) / np.float32(1 - dropped)
