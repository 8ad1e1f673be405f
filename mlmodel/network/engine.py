"""Inference of the backbone: from pixels to pooled features and feature maps.

ONNX Runtime was chosen over OpenVINO and LiteRT because it was the fastest on two cores and loads the whole network
from one file; ``research/engine.md`` has the results and ``benchmarks/engine.py`` measures them.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime

from mlmodel.network.stages import STAGES
from mlmodel.pictures.picture import Picture, network_input

# Metadata keys of a backbone file.
DETAIL_KEY, VIEWS_KEY = "detail_side", "views"
_DEFAULT_DETAIL = 224


@dataclass(frozen=True)
class BackboneOutput:
    """The backbone's output for a batch of B photographs.

    Attributes:
        features: float32 (B, 5640), the channel means of seven stages, ≥ 0 where the stage ends in a ReLU.
        maps: float32 (B, side, side, channels) by stage name, the feature maps of the file's mapped stages; empty
            unless requested.
    """

    features: npt.NDArray[np.float32]
    maps: dict[str, npt.NDArray[np.float32]]


def session_of(file: Path | bytes, *, threads: int = 0) -> onnxruntime.InferenceSession:
    """Return an inference session.

    Args:
        file: the ONNX file, or its content.
        threads: the number of cores for one call; 0 for all.
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
        input_side: the side of the network's square input, in pixels.
        detail_side: larger squares are first reduced to this side, the resolution of the training photographs.
        views: the number of views of a photograph (itself and mirror images) over which the network averages.
        mapped_stages: the stages with feature maps, in the order of ``STAGES``; the heat map is made from them.
    """

    def __init__(self, path: Path, *, threads: int | None = None) -> None:
        """Load the backbone from an ONNX file.

        Args:
            path: a file written by ``mlmodel.training.backbone``.
            threads: the number of cores for one photograph; by default ``DERMASCAN_ENGINE_THREADS``, or else all.
        """
        self._session = session_of(path, threads=threads or int(os.environ.get("DERMASCAN_ENGINE_THREADS", "0")))
        self.input_side = int(self._session.get_inputs()[0].shape[1])
        metadata = self._session.get_modelmeta().custom_metadata_map
        self.detail_side = int(metadata.get(DETAIL_KEY, _DEFAULT_DETAIL))
        self.views = int(metadata.get(VIEWS_KEY, 1))
        output_names = {output.name for output in self._session.get_outputs()}
        self.mapped_stages = tuple(stage for stage, _ in STAGES if stage in output_names)

    def prepare(self, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """Return the network's input for a photograph, uint8 (H, W, 3): uint8 (input_side, input_side, 3)."""
        return network_input(pixels, side=self.input_side, detail=self.detail_side)

    def prepare_picture(self, picture: Picture) -> npt.NDArray[np.uint8]:
        """Return ``prepare`` of its pixels, without doing again what the picture has been reduced to already."""
        return picture.network_input(side=self.input_side, detail=self.detail_side)

    def run(self, pixels: npt.NDArray[np.uint8], *, maps: bool = False) -> BackboneOutput:
        """Return the features and, on request, the feature maps.

        Args:
            pixels: uint8 (B, input_side, input_side, 3), sRGB, 0 to 255; scaled inside the network.
            maps: also return the maps of ``mapped_stages``.

        Raises:
            ValueError: the shape or dtype is wrong.
        """
        side = self.input_side
        if pixels.ndim != 4 or pixels.shape[1:] != (side, side, 3) or pixels.dtype != np.uint8:
            raise ValueError(f"expected uint8 (B, {side}, {side}, 3), got {pixels.dtype} {pixels.shape}")
        mapped = self.mapped_stages if maps else ()
        features, *map_values = self._session.run(["features", *mapped], {"pixels": pixels})
        return BackboneOutput(features=features, maps=dict(zip(mapped, map_values, strict=True)))
