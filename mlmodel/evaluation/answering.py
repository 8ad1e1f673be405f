"""The network's answers to the photographs of a set: as the application gives them, or from cached features."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mlmodel.evaluation.errors import EvaluationError
from mlmodel.evaluation.test_sets import OUTSIDE, Photographs
from mlmodel.metrics.performance import Answers
from mlmodel.network.analyser import Analyser, Analysis
from mlmodel.network.calibration import Calibration, in_order
from mlmodel.network.head import Floats, Head
from mlmodel.network.quality import SMARTPHONE_MEASURE, Verdict
from mlmodel.network.tiers import OperatingPoints
from mlmodel.pictures.picture_errors import PictureError
from mlmodel.pictures.picture_files import read_picture, readable_name, why_unreadable

Progress = Callable[[Iterable[Path]], Iterable[Path]]


@dataclass(frozen=True)
class EvaluatedNetwork:
    """The parts of a network that determine its answers, which can be evaluated before a release is written.

    Attributes:
        head: the classification head.
        calibration: temperature, class mix and thresholds of the prediction sets.
        thresholds: on the malignant probability, by tier, ``urgent`` first.
        identity: version, sha256, backbone_sha256, head_sha256, architecture, views.
        smartphone_calibration: the calibration for smartphone photographs, where it is different.
    """

    head: Head
    calibration: Calibration
    thresholds: dict[str, float]
    identity: dict[str, str]
    smartphone_calibration: Calibration | None = None

    @classmethod
    def of(cls, analyser: Analyser) -> "EvaluatedNetwork":
        """Return the network of a loaded release."""
        points: OperatingPoints = analyser.operating_points
        return cls(
            head=analyser.head,
            calibration=analyser.calibration,
            thresholds={"urgent": points.urgent.threshold, "watch": points.watch.threshold},
            identity={
                "version": analyser.version,
                "sha256": analyser.sha256,
                "backbone_sha256": analyser.backbone_sha256,
                "head_sha256": analyser.head_sha256,
                "architecture": str(analyser.release.settings.get("architecture", "")),
                "views": str(analyser.engine.views),
            },
            smartphone_calibration=analyser.smartphone_calibration,
        )

    def for_kind_of(self, answered: "Answered") -> "EvaluatedNetwork":
        """Return the network with the smartphone calibration if most photographs of the set are of that kind."""
        if self.smartphone_calibration is None or answered.smartphones * 2 <= len(answered.photographs.labels):
            return self
        return replace(self, calibration=self.smartphone_calibration)


@dataclass(frozen=True)
class Answered:
    """A set of photographs with the network's answers, row by row.

    Attributes:
        photographs: those that could be read, whatever their diagnosis.
        answers: for these photographs; the label is ``OUTSIDE`` where the diagnosis is none of the seven.
        unreadable: names and reasons.
        refusals: the number of photographs that the application would have refused, by reason; None if not counted.
        smartphones: the number that were recognised, and answered, as smartphone photographs.
    """

    photographs: Photographs
    answers: Answers
    unreadable: tuple[str, ...] = ()
    refusals: dict[str, int] | None = None
    smartphones: int = 0

    @property
    def is_inside(self) -> npt.NDArray[np.bool_]:
        """A mask of the rows that show one of the seven classes, bool (N,)."""
        return self.photographs.labels != OUTSIDE


def answer_from_features(
    photographs: Photographs, features: npt.NDArray[np.float16], network: EvaluatedNetwork
) -> Answered:
    """Return the answers of ``network`` for photographs with known features, float16 (N, F)."""
    parts = [
        network.head.logits(part.astype(np.float32)) for part in np.array_split(features, len(features) // 512 + 1)
    ]
    logits = np.concatenate(parts)
    answers = _answers(
        photographs, network.calibration.probabilities(logits), network.calibration.equal_prior_scores(logits)
    )
    return Answered(photographs, answers)


def answer_as_served(photographs: Photographs, analyser: Analyser, progress: Progress = iter) -> Answered:
    """Return the application's answer to each photograph: one analysis, through the same decoder.

    Photographs that it would refuse are analysed anyway, and counted.

    Raises:
        EvaluationError: none of the photographs can be read.
    """
    served = ask_as_served(photographs.paths, analyser, progress)
    readable = photographs.take(served.read)
    if not (readable.labels != OUTSIDE).any():
        raise EvaluationError("No photograph that can be read shows one of the seven classes.")
    answers = _answers(readable, served.probabilities, served.scores)
    return Answered(readable, answers, served.unreadable, served.refusals, served.smartphones)


@dataclass(frozen=True)
class Served:
    """The application's answers for the files that could be read.

    Attributes:
        read: int64 (N,), the indices of the files that could be read.
        probabilities: float32 (N, 7), calibrated.
        scores: float32 (N, 7), equal-prior.
        unreadable: names and reasons for the others.
        refusals: the number that it would have refused, by reason.
        smartphones: the number that it recognises as smartphone photographs.
    """

    read: npt.NDArray[np.int64]
    probabilities: Floats
    scores: Floats
    unreadable: tuple[str, ...]
    refusals: dict[str, int]
    smartphones: int


def ask_as_served(paths: Sequence[Path], analyser: Analyser, progress: Progress = iter) -> Served:
    """Return the application's answers to the files, as if it never refused a photograph.

    Raises:
        EvaluationError: none of the files can be read.
    """
    probabilities, scores, read, unreadable = [], [], [], []
    refusals: Counter[str] = Counter()
    smartphones = 0
    for index, path in enumerate(progress(paths)):
        try:
            analysis = analyse_file(path, analyser)
        except (PictureError, OSError) as error:
            unreadable.append(f"{readable_name(path.name)}: {why_unreadable(error)}")
            continue
        assert analysis.assessment is not None, "a forced analysis always assesses"
        if analysis.quality.verdict is not Verdict.ACCEPTED:
            refusals[str(analysis.quality.verdict)] += 1
        smartphones += bool(analysis.quality.measures[SMARTPHONE_MEASURE])
        probabilities.append(in_order(analysis.assessment.probabilities))
        scores.append(in_order(analysis.assessment.equal_prior_scores))
        read.append(index)
    if not read:
        raise EvaluationError(f"None of the {len(paths)} photographs can be read. {unreadable[0]}")
    return Served(
        np.array(read, dtype=np.int64), np.stack(probabilities), np.stack(scores), tuple(unreadable), dict(refusals),
        smartphones,
    )  # fmt: skip


def analyse_file(path: Path, analyser: Analyser) -> Analysis:
    """Return the application's analysis of a file, as if it never refused a photograph.

    Raises:
        PictureError: it is not a readable picture.
        OSError: the file does not exist or must not be read.
    """
    return analyser.analyse(read_picture(path), force=True)


def _answers(photographs: Photographs, probabilities: Floats, scores: Floats) -> Answers:
    return Answers(probabilities, scores, photographs.labels, photographs.lesions)
