"""What the network says of each photograph of a set: as the application says it, or from features that were kept."""

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
class Judge:
    """A network as far as its answers go: what can be judged before a release is written.

    Attributes:
        head: as it will be loaded.
        calibration: temperature, class mix and the thresholds of prediction sets.
        thresholds: on the malignant probability, by tier, ``urgent`` first.
        identity: what is said of it: version, sha256, backbone_sha256, head_sha256, architecture, views.
        smartphone_calibration: how its answers to smartphone photographs are read, where it reads them otherwise.
    """

    head: Head
    calibration: Calibration
    thresholds: dict[str, float]
    identity: dict[str, str]
    smartphone_calibration: Calibration | None = None

    @classmethod
    def of(cls, analyser: Analyser) -> "Judge":
        """Return the judge of a loaded release."""
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

    def for_kind_of(self, answered: "Answered") -> "Judge":
        """Return the judge of a set of one kind: the one for smartphone photographs where most of them are that."""
        if self.smartphone_calibration is None or answered.smartphones * 2 <= len(answered.photographs.labels):
            return self
        return replace(self, calibration=self.smartphone_calibration)


@dataclass(frozen=True)
class Answered:
    """A set with its answers, row by row.

    Attributes:
        photographs: those that could be read, whatever their truth.
        answers: of these photographs; a label of ``OUTSIDE`` where the truth is none of the seven.
        unreadable: names and reasons.
        refusals: how many photographs the application would have refused, by reason; None where nobody asked.
        smartphones: how many were taken for smartphone photographs, and answered as such.
    """

    photographs: Photographs
    answers: Answers
    unreadable: tuple[str, ...] = ()
    refusals: dict[str, int] | None = None
    smartphones: int = 0

    @property
    def is_inside(self) -> npt.NDArray[np.bool_]:
        """Which rows show one of the seven classes, bool (N,)."""
        return self.photographs.labels != OUTSIDE


def answer_from_features(photographs: Photographs, features: npt.NDArray[np.float16], judge: Judge) -> Answered:
    """Return what ``judge`` says of photographs whose features, float16 (N, F), are known."""
    parts = [judge.head.logits(part.astype(np.float32)) for part in np.array_split(features, len(features) // 512 + 1)]
    logits = np.concatenate(parts)
    answers = _answers(
        photographs, judge.calibration.probabilities(logits), judge.calibration.equal_prior_scores(logits)
    )
    return Answered(photographs, answers)


def answer_as_served(photographs: Photographs, analyser: Analyser, progress: Progress = iter) -> Answered:
    """Return what the application would say of each photograph: one look, through the same decoder.

    What it would refuse is asked all the same, and counted.

    Raises:
        EvaluationError: none of the photographs can be read.
    """
    served = ask_as_served(photographs.paths, analyser, progress)
    kept = photographs.take(served.read)
    if not (kept.labels != OUTSIDE).any():
        raise EvaluationError("No photograph that can be read shows one of the seven classes.")
    answers = _answers(kept, served.probabilities, served.scores)
    return Answered(kept, answers, served.unreadable, served.refusals, served.smartphones)


@dataclass(frozen=True)
class Served:
    """What the application says of files, of those that could be read.

    Attributes:
        read: int64 (N,), which files of those asked about.
        probabilities: float32 (N, 7), calibrated.
        scores: float32 (N, 7), equal-prior.
        unreadable: names and reasons of the others.
        refusals: how many it would have refused, by reason.
        smartphones: how many it takes for smartphone photographs.
    """

    read: npt.NDArray[np.int64]
    probabilities: Floats
    scores: Floats
    unreadable: tuple[str, ...]
    refusals: dict[str, int]
    smartphones: int


def ask_as_served(paths: Sequence[Path], analyser: Analyser, progress: Progress = iter) -> Served:
    """Ask about each file as the application would, were nothing ever refused.

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
    """Return what the application would say of a file, were nothing ever refused.

    Raises:
        PictureError: it is not a picture that can be read.
        OSError: there is no such file, or it may not be read.
    """
    return analyser.analyse(read_picture(path), force=True)


def _answers(photographs: Photographs, probabilities: Floats, scores: Floats) -> Answers:
    return Answers(probabilities, scores, photographs.labels, photographs.lesions)
