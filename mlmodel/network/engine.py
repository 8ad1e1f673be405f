"""The backbone in an inference engine: pixels in, pooled features and feature maps out.

ONNX Runtime was chosen over OpenVINO and LiteRT because it was the fastest of them on two cores and takes the whole
network as one file; ``research/engine.md`` has the figures and ``benchmarks/engine.py`` prints them anew.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime

from mlmodel.network.stages import STAGES
from mlmodel.pictures.picture import network_input

# What a backbone's file says of itself, besides the shape of its input.
DETAIL_KEY, VIEWS_KEY = "detail_side", "views"
_DETAIL_UNLESS_SAID = 224


@dataclass(frozen=True)
class BackboneOutput:
    """What the backbone says of a batch of B photographs.

    Attributes:
        features: float32 (B, 5640), the channel means of seven stages, ≥ 0 where the stage ends in a ReLU.
        maps: float32 (B, side, side, channels) by stage name, the maps that those means were taken of, of the stages
            whose maps the file gives; empty when they were not asked for.
    """

    features: npt.NDArray[np.float32]
    maps: dict[str, npt.NDArray[np.float32]]


def session_of(file: Path | bytes, *, threads: int = 0) -> onnxruntime.InferenceSession:
    """Return a network ready to run.

    Args:
        file: the ONNX file, or what is in it.
        threads: how many cores one call may use; 0 for all.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    # Idle threads must not spin: the same cores serve web requests.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(
        file if isinstance(file, bytes) else str(file), options, providers=["CPUExecutionProvider"]
    )


class Engine:
    """Xception without its top. Loading takes under a second; one instance serves all threads of a process.

    Attributes:
        input_side: of the square that the network is shown, in pixels; the file says it.
        detail_side: larger squares are first reduced to this side, whose detail the network knows from training.
        views: how many mirror images of a photograph the network looks at, itself included; their maps are averaged.
        mapped_stages: whose maps are given, in the order of ``STAGES``; the heat map is made of them.
    """

    def __init__(self, path: Path, *, threads: int | None = None) -> None:
        """Load the backbone from an ONNX file.

        Args:
            path: the file, as ``mlmodel.training.export`` writes it.
            threads: how many cores one photograph may use; by default ``DERMASCAN_ENGINE_THREADS``, else all.
        """
        self._session = session_of(path, threads=threads or int(os.environ.get("DERMASCAN_ENGINE_THREADS", "0")))
        self.input_side = int(self._session.get_inputs()[0].shape[1])
        said = self._session.get_modelmeta().custom_metadata_map
        self.detail_side = int(said.get(DETAIL_KEY, _DETAIL_UNLESS_SAID))
        self.views = int(said.get(VIEWS_KEY, 1))
        given = {output.name for output in self._session.get_outputs()}
        self.mapped_stages = tuple(stage for stage, _ in STAGES if stage in given)

    def prepare(self, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """Return what this network is shown of uint8 (H, W, 3): uint8 (input_side, input_side, 3)."""
        return network_input(pixels, side=self.input_side, detail=self.detail_side)

    def run(self, pixels: npt.NDArray[np.uint8], *, maps: bool = False) -> BackboneOutput:
        """Compute features, and on request the maps that explain them.

        Args:
            pixels: uint8 (B, input_side, input_side, 3), sRGB, 0 to 255; scaled inside the network.
            maps: also return the maps of ``mapped_stages``.

        Raises:
            ValueError: the shape or the dtype is another one.
        """
        side = self.input_side
        if pixels.ndim != 4 or pixels.shape[1:] != (side, side, 3) or pixels.dtype != np.uint8:
            raise ValueError(f"expected uint8 (B, {side}, {side}, 3), got {pixels.dtype} {pixels.shape}")
        mapped = self.mapped_stages if maps else ()
        features, *found = self._session.run(["features", *mapped], {"pixels": pixels})
        return BackboneOutput(features=features, maps=dict(zip(mapped, found, strict=True)))
