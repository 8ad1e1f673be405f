"""Fitting of a head in NumPy, so that the worker does not need TensorFlow."""

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
    """The hyperparameters for fitting a head, chosen on fold 7; see ``docs/understand/retraining.md``.

    Attributes:
        epochs: the number of epochs; an epoch draws as many cases as there are.
        rate: the peak learning rate of Adam, with cosine decay to zero.
        pull: the decay of weights towards their initial values, like AdamW's decay towards zero.
        feature_dropout: the dropout rate of features.
        dropout: the dropout rate of hidden units.
        batch: the batch size.
        evenness: class balance in sampling the new cases: 0 weights every lesion equally, 1 every class; values in
            between are exponents.
        replay_evenness: the same for the replay.
        remembered: the weight of the active head's answer in the target of a replayed case; the rest is its label.
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
    """Yield the head after each epoch, in half precision as it is stored.

    The loss is cross-entropy with the log priors of sampled classes added to the logits (Ren et al., NeurIPS 2020),
    which corrects for the sampling. Features are standardised, which is folded back into the weights; features that
    the initial head does not use remain unused.

    Args:
        start: the initial head.
        lessons: the training cases.
        recipe: the hyperparameters.
        seed: the random seed.
        log_mix: float32 (7,), the log class priors included in the head's logits, and also in the new head's.
    """
    generator = np.random.default_rng(seed)
    is_read = np.abs(start.hidden_weights).sum(axis=1) > 0
    cases = lessons.cases
    inputs = cases.features[:, is_read].astype(np.float32)
    mean = inputs.mean(axis=0)
    scale = np.maximum(inputs.std(axis=0), _LEAST_DEVIATION)
    inputs = (inputs - mean) / scale
    initial_values = [
        start.hidden_weights[is_read] * scale[:, None],
        start.hidden_bias + mean @ start.hidden_weights[is_read],
        start.output_weights,
        start.output_bias - log_mix,
    ]
    adam = _Adam(initial_values, recipe)
    steps = -(-len(cases) // recipe.batch)
    for epoch in range(recipe.epochs):
        for step in range(steps):
            rows = generator.choice(len(cases), recipe.batch, p=lessons.shares)
            adam.rate = recipe.rate * 0.5 * (1 + np.cos(np.pi * (epoch * steps + step) / (recipe.epochs * steps)))
            batch = inputs[rows], lessons.targets[rows], lessons.log_mixes[rows]
            adam.step(_gradients(adam.values, *batch, recipe, generator))
        hidden = np.zeros_like(start.hidden_weights)
        hidden[is_read] = adam.values[0] / scale[:, None]
        yield in_half_precision(
            Head(hidden, adam.values[1] - mean @ hidden[is_read], adam.values[2], adam.values[3] + log_mix)
        )


def in_half_precision(head: Head) -> Head:
    """Return the head rounded as it will be loaded, so that calibration and evaluation apply to the served head."""
    return Head(**{name: values.astype(np.float16).astype(np.float32) for name, values in vars(head).items()})


class _Adam:
    """Adam with decoupled weight decay (Loshchilov & Hutter, ICLR 2019), towards the initial values, not zero."""

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
    inputs = inputs * _dropout_mask(inputs.shape, recipe.feature_dropout, generator)
    before = inputs @ hidden_weights + hidden_bias
    mask = _dropout_mask(before.shape, recipe.dropout, generator) * (before > 0).astype(np.float32)
    hidden: Floats = before * mask
    slope = (softmax(hidden @ output_weights + output_bias + log_mixes) - targets) / np.float32(len(inputs))
    back = (slope @ output_weights.T) * mask
    return [inputs.T @ back, back.sum(axis=0), hidden.T @ slope, slope.sum(axis=0)]


def _dropout_mask(shape: tuple[int, ...], dropped: float, generator: np.random.Generator) -> Floats:
    return (generator.random(shape, dtype=np.float32) >= dropped).astype(np.float32) / np.float32(1 - dropped)
