"""Segmentation of the lesion by a small network, with a check of its reliability.

The network sees the centre square of the photograph, as the classifier does, at 128 pixels. It was trained on
HAM10000's masks (``manage.py train_segmenter``); ``shipped/segmenter.json`` has its hash, training and performance on
held-out lesions.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
from PIL import Image, ImageDraw

from mlmodel.pictures.picture import centre_square
from mlmodel.releases.release_files import SHIPPED, ReleaseError, how_to_restore, sha256_of
from mlmodel.segmentation.outlines import Outline, outlines_of, share_on_frame, signed_area

INPUT_SIDE = 128
SEGMENTER, SEGMENTER_FACTS = "segmenter.onnx", "segmenter.json"

# Shares of the square's area. A smaller region is only about eight pixels across; a larger one leaves no visible skin.
SMALLEST_AREA, LARGEST_AREA = 0.004, 0.95
# The minimum share of the largest part; below it, the lesion is ambiguous.
LEAST_IN_ONE_PART = 0.8
# The share of the outline along the frame from which the lesion counts as cut off.
CUT_FROM = 0.03
_FRAME_MARGIN = 1.0 / INPUT_SIDE


class OutlineProblem(StrEnum):
    """Why an outline is not reliable."""

    NO_REGION = "no_region"
    TINY = "tiny"
    WHOLE_FRAME = "whole_frame"
    SCATTERED = "scattered"
    UNSURE = "unsure"


@dataclass(frozen=True)
class Segmentation:
    """The segmentation of one photograph's centre square.

    Attributes:
        outline: float64 (N, 2), x and y in [0, 1] across the centre square; None if there is no region.
        area: the enclosed share of the square, in [0, 1].
        certainty: the expected Dice coefficient according to the network's own probabilities, in [0, 1].
        on_frame: the share of the outline along the square's sides, in [0, 1].
        doubt: why the outline is not reliable; None if it is.
    """

    outline: Outline | None
    area: float
    certainty: float
    on_frame: float
    doubt: OutlineProblem | None

    @property
    def shows_lesion(self) -> bool:
        """Whether there is any lesion in the square.

        A lesion is found in all 991 photographs of HAM10000's fold 7 and in all of its held-out test folds, ``phone``
        and ``uploads``; in sharp squares of bare skin cut from fold 7, none is found in two of five
        (``research/refusals.py``).
        """
        return self.doubt is not OutlineProblem.NO_REGION

    @property
    def is_cut(self) -> bool:
        """Whether the lesion continues beyond the square."""
        return self.on_frame >= CUT_FROM

    def mask(self, side: int) -> npt.NDArray[np.bool_]:
        """Return the region as bool (side, side)."""
        return filled(self.outline, side)


class Segmenter:
    """A segmenter, ready for inference. Safe to share between threads."""

    def __init__(
        self,
        path: Path,
        *,
        level: float = 0.5,
        least_certainty: float = 0.0,
        sha256: str = "",
        reference: Mapping[str, Sequence[float]] | None = None,
    ) -> None:
        """Load the network from an ONNX file.

        Args:
            path: a file written by ``manage.py train_segmenter``.
            level: the probability threshold of the outline.
            least_certainty: the certainty below which an outline is not reliable.
            sha256: the file's hash, stored with the measures.
            reference: percentiles 1 to 99 of measures over many lesions by name, for comparison.
        """
        self.level, self.least_certainty, self.sha256 = level, least_certainty, sha256
        self.reference = dict(reference or {})
        options = onnxruntime.SessionOptions()
        # Inference takes a few milliseconds, for which more threads would only add overhead.
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def probabilities(self, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Return the probability of lesion for each pixel, float32 (B, 128, 128), for uint8 (B, 128, 128, 3)."""
        output: npt.NDArray[np.float32] = self._session.run(["lesion"], {"pixels": pixels})[0]
        return output

    def segment(self, pixels: npt.NDArray[np.uint8]) -> Segmentation:
        """Return the segmentation of the centre square of uint8 (H, W, 3), sRGB, upright."""
        probability = self.probabilities(segmenter_input(pixels)[None])[0]
        return read_probabilities(probability, level=self.level, least_certainty=self.least_certainty)


