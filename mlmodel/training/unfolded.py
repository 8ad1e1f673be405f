"""Conversion of a released backbone to a trainable network, by restoring its folded batch normalisation.

In the file, each convolution has the scale of its normalisation in its kernel and the shift in its bias. A restored
normalisation gets the mean and variance of its convolution's output for photographs, their standard deviation as
scale, and the mean plus the bias as shift: at first it changes nothing, and in training it normalises.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper

from mlmodel.datasets.dataset import TRAIN_FOLDS, Dataset, read_photograph
from mlmodel.network.engine import Engine
from mlmodel.training.backbone import stage_layer
from mlmodel.training.run_folder import RunError

_AT_ONCE = 16
# Xception has two plain convolutions, four shortcuts and 34 separable convolutions.
_PLAIN, _SHORTCUTS, _SEPARABLE = 2, 4, 34


def unfolded(backbone: Path, photographs: npt.NDArray[np.uint8], *, fresh: Path | None = None) -> keras.Model:
    """Return Keras's Xception without its top that is equivalent to a released backbone.

    Args:
        backbone: a file written by ``export_backbone`` with a single view.
        photographs: uint8 (N, side, side, 3), the backbone's input for some dozens of training photographs.
        fresh: a Keras weights file of the same network, whose last block replaces the backbone's if that is dead
            (``docs/change/training.md``).

    Raises:
        RunError: the file is not such a backbone.
    """
    base = keras.applications.Xception(weights=None, include_top=False, input_shape=(None, None, 3))
    layers = dict(_by_kind(base))
    convolutions = _convolutions(backbone)
    norms = {}
    for kind, nodes in convolutions.items():
        for layer, norm, (kernels, bias) in zip(*layers[kind], nodes, strict=True):
            layer.set_weights(kernels)
            # At first it only adds the bias.
            norm.set_weights([np.ones_like(bias), bias, np.zeros_like(bias), np.full_like(bias, 1 - norm.epsilon)])
            norms[norm.name] = (norm, bias)
    _normalise(base, norms, photographs)
    if fresh is not None:
        _renew_last_block(base, fresh)
    return base


def some_photographs(dataset: Dataset, backbone: Path, *, count: int, seed: int = 7) -> npt.NDArray[np.uint8]:
    """Return a backbone's input for photographs of the training folds, uint8 (N, side, side, 3)."""
    engine = Engine(backbone)
    rows = np.flatnonzero(dataset.rows(TRAIN_FOLDS))
    chosen = np.random.default_rng(seed).permutation(rows)[:count]
    return np.stack([engine.prepare(read_photograph(dataset.paths[row]).pixels) for row in chosen])


def _normalise(base: keras.Model, norms: dict[str, Any], photographs: npt.NDArray[np.uint8]) -> None:
    before = keras.Model(base.input, [norm.input for norm, _ in norms.values()])
    count = 0
    sums = [np.zeros((2, len(bias))) for _, bias in norms.values()]
    for start in range(0, len(photographs), _AT_ONCE):
        shown = photographs[start : start + _AT_ONCE].astype(np.float32) / 127.5 - 1
        for total, values in zip(sums, before(shown, training=False), strict=True):
            rows = np.asarray(values, dtype=np.float64).reshape(-1, values.shape[-1])
            total += np.stack([rows.mean(axis=0), (rows**2).mean(axis=0)]) * len(shown)
        count += len(shown)
    for (norm, bias), total in zip(norms.values(), sums, strict=True):
        mean, square = total / count
        variance = np.maximum(square - mean**2, 0)
        norm.set_weights([np.sqrt(variance + norm.epsilon), bias + mean, mean, variance])


def _renew_last_block(base: keras.Model, fresh: Path) -> None:
    source = keras.applications.Xception(weights=None, include_top=False, input_shape=(None, None, 3))
    try:
        source.load_weights(fresh)
    except (OSError, ValueError) as error:
        raise RunError(f"{fresh} does not contain the weights of Keras's Xception without its top.") from error
    first = base.layers.index(stage_layer(base, "block13")) + 1
    for layer, like in zip(base.layers[first:], source.layers[first:], strict=True):
        layer.set_weights(like.get_weights())


def _by_kind(base: keras.Model) -> Iterator[tuple[str, tuple[list[Any], list[Any]]]]:
    """Yield each kind of convolution with its layers and their normalisations, in order."""
    after = {norm.input.name: norm for norm in base.layers if isinstance(norm, keras.layers.BatchNormalization)}
    kinds = {
        "separable": lambda layer: isinstance(layer, keras.layers.SeparableConv2D),
        "shortcut": lambda layer: type(layer) is keras.layers.Conv2D and layer.kernel_size == (1, 1),
        "plain": lambda layer: type(layer) is keras.layers.Conv2D and layer.kernel_size == (3, 3),
    }
    for kind, is_one in kinds.items():
        layers = [layer for layer in base.layers if is_one(layer)]
        yield kind, (layers, [after[layer.output.name] for layer in layers])


def _convolutions(backbone: Path) -> dict[str, list[tuple[list[Any], Any]]]:
    """Return the kernels in Keras's layout and the bias of each convolution by kind, in the order of the network."""
    graph = onnx.load(backbone).graph
    stored = {tensor.name: numpy_helper.to_array(tensor).astype(np.float32) for tensor in graph.initializer}
    cast = {node.output[0]: node.input[0] for node in graph.node if node.op_type == "Cast"}

    def values(name: str) -> npt.NDArray[np.float32]:
        return stored[cast.get(name, name)]

    convolutions: dict[str, list[tuple[list[Any], Any]]] = {"plain": [], "shortcut": [], "separable": []}
    depthwise: list[Any] = []
    try:
        for node in (node for node in graph.node if node.op_type == "Conv"):
            attributes = {each.name: helper.get_attribute_value(each) for each in node.attribute}
            kernel = values(node.input[1])
            if attributes.get("group", 1) > 1:
                depthwise.append(kernel.transpose(2, 3, 0, 1))
                continue
            bias = values(node.input[2])
            kernel = kernel.transpose(2, 3, 1, 0)
            if kernel.shape[:2] != (1, 1):
                convolutions["plain"].append(([kernel], bias))
            elif list(attributes.get("strides", [1, 1])) == [2, 2]:
                convolutions["shortcut"].append(([kernel], bias))
            else:
                convolutions["separable"].append(([depthwise.pop(0), kernel], bias))
    except (KeyError, IndexError) as error:
        raise RunError(f"{backbone} is not an exported backbone.") from error
    if [len(each) for each in convolutions.values()] != [_PLAIN, _SHORTCUTS, _SEPARABLE]:
        raise RunError(f"{backbone} is not an exported backbone with a single view.")
    return convolutions
