"""HAM10000's folds with their answers: from the features that training kept, or photograph by photograph."""

from pathlib import Path

import numpy as np

from mlmodel.datasets.feature_cache import cached_features
from mlmodel.evaluation.answering import Answered, Judge, Progress, answer_as_served, answer_from_features
from mlmodel.evaluation.known_sets import read_ham10000_folds
from mlmodel.evaluation.test_sets import Photographs
from mlmodel.network.analyser import Analyser

# As training calls its folder of kept features, and how many photographs it keeps in one file.
_CACHE_NAME, _HASH_LETTERS, _CHUNK = "ham10000", 16, 256


def answer_ham10000(
    folder: Path, folds: tuple[int, ...], analyser: Analyser, cache: Path, progress: Progress = iter
) -> Answered:
    """Return some folds of a HAM10000 folder with the network's answers.

    Args:
        folder: as training reads it.
        folds: which folds.
        analyser: the network.
        cache: where training keeps features; used if it holds all of this folder's photographs for this backbone.
        progress: shows how far it is, where each photograph is looked at.

    Raises:
        EvaluationError: the folder is not what training reads, or the folds hold nothing.
    """
    part, rows, whole = read_ham10000_folds(folder, folds)
    kept = cache / analyser.backbone_sha256[:_HASH_LETTERS] / _CACHE_NAME
    if not _is_complete(kept, whole):
        return answer_as_served(part, analyser, progress)
    features = cached_features(whole.paths, engine=analyser.engine, cache=kept)
    return answer_from_features(part, features[rows], Judge.of(analyser))


def _is_complete(kept: Path, whole: Photographs) -> bool:
    """Whether each file of features is there, made of photographs of these names in this order."""
    names = np.array([path.name for path in whole.paths])
    for start in range(0, len(names), _CHUNK):
        path = kept / f"{start:06}.npz"
        if not path.is_file():
            return False
        with np.load(path, allow_pickle=False) as chunk:
            if not np.array_equal(chunk["names"], names[start : start + _CHUNK]):
                return False
    return True
