"""Scores for files and folders, in the format of the ISIC 2018 challenge."""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import numpy as np

from mlmodel.analysis import Analyser
from mlmodel.calibration import by_code
from mlmodel.picture_files import names_without_ending
from mlmodel.pictures import MAX_BYTES, PictureError, decode
from mlmodel.taxonomy import ISIC_ORDER

Progress = Callable[[Iterable[Path]], Iterable[Path]]
HEADER = ("image", *(code.upper() for code in ISIC_ORDER))


@dataclass(frozen=True)
class Score:
    """One file's outcome: seven scores by code that sum to 1, or the error that kept it from being read.

    ``name`` is what the file is called in the table: no two files share one.
    """

    path: Path
    name: str
    scores: dict[str, float] | None
    error: str = ""


def score_files(
    paths: Sequence[Path], *, analyser: Analyser, equal_prior: bool = False, progress: Progress = iter
) -> Iterator[Score]:
    """Yield the outcome of each file, in order. Nothing is refused here: every readable picture gets its scores.

    Args:
        paths: files, whatever their names say.
        analyser: the network.
        equal_prior: give equal-prior scores instead of calibrated probabilities.
        progress: shows how far it is.
    """
    for path, name in zip(progress(paths), names_without_ending(paths), strict=True):
        try:
            yield Score(path, name, _score(path, analyser, equal_prior))
        except PictureError as error:
            yield Score(path, name, None, error.message)
        except OSError as error:
            yield Score(path, name, None, error.strerror or str(error))


def write_scores(file: TextIO, scores: Iterator[Score]) -> list[Score]:
    """Write one row for each readable file and return the outcomes that were errors."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(HEADER)
    failed = []
    for score in scores:
        if score.scores is None:
            failed.append(score)
        else:
            writer.writerow([score.name, *(f"{score.scores[code]:.6f}" for code in ISIC_ORDER)])
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
