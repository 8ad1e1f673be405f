"""How an answer is said: the same words for the result page, the quick check and the report.

Plain values only, so that a template needs no knowledge of the network and nothing has to be stored to show an answer.
"""

from diagnosis.images.models import Prediction
from diagnosis.images.smartphones import is_smartphone
from mlmodel.network.analyser import Analyser
from mlmodel.network.calibration import in_order
from mlmodel.taxonomy import CODES


def prediction_set(analyser: Analyser, prediction: Prediction) -> tuple[str, ...]:
    """The classes that together hold the truth 9 times in 10, whichever it is, most probable first."""
    calibration = analyser.calibration_for(is_smartphone=is_smartphone(prediction.image.measures))
    return tuple(CODES[index] for index in calibration.prediction_set(in_order(prediction.probabilities)))
