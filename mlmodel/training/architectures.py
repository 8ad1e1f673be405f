"""The three architectures of the original papers, as Keras models from pixels to logits."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import keras

from mlmodel.network.stages import STAGES
from mlmodel.training.backbone import base_with_weights, stage_layer
from mlmodel.training.quick_layers import with_quick_layers
from mlmodel.training.recipe import Recipe

# The mean of ImageNet in BGR, which Keras's VGG16 expects to be subtracted (Simonyan & Zisserman, 2015).
_CAFFE_MEAN = (103.939, 116.779, 123.68)


def build_network(
    recipe: Recipe, *, weights: Path | None = None, start: str | None = None, is_quick: bool = False
) -> keras.Model:
    """Return the network of ``recipe``, from float32 (B, side, side, 3), 0 to 255, to logits (B, classes).

    Args:
        recipe: its architecture, scaling, head and start.
        weights: a Keras weights file of the base without its top; by default Keras's download.
        start: overrides the recipe's; ``random`` if trained weights are loaded next.
        is_quick: for training: an Xception with ``quick_layers``, with the same weights in the same order. Exports use
            Keras's own layers.
    """
    builder = {"xception": _xception, "vgg16": _vgg16, "cnn8": _cnn8}[recipe.architecture]
    if start is not None:
        recipe = replace(recipe, start=start)  # type: ignore[arg-type]
    return builder(recipe, weights, is_quick)


def set_trainable_from(network: keras.Model, start: str) -> None:
    """Make the network trainable from ``start`` on: ``everything``, ``head``, or a block of the base (``block4``).

    Earlier layers are frozen; their batch normalisation uses the moving statistics even in training.
    """
    network.trainable = True
    base = base_of(network)
    if base is None:
        return
    # Keras does not pass the network's flag to a nested model.
    base.trainable = start != "head"
    if start in {"everything", "head"}:
        return
    last_frozen = stage_layer(base, f"block{int(start.removeprefix('block')) - 1}")
    for layer in base.layers[: base.layers.index(last_frozen) + 1]:
        layer.trainable = False


def base_of(network: keras.Model) -> Any:
    """Return the base without its top, a Keras model, or None if the network has none."""
    return next((layer for layer in network.layers if isinstance(layer, keras.Model)), None)


def head_slices(pooled_stages: tuple[str, ...]) -> dict[str, slice]:
    """Return the slice of each stage's channel means in the input of an Xception's head.

    Args:
        pooled_stages: the recipe's; empty for the last map only.
    """
    slices, start = {}, 0
    for stage in pooled_stages or (STAGES[-1][0],):
        width = dict(STAGES)[stage]
        slices[stage] = slice(start, start + width)
        start += width
    return slices


def renew_from(network: keras.Model, fresh: keras.Model, block: str, *, pooled_stages: tuple[str, ...]) -> None:
    """Reset the base's weights from ``block`` on to those of ``fresh``, and set the head's weights for them to zero.

    Args:
        network: an Xception, changed in place.
        fresh: the same network with its initial weights.
        block: the first block to reset, such as ``block14``.
        pooled_stages: the stages in the head's input, in order; empty for the last map only.
    """
    base, source = base_of(network), base_of(fresh)
    first = base.layers.index(stage_layer(base, f"block{int(block.removeprefix('block')) - 1}")) + 1
    for layer, like in zip(base.layers[first:], source.layers[first:], strict=True):
        layer.set_weights(like.get_weights())
    hidden = network.get_layer("head_hidden")
    kernel, bias = hidden.get_weights()
    for stage, place in head_slices(pooled_stages).items():
        if int(stage.removeprefix("block")) >= int(block.removeprefix("block")):
            kernel[place] = 0.0
    hidden.set_weights([kernel, bias])


def scaled(pixels: Any, scaling: str) -> Any:
    """Return pixels of 0 to 255 scaled to the range of the base's pretraining."""
    if scaling == "0..1":
        return keras.layers.Rescaling(1 / 255.0)(pixels)
    if scaling == "-1..1":
        return keras.layers.Rescaling(1 / 127.5, offset=-1.0)(pixels)
    blue_first = keras.layers.Lambda(lambda values: values[..., ::-1], output_shape=lambda shape: shape)(pixels)
    return keras.layers.Rescaling(1.0, offset=[-mean for mean in _CAFFE_MEAN])(blue_first)


