"""Scores for files and folders, in the format of the ISIC 2018 challenge."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import numpy as np

from mlmodel.analysis import Analyser
from mlmodel.calibration import by_code
from mlmodel.pictures import MAX_BYTES, PictureError, decode
from mlmodel.taxonomy import ISIC_ORDER

PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".heic", ".heif", ".bmp"})
HEADER = ("image", *(code.upper() for code in ISIC_ORDER))


@dataclass(frozen=True)
class Score:
    """One file's outcome: seven scores by code that sum to 1, or the error that kept it from being read."""

    path: Path
    scores: dict[str, float] | None
    error: str = ""


def score_files(paths: Sequence[Path], *, analyser: Analyser, equal_prior: bool = False) -> Iterator[Score]:
    """Yield the outcome of each file, in order. Nothing is refused here: every readable picture gets its scores.

    Args:
        paths: files, whatever their names say.
        analyser: the network.
        equal_prior: give equal-prior scores instead of calibrated probabilities.
    """
    for path in paths:
        try:
            yield Score(path, _score(path, analyser, equal_prior))
        except PictureError as error:
            yield Score(path, None, error.message)
        except OSError as error:
            yield Score(path, None, error.strerror or str(error))


def find_pictures(path: Path) -> list[Path]:
    """Return the picture files below a folder, sorted; a file stands for itself.

    Raises:
        FileNotFoundError: there is nothing at ``path``, or neither a file nor a folder, as a pipe or a device.
    """
    if path.is_dir():
        return sorted(
            found for found in path.rglob("*") if found.suffix.lower() in PICTURE_SUFFIXES and found.is_file()
        )
    if not path.is_file():
        raise FileNotFoundError(path)
    return [path]


def write_scores(file: TextIO, scores: Iterator[Score]) -> list[Score]:
    """Write one row for each readable file and return the outcomes that were errors."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(HEADER)
    failed = []
    for score in scores:
        if score.scores is None:
            failed.append(score)
        else:
            writer.writerow([score.path.stem, *(f"{score.scores[code]:.6f}" for code in ISIC_ORDER)])
    return failed


def _score(path: Path, analyser: Analyser, equal_prior: bool) -> dict[str, float]:
    with path.open("rb") as file:
        picture = decode(file.read(MAX_BYTES + 1))
    output = analyser.engine.run(analyser.engine.prepare(picture.pixels)[None])
    # The same rounding as stored features get, so that a file scores here as it does in the clinic.
    exit_features = None if output.exit_features is None else output.exit_features.astype(np.float16)
    read = analyser.read_by_head(output.features.astype(np.float16), exit_features)
    logits = analyser.head.logits(read.astype(np.float32))
    answer = analyser.calibration.equal_prior_scores if equal_prior else analyser.calibration.probabilities
    return by_code(answer(logits)[0])
