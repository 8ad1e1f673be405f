"""The base set: stored features in a release, which replace its training photographs for retraining."""

import io
import lzma
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mlmodel.network.calibration import Labels
from mlmodel.network.head import Head
from mlmodel.releases.release_files import SHIPPED, ReleaseError, verified_file
from mlmodel.taxonomy import CODES

BASE_SET_FILE = "base_set.npz"
PARTS = ("replay", "calibration", "locked")
_GRID = np.dtype("<u2")
# A feature with little weight in the current head may have more in a later one.
_MINIMUM_FINENESS = 1.5


@dataclass(frozen=True)
class Cases:
    """N photographs with confirmed labels.

    Attributes:
        features: float16 (N, F), from the shipped backbone.
        labels: int64 (N,), indices into ``taxonomy.CODES``.
        lesions: str (N,); photographs of one lesion share a value, which is unique across clinics.
    """

    features: npt.NDArray[np.float16]
    labels: Labels
    lesions: npt.NDArray[np.str_]

    def __post_init__(self) -> None:
        if self.features.ndim != 2 or not len(self.features) == len(self.labels) == len(self.lesions):
            raise ValueError(
                f"expected features (N, F), labels (N,) and lesions (N,), got {self.features.shape}, "
                f"{self.labels.shape} and {self.lesions.shape}"
            )
        if len(self.labels) and not 0 <= self.labels.min() <= self.labels.max() < len(CODES):
            raise ValueError(f"labels must be 0 to {len(CODES) - 1}, got {np.unique(self.labels).tolist()}")

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: npt.NDArray[Any]) -> "Cases":
        """Return the cases with these rows only: indices, or bool (N,)."""
        return Cases(self.features[rows], self.labels[rows], self.lesions[rows])


@dataclass(frozen=True)
class BaseSet:
    """The features of HAM10000 with which a clinic can retrain without the photographs.

    Attributes:
        backbone_sha256: the backbone of these features; features of other backbones must not be mixed with them.
        replay: cases of the training folds, so that a new head does not forget them.
        calibration: cases of the validation and calibration fold; no head is ever trained on them.
        locked: all photographs of the held-out test set.
        locked_is_sharp: bool (N,), the photographs on which thresholds are evaluated; None if unknown.
    """

    backbone_sha256: str
    replay: Cases
    calibration: Cases
    locked: Cases
    locked_is_sharp: npt.NDArray[np.bool_] | None = None

    @property
    def sharp_locked(self) -> Cases:
        """The photographs on which a release evaluates its thresholds; all, if these are unknown."""
        return self.locked if self.locked_is_sharp is None else self.locked.take(self.locked_is_sharp)


def joined(*parts: Cases) -> Cases:
    """Return the cases of all parts in order; empty ones are ignored."""
    non_empty = [part for part in parts if len(part)] or list(parts[:1])
    return Cases(
        np.concatenate([part.features for part in non_empty]),
        np.concatenate([part.labels for part in non_empty]),
        np.concatenate([part.lesions for part in non_empty]),
    )


def read_base_set(path: Path = SHIPPED / BASE_SET_FILE) -> BaseSet:
    """Return the verified base set of the release in the same folder.

    Raises:
        ReleaseError: it is missing, was altered, or was not written by ``write_base_set``.
    """
    verified = verified_file("base_set", path.parent)
    if verified != path:
        raise ReleaseError(f"{path.name} is not the base set in the manifest, which is {verified.name}.")
    try:
        with np.load(path, allow_pickle=False) as arrays:
            step, low = arrays["step"].astype(np.float32), arrays["low"].astype(np.float32)
            parts = {name: _unpacked(arrays, name, step, low) for name in PARTS}
            is_sharp = arrays.get("locked_is_sharp")
            return BaseSet(backbone_sha256=str(arrays["backbone_sha256"]), **parts, locked_is_sharp=is_sharp)
    except (OSError, ValueError, KeyError, lzma.LZMAError, EOFError) as error:
        raise ReleaseError(f"The base set cannot be read: {error!r}. Restore it from the release.") from error


def write_base_set(base: BaseSet, path: Path, *, head: Head, fineness: float) -> None:
    """Write the base set, compressed, with each feature rounded to its own grid.

    Features with more weight in the head have a finer grid, so that all contribute the same rounding error to the
    logits. Uniform quantisation followed by entropy coding is within a quarter of a bit per value of the optimum (Gish
    & Pierce, IEEE Trans. Inf. Theory 14:676, 1968). Features that the head does not use are replaced by their mean.

    Args:
        base: the base set.
        path: the output file.
        head: the head of the release.
        fineness: the number of grid steps per standard deviation of a feature with median weight.
    """
    everything = np.concatenate([getattr(base, name).features for name in PARTS]).astype(np.float32)
    deviation, reach = everything.std(axis=0), np.linalg.norm(head.hidden_weights, axis=1)
    is_kept = (reach > 0) & (deviation > 1e-6)
    effect = float(np.median((reach * deviation)[is_kept]))
    step = np.zeros_like(deviation)
    step[is_kept] = np.minimum(effect / reach[is_kept] / fineness, deviation[is_kept] / _MINIMUM_FINENESS)
    low = np.where(is_kept, everything.min(axis=0), everything.mean(axis=0)).astype(np.float32)
    step = np.maximum(step, (everything.max(axis=0) - low) / np.iinfo(_GRID).max * is_kept)
    arrays: dict[str, Any] = {"backbone_sha256": np.array(base.backbone_sha256), "step": step, "low": low}
    for name in PARTS:
        cases: Cases = getattr(base, name)
        values = (cases.features[:, is_kept].astype(np.float32) - low[is_kept]) / step[is_kept]
        # Ordered by feature, low bytes before high ones, since similar neighbours compress better.
        grid = np.ascontiguousarray(np.rint(values).astype(_GRID).T).view(np.uint8).reshape(-1, 2).T
        arrays[f"{name}_features"] = np.frombuffer(lzma.compress(grid.tobytes(), preset=9), dtype=np.uint8)
        arrays[f"{name}_labels"] = cases.labels.astype(np.uint8)
        arrays[f"{name}_lesions"] = cases.lesions
    if base.locked_is_sharp is not None:
        arrays["locked_is_sharp"] = base.locked_is_sharp
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    path.write_bytes(buffer.getvalue())


def _unpacked(arrays: Any, name: str, step: npt.NDArray[np.float32], low: npt.NDArray[np.float32]) -> Cases:
    labels = arrays[f"{name}_labels"].astype(np.int64)
    is_kept = step > 0
    planes = np.frombuffer(lzma.decompress(arrays[f"{name}_features"].tobytes()), dtype=np.uint8).reshape(2, -1)
    grid = np.ascontiguousarray(planes.T).view(_GRID).reshape(int(is_kept.sum()), len(labels)).T
    features = np.repeat(low[None].astype(np.float16), len(labels), axis=0)
    features[:, is_kept] = (grid * step[is_kept] + low[is_kept]).astype(np.float16)
    return Cases(features, labels, arrays[f"{name}_lesions"])
