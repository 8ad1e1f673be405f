"""Do the photographs of these weeks look like those that the release was calibrated on?

Features are projected on the reference's leading directions, and two questions are asked of a window of uploads:

- the population stability index, direction by direction (Siddiqi, Credit Risk Scorecards, 2006), which says how far;
- how far apart the two means lie (Hotelling, Annals of Mathematical Statistics 2, 1931), which says whether it can be
  chance. The directions have unit variance and no correlation in the reference, so the test is a plain distance. On
  the calibration folds it saw a colour cast twice as clearly as the Kolmogorov–Smirnov distance did.

A watch looks again and again, so the distance is not held against a table: ``make_reference`` plays streams of
ordinary photographs, looks as often as the watch does, and keeps the distance that all but 1 in 100 streams
stay under.

Beside the features, which decide, stand the plain measures of ``quality``: light, sharpness and colour. They
say in which way the photographs have changed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mlmodel.network.head import Floats
from mlmodel.releases.release_files import SHIPPED, ReleaseError

DIRECTIONS = 24
# The window, how often it is looked at, and the stream over which the false alarm rate is held.
WINDOW = 200
FEWEST = 100
EVERY = 20
STREAM = 2000
FALSE_ALARMS = 0.01
PSI_BINS = 10
OUTLIER_SHARE = 0.01
# Of ``Quality.measures``; and from which stability index on one is said to have moved (Siddiqi, 2006).
MEASURES = ("brightness", "sharpness", "red", "blue")
MOVED = 0.25


@dataclass(frozen=True)
class Look:
    """What one look at a window found.

    Attributes:
        count: how many photographs it held.
        distance: between the means, in standard deviations of the reference, root mean square over the directions.
        threshold: what it takes to be noticed; infinite while there are fewer than ``FEWEST``.
        psi: the largest population stability index over the directions; 0.25 is by custom called a shift.
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
    """What one look at a window found of one plain measure.

    Attributes:
        name: one of ``MEASURES``.
        count: how many photographs of the window have it.
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
        """Whether it is worth naming; it raises no alarm, and of few photographs it says nothing."""
        return self.count >= FEWEST and self.psi > MOVED


@dataclass(frozen=True)
class DriftReference:
    """What ordinary photographs look like to one backbone.

    Attributes:
        backbone_sha256: whose features these are; others are never compared.
        mean: float32 (F,).
        projection: float32 (F, D), scaled so that each direction has unit variance in the reference.
        scores: float32 (N, D + 1), sorted along the first axis; the last column is the outlier score.
        distance_threshold: of the distance of a full window, over repeated looks.
        outlier_threshold: all but ``OUTLIER_SHARE`` of the reference lie under it.
        measures: float32 (N,) by name, sorted; empty in a reference that was made without.
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
        """Return how unlike the reference one photograph's features (F,) are; 0 is its middle."""
        return float(self.project(np.asarray(features)[None])[0, -1])

    def look(self, scores: Floats) -> Look:
        """Compare the scores (B, D + 1) of a window with the reference.

        Raises:
            ValueError: the window is empty.
        """
        if not len(scores):
            raise ValueError("There is nothing to compare: the window is empty.")
        # A shorter window scatters more; the distance shrinks with the root of both sizes.
        slack = _scatter(len(scores), len(self.scores)) / _scatter(WINDOW, len(self.scores))
        threshold = self.distance_threshold * max(slack, 1.0) if len(scores) >= FEWEST else float("inf")
        distance = mean_distance(self.scores, scores)
        psi = max(population_stability(self.scores[:, each], scores[:, each]) for each in range(self.scores.shape[1]))
        return Look(count=len(scores), distance=distance, threshold=threshold, psi=psi)

    def look_at_measures(self, windows: Mapping[str, npt.ArrayLike]) -> list[MeasureLook]:
        """Compare a window's measures with the reference's, by name; what either has none of is left out."""
        found = []
        for name, usual in self.measures.items():
            values: Floats = np.asarray(windows.get(name, ()), np.float32)
            if len(values):
                psi = population_stability(usual, values)
                found.append(MeasureLook(name, len(values), float(np.median(values)), float(np.median(usual)), psi))
        return found

    def save(self, path: Path) -> None:
        """Write it, packed in half precision."""
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
    """Read what ``save`` wrote. Pickled content is refused.

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
            f"The reference of ordinary photographs cannot be read: {error!r}. Restore {path.name} from the release, "
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
    """Make a reference of features (N, F) of photographs that no layer was trained on.

    Args:
        lesions: str (N,), so that no lesion is on both sides when the false alarm rate is measured.
        measures: of the same photographs, (N,) by name.
    """
    exact = np.asarray(features, np.float32)
    # Packed in half precision: what is measured here must be what is read again.
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
    """Return how far the means of scores (N, D + 1) and (B, D + 1) lie apart; outlier scores are left out."""
    apart = window[:, :-1].mean(axis=0) - reference[:, :-1].mean(axis=0)
    return float(np.sqrt((apart**2).mean()))


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
    # The squared distance in units of the reference's own spread, as a share of what is expected there.
    outlier = np.sqrt((scores**2).mean(axis=1, keepdims=True))
    return np.concatenate([scores, outlier], axis=1).astype(np.float32)


def _scatter(first: int, second: int) -> float:
    return float(np.sqrt(1 / first + 1 / second))


def _threshold_over_looks(scores: Floats, lesions: npt.NDArray[np.str_], *, seed: int, streams: int = 300) -> float:
    """Play ``streams`` ordinary streams, each against the lesions that are not in it.

    Half the lesions stand for the reference and half for the uploads: the smaller reference scatters more than the
    whole one will, so the false alarm rate is held with something to spare.
    """
    draw = np.random.default_rng(seed)
    names = np.unique(lesions)
    largest = []
    for _ in range(streams):
        chosen = np.isin(lesions, draw.permutation(names)[: len(names) // 2])
        known, others = scores[chosen], scores[~chosen]
        stream = others[draw.integers(0, len(others), STREAM)]
        looks = range(WINDOW, STREAM + 1, EVERY)
        largest.append(max(mean_distance(known, stream[end - WINDOW : end]) for end in looks))
    return float(np.quantile(largest, 1 - FALSE_ALARMS))
