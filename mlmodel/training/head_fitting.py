"""Fitting of the head on pooled features."""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from mlmodel.network.calibration import Labels
from mlmodel.network.head import Floats, Head
from mlmodel.taxonomy import CODES


@dataclass(frozen=True)
class HeadRecipe:
    """The hyperparameters for fitting a head. The defaults are those of the shipped head, chosen on fold 7.

    Attributes:
        members: the number of heads in the ensemble, fitted with different seeds and averaged.
        hidden_units: hidden units of each member; a merged head has members × hidden_units.
        dropout: the dropout rate of hidden units.
        input_dropout: the dropout rate of features.
        weight_decay: the weight decay of AdamW (Loshchilov & Hutter, ICLR 2019).
        learning_rate: the peak learning rate, with cosine decay to zero.
        epochs: the number of epochs.
        batch_size: the batch size.
        label_smoothing: the share of the target that is spread over all classes.
        seed: the seed of the first member; the others count up from it.
    """

    members: int = 4
    hidden_units: int = 128
    dropout: float = 0.5
    input_dropout: float = 0.4
    weight_decay: float = 0.1
    learning_rate: float = 3e-4
    epochs: int = 15
    batch_size: int = 128
    label_smoothing: float = 0.0
    seed: int = 7


def fit_head(features: npt.NDArray[np.floating], labels: Labels, *, recipe: HeadRecipe, verbose: int = 0) -> Head:
    """Return the average of ``recipe.members`` fitted heads as one head.

    The average of the members' logits is itself a two-layer head, with concatenated hidden units and output weights
    divided by the number of members. So the ensemble has no extra cost and keeps its closed-form gradient.

    The loss is logit-adjusted cross-entropy (Menon et al., ICLR 2021), so that rare classes are learned; the log class
    mix is then added to the output bias, and the logits returned are those of the training mix.

    Args:
        features: (N, F), any float type.
        labels: int64 (N,).
        recipe: the hyperparameters.
        verbose: as in Keras.
    """
    mean = features.mean(axis=0, dtype=np.float64).astype(np.float32)
    # Channels that hardly vary would be amplified to noise.
    scale = np.maximum(features.std(axis=0, dtype=np.float64).astype(np.float32), 1e-3)
    scaled = (features.astype(np.float32) - mean) / scale
    log_mix = np.log(class_mix(labels))
    members = [_fit_member(scaled, labels, log_mix, recipe, recipe.seed + n, verbose) for n in range(recipe.members)]
    hidden_weights = np.concatenate([member.hidden_weights for member in members], axis=1)
    hidden_bias = np.concatenate([member.hidden_bias for member in members])
    return Head(
        hidden_weights=hidden_weights / scale[:, None],
        hidden_bias=hidden_bias - (mean / scale) @ hidden_weights,
        output_weights=np.concatenate([member.output_weights / np.float32(recipe.members) for member in members]),
        output_bias=np.mean([member.output_bias for member in members], axis=0) + log_mix,
    )


def class_mix(labels: Labels) -> Floats:
    """Return the share of each class, float32 (7,)."""
    return (np.bincount(labels, minlength=len(CODES)) / len(labels)).astype(np.float32)


def _fit_member(scaled: Floats, labels: Labels, log_mix: Floats, recipe: HeadRecipe, seed: int, verbose: int) -> Head:
    keras.utils.set_random_seed(seed)
    hidden = keras.layers.Dense(recipe.hidden_units, activation="relu", kernel_initializer="he_normal")
    output = keras.layers.Dense(len(CODES))
    model = keras.Sequential(
        [
            keras.Input((scaled.shape[1],)),
            keras.layers.Dropout(recipe.input_dropout),
            hidden,
            keras.layers.Dropout(recipe.dropout),
            output,
        ]
    )

    def loss(truth: Any, logits: Any) -> Any:
        return keras.losses.categorical_crossentropy(
            truth, logits + log_mix, from_logits=True, label_smoothing=recipe.label_smoothing
        )

    steps = recipe.epochs * -(-len(labels) // recipe.batch_size)
    schedule = keras.optimizers.schedules.CosineDecay(recipe.learning_rate, steps)
    model.compile(keras.optimizers.AdamW(schedule, weight_decay=recipe.weight_decay), loss=loss)
    targets = keras.utils.to_categorical(labels, len(CODES))
    model.fit(scaled, targets, batch_size=recipe.batch_size, epochs=recipe.epochs, verbose=verbose)
    return Head(*hidden.get_weights(), *output.get_weights())
