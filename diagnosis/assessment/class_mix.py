"""A clinic's own class mix, estimated from its confirmed labels, and how true the percentages would be with it."""

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

# With fewer lesions the mix is guesswork, and so is whether it helps.
LEAST_LESIONS = 100
# So many lesions' worth of the release's mix is mixed in: a class that was not met yet is not ruled out.
_PRIOR_LESIONS = 10
_PARTS = 5
# The newest; older ones say little of the patients who come now.
_MOST_ANSWERS = 5000


@dataclass(frozen=True)
class CalibrationQuality:
    """How true percentages are: the expected calibration error, and the mean surprise (log loss). Less is better."""

    error: float
    loss: float

    @property
    def points(self) -> float:
        """The calibration error in points of a percentage."""
        return self.error * 100


@dataclass(frozen=True)
class OwnMix:
    """A clinic's class mix, and what it would change.

    Attributes:
        lesions: with a confirmed label among the seven and an answer of the version.
        shares: by code: share of the confirmed lesions, lower and upper bound of its 95 % interval (Wilson 1927), and
            the release's own share.
        mix: by code, what percentages would be true to; sums to 1.
        before, after: on the same lesions, each part of them read with the mix of the others; None of too few.
    """

    lesions: int
    shares: dict[str, tuple[float, float, float, float]]
    mix: dict[str, float]
    before: CalibrationQuality | None
    after: CalibrationQuality | None

    @property
    def is_offered(self) -> bool:
        """Whether there are lesions enough, and percentages become truer."""
        return bool(self.before and self.after and self.after.loss < self.before.loss)


def own_mix_of(clinic: Clinic, version: ModelVersion, analyser: Analyser) -> OwnMix:
    """Estimate a clinic's class mix from its confirmed lesions.

    What is confirmed is not a fair sample: what looks suspicious is read first. So the mix errs to the malignant side.

    Args:
        clinic: whose labels.
        version: whose answers are judged.
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
        parts = np.random.default_rng(0).permutation(len(labels)) % _PARTS
        own = np.empty_like(scores)
        for part in range(_PARTS):
            others = np.bincount(labels[parts != part], minlength=len(CODES))
            own[parts == part] = at_mix(scores[parts == part], _mix(others, released))
        before, after = _trueness(at_mix(scores, released), labels), _trueness(own, labels)
    return OwnMix(len(labels), shares, as_settings(mix), before, after)


def masses_as_released(predictions: Iterable[Prediction], analyser: Analyser) -> list[float]:
    """Return the malignant probability of each as the release's thresholds take it, whatever mix it was said at."""
    released = analyser.calibration.class_mix
    found = []
    for prediction in predictions:
        scores = in_order(prediction.probabilities) / _mix_behind(prediction, analyser)
        probabilities = at_mix(scores, released)
        found.append(float(sum(probabilities[CODES.index(code)] for code in MALIGNANT_CODES)))
    return found


def _mix_behind(prediction: Prediction, analyser: Analyser) -> Floats:
    """Return the class mix that a prediction's probabilities are true to, float32 (7,)."""
    settings = prediction.answer_settings
    return in_order(settings.class_mix) if settings and settings.class_mix else analyser.calibration.class_mix


def _mix(counts: npt.NDArray[np.int64], released: Floats) -> Floats:
    weighed = counts + _PRIOR_LESIONS * released
    return (weighed / weighed.sum()).astype(np.float32)


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
        # The newest photograph says what the lesion is; all of them, what the network makes of it.
        _label, known = lesions.setdefault(row.image.lesion_id, (CODES.index(row.image.label.answer), []))
        known.append((scores / scores.sum()).astype(np.float32))
    labels = np.array([label for label, _scores in lesions.values()], dtype=np.int64)
    means = [np.mean(scores, axis=0) for _label, scores in lesions.values()]
    return labels, np.array(means, dtype=np.float32).reshape(-1, len(CODES))


def _trueness(probabilities: Floats, labels: npt.NDArray[np.int64]) -> CalibrationQuality:
    chosen = np.maximum(probabilities[np.arange(len(labels)), labels], 1e-6)
    answers = Answers(probabilities, probabilities, labels, np.arange(len(labels)).astype(str))
    return CalibrationQuality(error=expected_calibration_error(answers), loss=float(-np.log(chosen).mean()))
