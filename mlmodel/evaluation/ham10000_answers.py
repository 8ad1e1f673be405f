"""Answers for HAM10000's folds, from the features that training cached or photograph by photograph."""

from pathlib import Path

import numpy as np

from mlmodel.datasets.feature_cache import cached_features
from mlmodel.evaluation.answering import Answered, EvaluatedNetwork, Progress, answer_as_served, answer_from_features
from mlmodel.evaluation.known_sets import read_ham10000_folds
from mlmodel.evaluation.test_sets import Photographs
from mlmodel.network.analyser import Analyser

# The layout of training's feature cache.
_CACHE_NAME, _HASH_LETTERS, _CHUNK = "ham10000", 16, 256


def answer_ham10000(
    folder: Path, folds: tuple[int, ...], analyser: Analyser, cache: Path, progress: Progress = iter
) -> Answered:
    """Return some folds of a HAM10000 folder with the network's answers.

    Args:
        folder: the data set, as for training.
        folds: the folds to evaluate on.
        analyser: the network.
        cache: training's feature cache; used if it is complete for this folder and backbone.
        progress: wraps the iteration over photographs, for a progress bar.

    Raises:
        EvaluationError: the folder cannot be used for training, or the folds are empty.
    """
    part, rows, whole = read_ham10000_folds(folder, folds)
    features_folder = cache / analyser.backbone_sha256[:_HASH_LETTERS] / _CACHE_NAME
    if not _is_complete(features_folder, whole):
        return answer_as_served(part, analyser, progress)
    features = cached_features(whole.paths, engine=analyser.engine, cache=features_folder)
    return answer_from_features(part, features[rows], EvaluatedNetwork.of(analyser))


def _is_complete(features_folder: Path, whole: Photographs) -> bool:
    """Whether the cache has features of all photographs, in this order."""
    names = np.array([path.name for path in whole.paths])
    for start in range(0, len(names), _CHUNK):
        path = features_folder / f"{start:06}.npz"
        if not path.is_file():
            return False
        with np.load(path, allow_pickle=False) as chunk:
            if not np.array_equal(chunk["names"], names[start : start + _CHUNK]):
                return False
    return True
