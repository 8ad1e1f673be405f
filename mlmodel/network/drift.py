"""Drift detection: whether recent photographs differ from those on which the release was calibrated.

Features are projected on the reference's principal directions, and a window of uploads is compared by two statistics:

- the population stability index in each direction (Siddiqi, Credit Risk Scorecards, 2006), which measures the size of
  the shift;
- the distance between the means (Hotelling, Annals of Mathematical Statistics 2, 1931), which tests for significance.
  The directions have unit variance and no correlation in the reference, so the test is a Euclidean distance. On the
  calibration folds it was twice as sensitive to a colour cast as the Kolmogorov–Smirnov distance.

Monitoring tests repeatedly, so the critical distance does not come from a table: ``make_reference`` simulates streams
of typical photographs, tests them as often as monitoring does, and takes the distance that only 1 in 100 streams
exceeds.

Only the features raise an alarm. The measures of ``quality`` (light, sharpness and colour) show in which way the
photographs have changed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mlmodel.network.head import Floats
from mlmodel.releases.release_files import SHIPPED, ReleaseError

DIRECTIONS = 24
# Window size, minimum size, interval between tests, and length of the stream for the false alarm rate.
WINDOW = 200
FEWEST = 100
EVERY = 20
STREAM = 2000
FALSE_ALARMS = 0.01
PSI_BINS = 10
OUTLIER_SHARE = 0.01
# Names in ``Quality.measures``, and the stability index from which a measure has shifted (Siddiqi, 2006).
MEASURES = ("brightness", "sharpness", "red", "blue")
MOVED = 0.25


@dataclass(frozen=True)
class Look:
    """The result of one test of a window.

    Attributes:
        count: the number of photographs.
        distance: between the means, in standard deviations of the reference, root mean square over the directions.
        threshold: the critical distance; infinite with fewer than ``FEWEST`` photographs.
        psi: the largest population stability index over the directions; 0.25 is conventionally a shift.
    """

    count: int
    distance: float
    threshold: float
    psi: float

    @property
    def has_drifted(self) -> bool:
        return self.distance > self.threshold


@dataclass(frozen=True)
class MeasureLook:
    """The comparison of one quality measure in a window with the reference.

    Attributes:
        name: one of ``MEASURES``.
        count: the number of photographs in the window that have it.
        median: in the window.
        usual: the reference's median.
        psi: the population stability index.
    """

    name: str
    count: int
    median: float
    usual: float
    psi: float

    @property
    def has_moved(self) -> bool:
        """Whether it has shifted, given enough photographs; this raises no alarm."""
        return self.count >= FEWEST and self.psi > MOVED


@dataclass(frozen=True)
class DriftReference:
    """The distribution of features and measures of typical photographs for one backbone.

    Attributes:
        backbone_sha256: the backbone of these features; those of other backbones must not be compared.
        mean: float32 (F,).
        projection: float32 (F, D), scaled so that each direction has unit variance in the reference.
        scores: float32 (N, D + 1), sorted along the first axis; the last column is the outlier score.
        distance_threshold: the critical distance of a full window, for repeated tests.
        outlier_threshold: the outlier score that ``OUTLIER_SHARE`` of the reference exceed.
        measures: float32 (N,) by name, sorted; empty if the reference has none.
    """

    backbone_sha256: str
    mean: Floats
    projection: Floats
    scores: Floats
    distance_threshold: float
    outlier_threshold: float
    measures: Mapping[str, Floats] = field(default_factory=dict)

    def project(self, features: npt.NDArray[np.floating]) -> Floats:
        """Return the scores, float32 (B, D + 1), of features (B, F); the last column is the outlier score."""
        return _project(np.asarray(features, np.float32), self.mean, self.projection)

    def outlier_score(self, features: npt.NDArray[np.floating]) -> float:
        """Return the distance of one photograph's features (F,) from the centre of the reference."""
        return float(self.project(np.asarray(features)[None])[0, -1])

    def look(self, scores: Floats) -> Look:
        """Return the comparison of the scores (B, D + 1) of a window with the reference.

        Raises:
            ValueError: the window is empty.
        """
        if not len(scores):
            raise ValueError("There is nothing to compare: the window is empty.")
        # A smaller window varies more: the distance scales with the root of both sizes.
        slack = _scatter(len(scores), len(self.scores)) / _scatter(WINDOW, len(self.scores))
        threshold = self.distance_threshold * max(slack, 1.0) if len(scores) >= FEWEST else float("inf")
        distance = mean_distance(self.scores, scores)
        psi = max(population_stability(self.scores[:, each], scores[:, each]) for each in range(self.scores.shape[1]))
        return Look(count=len(scores), distance=distance, threshold=threshold, psi=psi)

    def look_at_measures(self, windows: Mapping[str, npt.ArrayLike]) -> list[MeasureLook]:
        """Return the comparison of a window's measures with the reference's, where both have them."""
        looks = []
        for name, usual in self.measures.items():
            values: Floats = np.asarray(windows.get(name, ()), np.float32)
            if len(values):
                psi = population_stability(usual, values)
                looks.append(MeasureLook(name, len(values), float(np.median(values)), float(np.median(usual)), psi))
        return looks

    def save(self, path: Path) -> None:
        """Write the reference in half precision."""
        np.savez_compressed(
            path,
            backbone_sha256=np.array(self.backbone_sha256),
            mean=self.mean.astype(np.float16),
            projection=self.projection.astype(np.float16),
            scores=self.scores.astype(np.float16),
            thresholds=np.array([self.distance_threshold, self.outlier_threshold], np.float64),
            measure_names=np.array(list(self.measures), np.str_),
            measures=np.array(list(self.measures.values()), np.float16),
        )


