"""Evaluation by source on photographs of other clinics, as imported by ``import_isic``."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mlmodel.datasets.dataset import Dataset, read_datasets
from mlmodel.datasets.tables import DataError
from mlmodel.evaluation.answering import EvaluatedNetwork, Progress, ask_as_served
from mlmodel.evaluation.by_source import class_mixes, figures_of_source
from mlmodel.evaluation.errors import EvaluationError
from mlmodel.metrics.performance import Answers
from mlmodel.network.analyser import Analyser


def read_collections(folders: Sequence[Path], folds: tuple[int, ...]) -> tuple[Dataset, Dataset, list[str]]:
    """Return the photographs of some folds, those of all folds, and notes on what was excluded.

    Raises:
        EvaluationError: a folder cannot be used for training, or the folds are empty.
    """
    try:
        whole, notes = read_datasets(folders)
    except (DataError, OSError) as error:
        raise EvaluationError(str(error)) from error
    rows = whole.rows(folds)
    if not rows.any():
        listed = ", ".join(str(fold) for fold in folds)
        raise EvaluationError(f"{folders[0]} has no photographs in folds {listed}.")
    return whole.take(rows), whole, notes


def judge_by_source(
    part: Dataset, whole: Dataset, analyser: Analyser, progress: Progress = iter
) -> tuple[dict[str, Any], list[str]]:
    """Return the results of ``figures_of_source`` for each source, and the photographs that could not be read.

    Each photograph is analysed as the application would, as if it never refused a photograph.

    Args:
        part: the photographs to evaluate on.
        whole: all photographs of these sources, for their class mix.
        analyser: the network.
        progress: wraps the iteration, for a progress bar.

    Raises:
        EvaluationError: none of the photographs can be read.
    """
    served = ask_as_served(part.paths, analyser, progress)
    readable = part.take(served.read)
    network, mixes = EvaluatedNetwork.of(analyser), class_mixes(whole)
    answers = Answers(served.probabilities, served.scores, readable.labels, readable.lesions)
    return {
        str(source): figures_of_source(
            answers.take(readable.sources == source),
            thresholds=network.thresholds,
            set_thresholds=network.calibration.set_thresholds,
            class_mix=mixes[str(source)],
        )
        for source in np.unique(readable.sources)
    }, list(served.unreadable)
