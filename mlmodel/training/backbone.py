"""Xception without its top, and its export for the inference engine."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import onnx
from onnx import helper

from mlmodel.network.engine import DETAIL_KEY, VIEWS_KEY
from mlmodel.network.stages import MAPPED_STAGES, STAGES
from mlmodel.training.half_precision import store_in_half_precision
from mlmodel.training.onnx_conversion import to_onnx
from mlmodel.training.run_folder import RunError

# The layers at which the stages end in Keras's Xception.
_LAYERS = {
    "block2": "add",
    "block3": "add_1",
    "block4": "add_2",
    "block8": "add_6",
    "block12": "add_10",
    "block13": "add_11",
    "block14": "block14_sepconv2_act",
}
# Identity, left-right flip, up-down flip and both; each is its own inverse.
_MIRRORS: tuple[Callable[[Any], Any], ...] = (
    lambda values: values,
    lambda values: values[:, :, ::-1],
    lambda values: values[:, ::-1],
    lambda values: values[:, ::-1, ::-1],
)


def export_backbone(
    path: Path, base: keras.Model, *, side: int = 299, detail: int = 224, mirrored: bool = False
) -> None:
    """Write the backbone to ``path`` as ONNX, from uint8 pixels to pooled features and the mapped stages' maps.

    Weights are stored in half precision but used in single precision, which halves the file size and changes no
    probability by 0.01 (``benchmarks/engine.py`` measures it).

    Args:
        path: the output file.
        base: Xception without its top.
        side: the side of the input, in pixels.
        detail: larger squares are first reduced to this side; stored in the file for ``Engine.prepare``.
        mirrored: whether the network also processes each photograph's three mirror images.
    """
    model = build_backbone(base, side=side, mirrored=mirrored)
    proto = to_onnx(lambda pixels: model(pixels, training=False), pixels=(None, side, side, 3))
    store_in_half_precision(proto.graph)
    helper.set_model_props(proto, {DETAIL_KEY: str(detail), VIEWS_KEY: str(len(_MIRRORS) if mirrored else 1)})
    onnx.checker.check_model(proto)
    path.write_bytes(proto.SerializeToString())


def build_backbone(base: keras.Model, *, side: int = 299, mirrored: bool = False) -> keras.Model:
    """Return the Keras model for export.

    It takes uint8 (B, side, side, 3), scales to [-1, 1] as the ImageNet weights were trained, and returns by name:
    ``features`` float32 (B, 5640) and a float32 (B, rows, columns, channels) map for each of ``MAPPED_STAGES``.

    If it is ``mirrored``, maps are averages over the photograph and its three mirror images, each mirrored back;
    features are their means, so that heat maps remain valid. Lesions have no natural orientation, and averaging
    removes the strides' bias to one side.
    """
    pixels = keras.Input((side, side, 3), dtype="uint8", name="pixels")
    inputs = keras.layers.Rescaling(1 / 127.5, offset=-1.0)(pixels)
    if mirrored:
        inputs = keras.layers.Concatenate(axis=0)([mirror(inputs) for mirror in _MIRRORS])
    maps = xception_stages(base)(inputs)
    if mirrored:
        maps = [_average_of_views(values) for values in maps]
    pooled = [keras.layers.GlobalAveragePooling2D()(values) for values in maps]
    by_stage = {stage: values for (stage, _), values in zip(STAGES, maps, strict=True) if stage in MAPPED_STAGES}
    return keras.Model(pixels, {"features": keras.layers.Concatenate()(pooled), **by_stage})


def _average_of_views(values: Any) -> Any:
    """Return the average over views, float32 (B, rows, columns, channels), for (views × B, …), each mirrored back."""
    views = keras.ops.reshape(values, (len(_MIRRORS), -1, *values.shape[1:]))
    return keras.layers.Average()([mirror(views[number]) for number, mirror in enumerate(_MIRRORS)])


def xception_stages(base: keras.Model) -> keras.Model:
    """Return Xception for input scaled to [-1, 1], with the maps of ``STAGES`` as outputs."""
    return keras.Model(base.input, [stage_layer(base, stage).output for stage, _ in STAGES])


def xception(weights: Path | None = None) -> keras.Model:
    """Return Keras's Xception without its top; see ``base_with_weights``."""
    return base_with_weights(keras.applications.Xception, weights)


def base_with_weights(application: Callable[..., Any], weights: Path | None) -> keras.Model:
    """Return a Keras application without its top, with weights from a file or downloaded ImageNet weights.

    Raises:
        RunError: the file is invalid or for another network, or the download failed.
    """
    shape = {"include_top": False, "input_shape": (None, None, 3)}
    if weights is None:
        try:
            return application(**shape)
        except Exception as error:  # Keras raises no narrower exception for a failed download
            raise RunError(
                f"The ImageNet weights could not be downloaded ({error}). Give them with --backbone-weights."
            ) from error
    base = application(weights=None, **shape)
    try:
        base.load_weights(weights)
    except (OSError, ValueError) as error:
        raise RunError(
            f"{weights} does not contain the weights of Keras's {base.name} without its top. Give such a .h5 file, or "
            "none to download Keras's weights."
        ) from error
    return base


def stage_layer(base: keras.Model, stage: str) -> keras.layers.Layer:
    """Return the last layer of a stage; ``add`` layers go by position, since Keras numbers them consecutively."""
    name = _LAYERS[stage]
    if not name.startswith("add"):
        return base.get_layer(name)
    position = int(name.removeprefix("add").removeprefix("_") or 0)
    return [layer for layer in base.layers if isinstance(layer, keras.layers.Add)][position]
