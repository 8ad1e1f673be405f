"""Photographs of other clinics, as ``import_isic`` wrote them: what the network says of them, source by source."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mlmodel.datasets.dataset import Dataset, read_datasets
from mlmodel.datasets.tables import DataError
from mlmodel.evaluation.answering import Judge, Progress, ask_as_served
from mlmodel.evaluation.by_source import class_mixes, figures_of_source
from mlmodel.evaluation.errors import EvaluationError
from mlmodel.metrics.performance import Answers
from mlmodel.network.analyser import Analyser


def read_collections(folders: Sequence[Path], folds: tuple[int, ...]) -> tuple[Dataset, Dataset, list[str]]:
    """Return the photographs of some folds, those of all folds, and what was left out in sentences.

    Raises:
        EvaluationError: a folder is not what training reads, or the folds hold nothing.
    """
    try:
        whole, notes = read_datasets(folders)
    except (DataError, OSError) as error:
        raise EvaluationError(str(error)) from error
    rows = whole.rows(folds)
    if not rows.any():
        listed = ", ".join(str(fold) for fold in folds)
        raise EvaluationError(f"{folders[0]} has no photographs in the folds {listed}.")
    return whole.take(rows), whole, notes


def judge_by_source(
    part: Dataset, whole: Dataset, analyser: Analyser, progress: Progress = iter
) -> tuple[dict[str, Any], list[str]]:
    """Return the figures of each source as ``figures_of_source`` does, and which photographs could not be read.

    Each photograph is answered as the application would answer it, were nothing ever refused.

    Args:
        part: the photographs to judge on.
        whole: all of their sources: a source's class mix is that of all its photographs.
        analyser: the network.
        progress: shows how far it is.

    Raises:
        EvaluationError: none of the photographs can be read.
    """
    served = ask_as_served(part.paths, analyser, progress)
    kept = part.take(served.read)
    judge, mixes = Judge.of(analyser), class_mixes(whole)
    answers = Answers(served.probabilities, served.scores, kept.labels, kept.lesions)
    return {
        str(source): figures_of_source(
            answers.take(kept.sources == source),
            thresholds=judge.thresholds,
            set_thresholds=judge.calibration.set_thresholds,
            class_mix=mixes[str(source)],
        )
        for source in np.unique(kept.sources)
    }, list(served.unreadable)
