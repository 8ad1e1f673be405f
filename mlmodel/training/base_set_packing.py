"""Make the base set that travels with a release: what a clinic retrains and judges with in place of HAM10000."""

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
    """Write the base set of a release into its folder and name it in its manifest; return its path and what it holds.

    Args:
        data: a folder as ``read_dataset`` reads it.
        cache: computed features by backbone, as ``build_release`` keeps them; what is missing is computed.
        release: the folder.

    Raises:
        DatasetError: the data folder is not what it should be.
        ReleaseError: the release is not whole.
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
    """Return the base set of a data set whose features, float16 (N, F), are known.

    Of the training folds, at most ``MOST_OF_A_CLASS`` photographs of a class are kept for replay, first one of each
    lesion; of the calibration fold and the locked test, all.
    """

    def cases(rows: npt.NDArray[np.int64]) -> Cases:
        return Cases(features[rows], dataset.labels[rows].astype(np.int64), dataset.lesions[rows])

    found = rows_of_base_set(dataset)
    return BaseSet(
        backbone_sha256=backbone_sha256,
        **{part: cases(rows) for part, rows in found.items()},
        locked_is_sharp=dataset.copies[found["locked"]] == "sharp",
    )


def rows_of_base_set(dataset: Dataset) -> dict[str, npt.NDArray[np.int64]]:
    """Return which photographs of a data set make up each part of its base set: int64 indices, by part."""
    return {
        "replay": _replayed(dataset),
        "calibration": np.flatnonzero(dataset.rows(CALIBRATION_FOLDS)),
        "locked": np.flatnonzero(dataset.rows(TEST_FOLDS)),
    }


def _replayed(dataset: Dataset) -> npt.NDArray[np.int64]:
    trained = np.flatnonzero(dataset.rows(TRAIN_FOLDS))
    shuffled = np.random.default_rng(_SEED).permutation(trained)
    # First photographs of lesions come before second ones, and so on; each in random order.
    _, group = np.unique(dataset.lesions[shuffled], return_inverse=True)
    by_lesion = np.argsort(group, kind="stable")
    starts = np.searchsorted(group[by_lesion], np.arange(group.max() + 1))
    turn = np.empty(len(shuffled), dtype=np.int64)
    turn[by_lesion] = np.arange(len(shuffled)) - starts[group[by_lesion]]
    in_turn = shuffled[np.argsort(turn, kind="stable")]
    labels = dataset.labels[in_turn]
    kept = [in_turn[labels == index][:MOST_OF_A_CLASS] for index in range(len(CODES))]
    return np.sort(np.concatenate(kept))