def read_probabilities(
    probability: npt.NDArray[np.float32], *, level: float = 0.5, least_certainty: float = 0.0
) -> Segmentation:
    """Return the outline of the largest region in probabilities, float32 (S, S), with a check of its reliability."""
    parts = outlines_of(probability, level=level)
    if not parts:
        return Segmentation(outline=None, area=0.0, certainty=0.0, on_frame=0.0, doubt=OutlineProblem.NO_REGION)
    areas = [signed_area(part) for part in parts]
    within = filled(parts[0], probability.shape[0])
    certainty = float(2 * probability[within].sum() / max(probability.sum() + within.sum(), 1e-9))
    doubt = None
    if areas[0] < SMALLEST_AREA:
        doubt = OutlineProblem.TINY
    elif areas[0] > LARGEST_AREA:
        doubt = OutlineProblem.WHOLE_FRAME
    elif areas[0] < LEAST_IN_ONE_PART * sum(areas):
        doubt = OutlineProblem.SCATTERED
    elif certainty < least_certainty:
        doubt = OutlineProblem.UNSURE
    return Segmentation(
        outline=parts[0],
        area=areas[0],
        certainty=certainty,
        on_frame=share_on_frame(parts[0], margin=_FRAME_MARGIN),
        doubt=doubt,
    )


def segmenter_input(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return the centre square of uint8 (H, W, 3) as uint8 (128, 128, 3), by Pillow's bicubic filter."""
    image = Image.fromarray(centre_square(pixels))
    return np.asarray(image.resize((INPUT_SIDE, INPUT_SIDE), Image.Resampling.BICUBIC, reducing_gap=3.0))


def filled(outline: Outline | None, side: int) -> npt.NDArray[np.bool_]:
    """Return the region within an outline in [0, 1]² as a mask, bool (side, side)."""
    canvas = Image.new("L", (side, side), 0)
    if outline is not None:
        ImageDraw.Draw(canvas).polygon((outline * side - 0.5).ravel().tolist(), fill=1, outline=1)
    return np.asarray(canvas, dtype=bool)


def load_segmenter(folder: Path = SHIPPED) -> Segmenter:
    """Return the segmenter in ``folder``, verified against its facts.

    Raises:
        ReleaseError: a file is missing, unreadable or was altered.
    """
    try:
        facts = segmenter_facts(folder)
        path = folder / facts["file"]
        sha256 = sha256_of(path)
        if sha256 != facts["sha256"]:
            raise ReleaseError(
                f"{path.name} was altered: its hash is {sha256[:12]}…, not {facts['sha256'][:12]}… as in "
                f"{SEGMENTER_FACTS}. {how_to_restore(folder)}."
            )
        settings = facts["settings"]
        return Segmenter(
            path,
            level=float(settings["level"]),
            least_certainty=float(settings["least_certainty"]),
            sha256=sha256,
            reference=facts["reference"],
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ReleaseError(
            f"The segmenter cannot be loaded: {error!r}. {how_to_restore(folder)}, or rebuild them with "
            "`manage.py train_segmenter`."
        ) from error


@cache
def get_segmenter() -> Segmenter:
    """Return this process's segmenter, loaded on first use. Raises ReleaseError as ``load_segmenter`` does."""
    return load_segmenter()


def segmenter_facts(folder: Path = SHIPPED) -> dict[str, Any]:
    """Return the content of ``segmenter.json``: file, hash, settings, training and results."""
    facts: dict[str, Any] = json.loads((folder / SEGMENTER_FACTS).read_text(encoding="utf-8"))
    return facts
