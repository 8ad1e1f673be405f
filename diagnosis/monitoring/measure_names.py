"""What the watch's measures are called, and what their moving means."""

from django.utils.translation import gettext as _

from mlmodel.network.drift import MeasureLook


def measure_name(measure: MeasureLook) -> str:
    """Return what a plain measure is of."""
    return {
        "brightness": _("Light"),
        "sharpness": _("Sharpness"),
        "red": _("Red beside green"),
        "blue": _("Blue beside green"),
    }[measure.name]


def measure_words(measure: MeasureLook) -> str:
    """Say in a sentence in which way a measure has moved."""
    more = {
        "brightness": _("They are lighter."),
        "sharpness": _("They are sharper."),
        "red": _("They are redder."),
        "blue": _("They are bluer."),
    }
    less = {
        "brightness": _("They are darker."),
        "sharpness": _("They are softer."),
        "red": _("They are less red."),
        "blue": _("They are less blue."),
    }
    return (more if measure.median > measure.usual else less)[measure.name]
