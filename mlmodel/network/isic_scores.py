"""Scores of picture files in the format of the ISIC 2018 challenge."""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import numpy as np

from mlmodel.network.analyser import Analyser
from mlmodel.network.calibration import by_code
from mlmodel.network.quality import Reliability
from mlmodel.pictures.picture_errors import PictureError
from mlmodel.pictures.picture_files import names_without_ending, read_picture, why_unreadable
from mlmodel.taxonomy import ISIC_ORDER

Progress = Callable[[Iterable[Path]], Iterable[Path]]
HEADER = ("image", *(code.upper() for code in ISIC_ORDER))
# An optional last column, which the challenge's own format does not have.
RELIABILITY_COLUMN = "RELIABILITY"


@dataclass(frozen=True)
class Score:
    """The result for one file: seven scores by code that sum to 1, or the reason why it could not be read.

    Attributes:
        name: the file's unique name in the table.
        reliability: whether the scores can be relied on.
    """

    path: Path
    name: str
    scores: dict[str, float] | None
    error: str = ""
    reliability: Reliability = Reliability.CALIBRATED


def score_files(
    paths: Sequence[Path], *, analyser: Analyser, equal_prior: bool = False, progress: Progress = iter
) -> Iterator[Score]:
    """Yield the result for each file, in order. Every readable picture gets scores; none is refused.

    Args:
        paths: the files.
        analyser: the network.
        equal_prior: return equal-prior scores instead of calibrated probabilities.
        progress: wraps the iteration, for a progress bar.
    """
    for path, name in zip(progress(paths), names_without_ending(paths), strict=True):
        try:
            scores, reliability = _score(path, analyser, equal_prior)
            yield Score(path, name, scores, reliability=reliability)
        except (PictureError, OSError) as error:
            yield Score(path, name, None, why_unreadable(error))


def write_scores(file: TextIO, scores: Iterator[Score], *, with_reliability: bool = False) -> list[Score]:
    """Write one row for each readable file and return all results.

    Args:
        file: a text file.
        scores: results of ``score_files``.
        with_reliability: add a last column that marks the photographs taken without a dermatoscope.
    """
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([*HEADER, RELIABILITY_COLUMN] if with_reliability else HEADER)
    outcomes = []
    for score in scores:
        outcomes.append(score)
        if score.scores is not None:
            reliability = [score.reliability] if with_reliability else []
            writer.writerow([score.name, *(f"{score.scores[code]:.6f}" for code in ISIC_ORDER), *reliability])
    return outcomes


def _score(path: Path, analyser: Analyser, equal_prior: bool) -> tuple[dict[str, float], Reliability]:
    output = analyser.engine.run(analyser.engine.prepare(read_picture(path).pixels)[None])
    # Features are rounded as when they are stored, so that a file gets the same scores as in the clinic.
    features = output.features.astype(np.float16)
    is_smartphone = analyser.smartphone.accepts(features[0].astype(np.float32))
    calibration = analyser.calibration_for(is_smartphone=is_smartphone)
    logits = analyser.head.logits(features.astype(np.float32))
    answer = calibration.equal_prior_scores if equal_prior else calibration.probabilities
    reliability = Reliability.SMARTPHONE if is_smartphone else Reliability.CALIBRATED
    return by_code(answer(logits)[0]), reliability