def read_reference(path: Path = SHIPPED / "reference.npz") -> DriftReference:
    """Return a reference that ``save`` wrote. Pickled content is refused.

    Raises:
        ReleaseError: the file is missing or is not a reference.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            distance_threshold, outlier_threshold = (float(each) for each in arrays["thresholds"])
            return DriftReference(
                backbone_sha256=str(arrays["backbone_sha256"]),
                mean=arrays["mean"].astype(np.float32),
                projection=arrays["projection"].astype(np.float32),
                scores=arrays["scores"].astype(np.float32),
                distance_threshold=distance_threshold,
                outlier_threshold=outlier_threshold,
                measures=_read_measures(arrays),
            )
    except (OSError, ValueError, KeyError) as error:
        raise ReleaseError(
            f"The reference of typical photographs cannot be read: {error!r}. Restore {path.name} from the release, "
            "or rebuild it with `manage.py build_reference`."
        ) from error


def make_reference(
    features: npt.NDArray[np.floating],
    lesions: npt.NDArray[np.str_],
    *,
    backbone_sha256: str,
    measures: Mapping[str, npt.ArrayLike] | None = None,
    seed: int = 0,
) -> DriftReference:
    """Return a reference for features (N, F) of photographs that were not used for training.

    Args:
        lesions: str (N,), so that no lesion is on both sides when the false alarm rate is measured.
        measures: quality measures of the same photographs, (N,) by name.
    """
    exact = np.asarray(features, np.float32)
    # The reference is stored in half precision, so everything is calculated from the rounded values.
    mean = exact.mean(axis=0).astype(np.float16).astype(np.float32)
    _left, _sizes, directions = np.linalg.svd(exact - mean, full_matrices=False)
    scale = ((exact - mean) @ directions[:DIRECTIONS].T).std(axis=0)
    projection = (directions[:DIRECTIONS].T / scale).astype(np.float16).astype(np.float32)
    scores = _project(exact, mean, projection)
    return DriftReference(
        backbone_sha256=backbone_sha256,
        mean=mean,
        projection=projection,
        scores=np.sort(scores, axis=0),
        distance_threshold=_threshold_over_looks(scores, lesions, seed=seed),
        outlier_threshold=float(np.quantile(scores[:, -1], 1 - OUTLIER_SHARE)),
        measures={
            name: np.sort(np.asarray(values, np.float16)).astype(np.float32)
            for name, values in (measures or {}).items()
        },
    )


def mean_distance(reference: Floats, window: Floats) -> float:
    """Return the distance between the means of scores (N, D + 1) and (B, D + 1), without the outlier scores."""
    difference = window[:, :-1].mean(axis=0) - reference[:, :-1].mean(axis=0)
    return float(np.sqrt((difference**2).mean()))


def population_stability(reference: npt.NDArray[np.floating], window: npt.NDArray[np.floating]) -> float:
    """Return the population stability index over the reference's deciles. Empty bins count as half a photograph."""
    edges = np.quantile(reference, np.linspace(0, 1, PSI_BINS + 1)[1:-1])
    shares = []
    for values in (reference, window):
        counts = np.bincount(np.searchsorted(edges, values), minlength=PSI_BINS).astype(float)
        shares.append(np.maximum(counts, 0.5) / len(values))
    expected, actual = shares
    return float(((actual - expected) * np.log(actual / expected)).sum())


def _read_measures(arrays: Mapping[str, npt.NDArray]) -> dict[str, Floats]:
    # References of earlier releases have none.
    if "measures" not in arrays:
        return {}
    values = arrays["measures"].astype(np.float32)
    return {str(name): values[index] for index, name in enumerate(arrays["measure_names"])}


def _project(features: Floats, mean: Floats, projection: Floats) -> Floats:
    scores = (features - mean) @ projection
    # The Mahalanobis distance, divided by its root mean square in the reference.
    outlier = np.sqrt((scores**2).mean(axis=1, keepdims=True))
    return np.concatenate([scores, outlier], axis=1).astype(np.float32)


def _scatter(first: int, second: int) -> float:
    return float(np.sqrt(1 / first + 1 / second))


def _threshold_over_looks(scores: Floats, lesions: npt.NDArray[np.str_], *, seed: int, streams: int = 300) -> float:
    """Return the critical distance from simulated streams, each compared with the lesions that are not in it.

    Half the lesions are the reference and half the uploads. The smaller reference varies more than the whole one, so
    the true false alarm rate is lower.
    """
    draw = np.random.default_rng(seed)
    names = np.unique(lesions)
    largest = []
    for _ in range(streams):
        chosen = np.isin(lesions, draw.permutation(names)[: len(names) // 2])
        reference_scores, others = scores[chosen], scores[~chosen]
        stream = others[draw.integers(0, len(others), STREAM)]
        looks = range(WINDOW, STREAM + 1, EVERY)
        largest.append(max(mean_distance(reference_scores, stream[end - WINDOW : end]) for end in looks))
    return float(np.quantile(largest, 1 - FALSE_ALARMS))
