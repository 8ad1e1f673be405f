"""A version's own exit flow: blocks 13 and 14 with weights of its own, beside those of the shipped backbone.

The exit flow is what Xception ends with (Chollet, CVPR 2017, figure 5). A retraining may fine-tune it; all that comes
before it is shared, and so one pass gives the features of both. The shipped ones go on serving whatever was made for
them (the judges of a photograph's kind, similar cases, drift); the head reads the new ones in their place.

Batch normalisation is folded into the backbone's convolutions, so an exit flow is nine convolutions: four depthwise
separable ones, and the shortcut beside block 13. Files are edited with ``onnx``, which is imported only when needed.
"""

from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from mlmodel.exit_graph import BackboneGraph
from mlmodel.exit_weights import (
    ENTRY_STAGE,
    EXIT_FEATURE_COUNT,
    EXIT_STAGES,
    PREFIX,
    ExitFlowError,
    Weights,
    pack,
    unpack,
)
from mlmodel.stages import stage_slice

__all__ = [
    "ENTRY_STAGE",
    "EXIT_FEATURE_COUNT",
    "EXIT_STAGES",
    "PREFIX",
    "ExitFlowError",
    "as_read",
    "backbone_to_entry",
    "backbone_with_exit",
    "exit_alone",
    "exit_flow_of",
    "pack",
    "unpack",
]

_Values = TypeVar("_Values", bound=npt.NDArray[Any])
_FIRST = stage_slice(EXIT_STAGES[0]).start


def as_read(features: _Values, exit_features: npt.NDArray[Any]) -> _Values:
    """Return what a head reads over an exit flow: features (…, 5640) with the parts of its stages replaced.

    Args:
        features: (…, 5640), of the shipped backbone.
        exit_features: (…, 3072), of the exit flow for the same photographs; cast to the dtype of ``features``.
    """
    return np.concatenate([features[..., :_FIRST], exit_features.astype(features.dtype)], axis=-1)  # type: ignore[return-value]


def exit_flow_of(backbone: Path) -> bytes:
    """Return what is in the file of the backbone's own exit flow: nine kernels and five biases, as they are stored.

    Raises:
        ExitFlowError: the backbone is no Xception as it is exported, or looks at mirror images.
    """
    graph = _loaded(backbone)
    weights: Weights = {}
    for name, node in graph.convolutions().items():
        for part, tensor in zip(("kernel", "bias"), node.input[1:], strict=False):
            weights[f"{name}_{part}"] = graph.stored(tensor)
    return pack(weights)


def backbone_with_exit(backbone: Path, content: bytes) -> bytes:
    """Return the backbone's ONNX file with further outputs: features and maps of another exit flow.

    All outputs that it has stay what they are, to the bit.

    Args:
        backbone: the shipped file.
        content: an exit flow for it.

    Raises:
        ExitFlowError: one of the two is not what it should be.
    """
    graph = _loaded(backbone)
    graph.add_exit(unpack(content))
    return graph.model.SerializeToString()


def exit_alone(backbone: Path, content: bytes) -> bytes:
    """Return an ONNX file from the map of ``ENTRY_STAGE``, float32 (B, 728, rows, columns), to ``exit:features``.

    Raises:
        ExitFlowError: as ``backbone_with_exit``.
    """
    graph = _loaded(backbone)
    graph.add_exit(unpack(content))
    return graph.between(graph.maps[ENTRY_STAGE], ENTRY_STAGE, [f"{PREFIX}features"])


def backbone_to_entry(backbone: Path) -> bytes:
    """Return an ONNX file that ends with the map of ``ENTRY_STAGE``, float32 (B, 728, rows, columns), named so.

    Raises:
        ExitFlowError: as ``exit_flow_of``.
    """
    graph = _loaded(backbone)
    graph.convolutions()
    return graph.up_to(graph.maps[ENTRY_STAGE], ENTRY_STAGE)


def _loaded(backbone: Path) -> BackboneGraph:
    try:
        import onnx
    except ImportError as error:
        raise ExitFlowError("an exit flow needs what edits networks: pip install onnx") from error
    return BackboneGraph(onnx.load(backbone))
