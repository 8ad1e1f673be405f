"""A clinic's own class mix, estimated from its confirmed labels, and the calibration that it would give."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from django.db.models import Exists, OuterRef

from diagnosis.images.models import Image, Prediction
from diagnosis.reviews.answers import LabelState
from mlmodel.metrics.curves import wilson
from mlmodel.metrics.performance import Answers, expected_calibration_error
from mlmodel.network.analyser import Analyser
from mlmodel.network.calibration import as_settings, at_mix, in_order
from mlmodel.network.head import Floats
from mlmodel.taxonomy import CODES, MALIGNANT_CODES
from mlmodel.versions.models import ModelVersion
from patients.models import Clinic

# With fewer lesions the estimate is too uncertain.
LEAST_LESIONS = 100
# Weight of the release's mix as a prior, in lesions: a class that has not occurred yet is not ruled out.
_PRIOR_LESIONS = 10
_FOLDS = 5
# The newest answers only: older ones say little about current patients.
_MOST_ANSWERS = 5000


@dataclass(frozen=True)
class CalibrationQuality:
    """Expected calibration error and mean log loss of the probabilities. Lower is better."""

    error: float
    loss: float

    @property
    def points(self) -> float:
        """The calibration error in percentage points."""
        return self.error * 100


@dataclass(frozen=True)
class OwnMix:
    """A clinic's class mix, and the calibration with and without it.

    Attributes:
        lesions: number with a confirmed label among the seven and an answer of the version.
        shares: by code: share of the confirmed lesions, lower and upper bound of its 95 % interval (Wilson 1927), and
            the release's own share.
        mix: by code, the mix to which probabilities would be adjusted; sums to 1.
        before, after: calibration with the release's mix and with the clinic's, cross-validated on the same lesions;
            None with too few.
    """

    lesions: int
    shares: dict[str, tuple[float, float, float, float]]
    mix: dict[str, float]
    before: CalibrationQuality | None
    after: CalibrationQuality | None

    @property
    def is_offered(self) -> bool:
        """Whether there are enough lesions and the clinic's mix lowers the log loss."""
        return bool(self.before and self.after and self.after.loss < self.before.loss)


def own_mix_of(clinic: Clinic, version: ModelVersion, analyser: Analyser) -> OwnMix:
    """Return a clinic's class mix, estimated from its confirmed lesions.

    Confirmed lesions are a biased sample: suspicious ones are reviewed first. So the mix overestimates malignancy.

    Args:
        clinic: whose labels are used.
        version: whose predictions are evaluated.
        analyser: of that version, as released.
    """
    labels, scores = _confirmed(clinic, version, analyser)
    released = analyser.calibration.class_mix
    counts = np.bincount(labels, minlength=len(CODES))
    shares = {
        code: (counts[index] / len(labels), *wilson(int(counts[index]), len(labels)), float(released[index]))
        for index, code in enumerate(CODES)
        if len(labels)
    }
    mix = _mix(counts, released)
    before = after = None
    if len(labels) >= LEAST_LESIONS:
        folds = np.random.default_rng(0).permutation(len(labels)) % _FOLDS
        own = np.empty_like(scores)
        for fold in range(_FOLDS):
            others = np.bincount(labels[folds != fold], minlength=len(CODES))
            own[folds == fold] = at_mix(scores[folds == fold], _mix(others, released))
        before, after = _quality(at_mix(scores, released), labels), _quality(own, labels)
    return OwnMix(len(labels), shares, as_settings(mix), before, after)


def malignant_probabilities_as_released(predictions: Iterable[Prediction], analyser: Analyser) -> list[float]:
    """Return each malignant probability at the release's class mix, which the release's thresholds refer to."""
    released = analyser.calibration.class_mix
    malignant_probabilities = []
    for prediction in predictions:
        scores = in_order(prediction.probabilities) / _mix_behind(prediction, analyser)
        probabilities = at_mix(scores, released)
        malignant_probabilities.append(float(sum(probabilities[CODES.index(code)] for code in MALIGNANT_CODES)))
    return malignant_probabilities


def _mix_behind(prediction: Prediction, analyser: Analyser) -> Floats:
    """Return the class mix at which a prediction was made, float32 (7,)."""
    settings = prediction.answer_settings
    return in_order(settings.class_mix) if settings and settings.class_mix else analyser.calibration.class_mix


def _mix(counts: npt.NDArray[np.int64], released: Floats) -> Floats:
    weighted = counts + _PRIOR_LESIONS * released
    return (weighted / weighted.sum()).astype(np.float32)


def _confirmed(clinic: Clinic, version: ModelVersion, analyser: Analyser) -> tuple[npt.NDArray[np.int64], Floats]:
    """Return labels, int64 (N,), and equal-prior scores, float32 (N, 7), of the clinic's confirmed lesions."""
    rows = (
        Prediction.objects.of_new_photographs()
        .filter(
            ~Exists(Image.objects.not_reliable().filter(pk=OuterRef("image"))),
            image__in=Image.objects.filter(visit__patient__clinic=clinic).in_use(),
            model_version=version,
            image__label__state=LabelState.SETTLED,
            image__label__answer__in=CODES,
        )
        .select_related("answer_settings", "image__label")
        .newest_first()[:_MOST_ANSWERS]
    )
    lesions: dict[object, tuple[int, list[Floats]]] = {}
    for row in rows:
        scores = in_order(row.probabilities) / _mix_behind(row, analyser)
        # The newest photograph gives the lesion's label; the scores of all its photographs are averaged.
        _label, lesion_scores = lesions.setdefault(row.image.lesion_id, (CODES.index(row.image.label.answer), []))
        lesion_scores.append((scores / scores.sum()).astype(np.float32))
    labels = np.array([label for label, _scores in lesions.values()], dtype=np.int64)
    means = [np.mean(scores, axis=0) for _label, scores in lesions.values()]
    return labels, np.array(means, dtype=np.float32).reshape(-1, len(CODES))


def _quality(probabilities: Floats, labels: npt.NDArray[np.int64]) -> CalibrationQuality:
    chosen = np.maximum(probabilities[np.arange(len(labels)), labels], 1e-6)
    answers = Answers(probabilities, probabilities, labels, np.arange(len(labels)).astype(str))
    return CalibrationQuality(error=expected_calibration_error(answers), loss=float(-np.log(chosen).mean()))
