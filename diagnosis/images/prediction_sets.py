"""The prediction set of a stored prediction."""

from diagnosis.images.models import Prediction
from diagnosis.images.reliability import is_smartphone
from mlmodel.network.analyser import Analyser
from mlmodel.network.calibration import in_order
from mlmodel.taxonomy import CODES


def prediction_set(analyser: Analyser, prediction: Prediction) -> tuple[str, ...]:
    """Return the codes of the 90 % prediction set, the most probable class first. Its coverage holds per class."""
    calibration = analyser.calibration_for(is_smartphone=is_smartphone(prediction.image.measures))
    return tuple(CODES[index] for index in calibration.prediction_set(in_order(prediction.probabilities)))
