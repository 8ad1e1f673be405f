"""Creation of a release's base set, which replaces HAM10000 for retraining and evaluation in a clinic."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from mlmodel.datasets.dataset import CALIBRATION_FOLDS, TEST_FOLDS, TRAIN_FOLDS, Dataset, read_dataset
from mlmodel.datasets.feature_cache import cached_features
from mlmodel.network.engine import Engine
from mlmodel.network.head import Head
from mlmodel.releases.release import add_to_manifest, load_release
from mlmodel.retraining.base_set import BASE_SET_FILE, BaseSet, Cases, write_base_set
from mlmodel.taxonomy import CODES

MOST_OF_A_CLASS = 1500
FINENESS = 16.0
_SEED = 20180814


def pack_base_set(data: Path, *, cache: Path, release: Path) -> tuple[Path, BaseSet]:
    """Write the base set of a release, add it to the manifest, and return its path and content.

    Args:
        data: a folder for ``read_dataset``.
        cache: the feature cache of ``build_release``; missing features are computed.
        release: the folder.

    Raises:
        DatasetError: the data folder is invalid.
        ReleaseError: the release is incomplete.
    """
    shipped = load_release(release)
    dataset = read_dataset(data)
    features = cached_features(
        dataset.paths, engine=Engine(shipped.backbone), cache=cache / shipped.backbone_sha256[:16] / "ham10000"
    )
    base = base_set_of(dataset, features, backbone_sha256=shipped.backbone_sha256)
    path = release / BASE_SET_FILE
    write_base_set(base, path, head=Head.load(shipped.head), fineness=FINENESS)
    add_to_manifest(release, "base_set", path.name)
    return path, base


def base_set_of(dataset: Dataset, features: npt.NDArray[np.float16], *, backbone_sha256: str) -> BaseSet:
    """Return the base set of a data set with its features, float16 (N, F).

    The replay has at most ``MOST_OF_A_CLASS`` photographs of each class from the training folds, first one per lesion.
    The calibration fold and the held-out test set are included completely.
    """

    def cases(rows: npt.NDArray[np.int64]) -> Cases:
        return Cases(features[rows], dataset.labels[rows].astype(np.int64), dataset.lesions[rows])

    rows_by_part = rows_of_base_set(dataset)
    return BaseSet(
        backbone_sha256=backbone_sha256,
        **{part: cases(rows) for part, rows in rows_by_part.items()},
        locked_is_sharp=dataset.copies[rows_by_part["locked"]] == "sharp",
    )


def rows_of_base_set(dataset: Dataset) -> dict[str, npt.NDArray[np.int64]]:
    """Return the indices of the photographs in each part of a data set's base set, int64, by part."""
    return {
        "replay": _replayed(dataset),
        "calibration": np.flatnonzero(dataset.rows(CALIBRATION_FOLDS)),
        "locked": np.flatnonzero(dataset.rows(TEST_FOLDS)),
    }


def _replayed(dataset: Dataset) -> npt.NDArray[np.int64]:
    trained = np.flatnonzero(dataset.rows(TRAIN_FOLDS))
    shuffled = np.random.default_rng(_SEED).permutation(trained)
    # All first photographs of lesions come before second ones, and so on, each in random order.
    _, group = np.unique(dataset.lesions[shuffled], return_inverse=True)
    by_lesion = np.argsort(group, kind="stable")
    starts = np.searchsorted(group[by_lesion], np.arange(group.max() + 1))
    turn = np.empty(len(shuffled), dtype=np.int64)
    turn[by_lesion] = np.arange(len(shuffled)) - starts[group[by_lesion]]
    in_turn = shuffled[np.argsort(turn, kind="stable")]
    labels = dataset.labels[in_turn]
    chosen = [in_turn[labels == index][:MOST_OF_A_CLASS] for index in range(len(CODES))]
    return np.sort(np.concatenate(chosen))
