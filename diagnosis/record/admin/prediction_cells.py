"""Texts for predictions in the admin's lists: as on the pages, without a class if the answer is not reliable."""

from django.utils.translation import gettext as _

from diagnosis.assessment.candidates import percent
from diagnosis.images.condition_names import condition_name
from diagnosis.images.models import Prediction, Tier
from mlmodel.network.quality import Reliability
from mlmodel.network.tiers import class_order
from mlmodel.taxonomy import BY_CODE


def is_reliable(prediction: Prediction) -> bool:
    return prediction.image.reliability is Reliability.CALIBRATED


def explained_in_words(prediction: Prediction) -> str:
    """Return the class that explains the tier, with its probability."""
    if not is_reliable(prediction):
        if prediction.refused_as:
            return _("none: photograph refused (%(why)s)") % {"why": prediction.refused_as}
        return _("none: taken without a dermatoscope")
    code = prediction.explained_code
    return f"{condition_name(BY_CODE[code])}, {percent(prediction.probabilities[code])}"


def malignant_in_words(prediction: Prediction) -> str:
    return percent(prediction.malignant_probability) if is_reliable(prediction) else "–"


def tier_in_words(prediction: Prediction) -> str:
    return str(Tier(prediction.shown_tier).label)


def class_order_in_words(prediction: Prediction | None) -> str:
    """Return the classes, most probable first, with figures only if the answer is reliable."""
    if prediction is None:
        return "–"
    ranked = class_order(prediction.probabilities)
    if not is_reliable(prediction):
        return " > ".join(condition_name(BY_CODE[code]) for code in ranked)
    return "; ".join(f"{condition_name(BY_CODE[code])}, {percent(prediction.probabilities[code])}" for code in ranked)
