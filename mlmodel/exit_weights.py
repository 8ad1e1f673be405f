"""What is in the file of an exit flow: nine kernels and five biases, and how they are called."""

import io
import zipfile
from typing import Any

import numpy as np
import numpy.typing as npt

from mlmodel.stages import STAGES

EXIT_STAGES = ("block13", "block14")
# Whose map the exit flow begins with.
ENTRY_STAGE = "block12"
EXIT_FEATURE_COUNT = sum(channels for stage, channels in STAGES if stage in EXIT_STAGES)
# Each convolution of an exit flow; depthwise ones have no bias of their own.
CONVOLUTIONS = (
    "block13_depthwise1", "block13_pointwise1", "block13_depthwise2", "block13_pointwise2", "block13_shortcut",
    "block14_depthwise1", "block14_pointwise1", "block14_depthwise2", "block14_pointwise2",
)  # fmt: skip
# Of the file's further outputs: ``exit:features``, ``exit:block13``, ``exit:block14``.
PREFIX = "exit:"

Weights = dict[str, npt.NDArray[Any]]


class ExitFlowError(ValueError):
    """What was given is no exit flow, or a backbone that has none which could be replaced."""


def pack(weights: Weights) -> bytes:
    """Return the file of an exit flow. The same weights give the same bytes.

    Raises:
        ExitFlowError: arrays are missing or have other shapes.
    """
    _check(weights)
    buffer = io.BytesIO()
    np.savez(buffer, **{name: weights[name] for name in sorted(weights)})  # type: ignore[arg-type]
    return buffer.getvalue()


def unpack(content: bytes) -> Weights:
    """Return the weights in the file of an exit flow, by name, as they are stored: float16, small biases float32.

    Raises:
        ExitFlowError: it is none.
    """
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            weights = {name: arrays[name] for name in arrays.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise ExitFlowError(f"this is no file of an exit flow: {error}") from error
    _check(weights)
    return weights


def _check(weights: Weights) -> None:
    wanted = {f"{name}_kernel" for name in CONVOLUTIONS}
    wanted |= {f"{name}_bias" for name in CONVOLUTIONS if "depthwise" not in name}
    if set(weights) != wanted:
        raise ExitFlowError("this is no exit flow: arrays are missing or unknown")
    if any(
        values.dtype not in (np.float16, np.float32) or not np.isfinite(values).all() for values in weights.values()
    ):
        raise ExitFlowError("this is no exit flow: its weights are not finite numbers")