def _xception(recipe: Recipe, weights: Path | None, is_quick: bool) -> keras.Model:
    base = _base(keras.applications.Xception, recipe, weights)
    if is_quick:
        base = with_quick_layers(base)
    if recipe.batch_norm_momentum:
        for layer in base.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.momentum = recipe.batch_norm_momentum
    stages = recipe.pooled_stages or ("block14",)
    trunk = keras.Model(base.input, [stage_layer(base, stage).output for stage in stages], name="base")
    pixels = keras.Input((None, None, 3), name="pixels")
    # Depending on the version of Keras, a single output is returned in a list or not.
    maps = keras.tree.flatten(trunk(scaled(pixels, recipe.scaling)))
    pooled = [keras.layers.GlobalAveragePooling2D()(values) for values in maps]
    return _with_head(pixels, keras.layers.Concatenate()(pooled) if len(pooled) > 1 else pooled[0], recipe)


def _vgg16(recipe: Recipe, weights: Path | None, _is_quick: bool) -> keras.Model:
    base = _base(keras.applications.VGG16, recipe, weights)
    pixels = keras.Input((None, None, 3), name="pixels")
    features = keras.layers.GlobalAveragePooling2D()(base(scaled(pixels, recipe.scaling)))
    return _with_head(pixels, features, recipe)


def _cnn8(recipe: Recipe, _weights: Path | None, _is_quick: bool) -> keras.Model:
    """Return the second paper's own network: eight convolutions with max pooling, two dense layers, ReLU.

    256 pixels halve eight times to one, so the last map has one position. The paper does not state the widths; here
    they double from 32 to 256.
    """
    side = recipe.phases[0].side
    pixels = keras.Input((side, side, 3), name="pixels")
    values = scaled(pixels, recipe.scaling)
    for width in (32, 32, 64, 64, 128, 128, 256, 256):
        values = keras.layers.Conv2D(width, 3, padding="same")(values)
        # Equivalent to ReLU before max pooling, but on a quarter of the values.
        values = keras.layers.ReLU()(keras.layers.MaxPooling2D()(values))
    return _with_head(pixels, keras.layers.Flatten()(values), recipe)


def _base(application: Any, recipe: Recipe, weights: Path | None) -> keras.Model:
    if recipe.start == "imagenet":
        return base_with_weights(application, weights)
    return application(weights=None, include_top=False, input_shape=(None, None, 3))


def split_at_features(network: keras.Model) -> tuple[keras.Model, keras.Model]:
    """Return two models that share the network's layers: pixels to pooled features, and features to logits."""
    features = network.get_layer("features").output
    feature_input = keras.Input(features.shape[1:])
    values = feature_input
    for name in _HEAD_LAYERS:
        if name in {layer.name for layer in network.layers}:
            values = network.get_layer(name)(values)
    return keras.Model(network.input, features), keras.Model(feature_input, values)


_HEAD_LAYERS = ("head_norm", "head_feature_dropout", "head_hidden", "head_dropout", "head_output")


def _with_head(pixels: Any, features: Any, recipe: Recipe) -> keras.Model:
    features = keras.layers.Identity(name="features")(features)
    if recipe.normalise_pools:
        # Without scale and centre, which the dense layer after it has.
        features = keras.layers.BatchNormalization(
            center=False, scale=False, momentum=recipe.batch_norm_momentum or 0.99, name="head_norm"
        )(features)
    if recipe.feature_dropout:
        features = keras.layers.Dropout(recipe.feature_dropout, name="head_feature_dropout")(features)
    hidden = keras.layers.Dense(recipe.hidden_units, activation="relu", name="head_hidden")(features)
    if recipe.dropout:
        hidden = keras.layers.Dropout(recipe.dropout, name="head_dropout")(hidden)
    output = keras.layers.Dense(
        len(recipe.classes),
        kernel_initializer="zeros" if recipe.starts_from_mix else "glorot_uniform",
        dtype="float32",
        name="head_output",
    )
    return keras.Model(pixels, output(hidden))
