"""Names of the light and colour measures, and descriptions of their shifts."""

from django.utils.translation import gettext as _

from mlmodel.network.drift import MeasureLook


def measure_name(measure: MeasureLook) -> str:
    """Return the name of a measure."""
    return {
        "brightness": _("Light"),
        "sharpness": _("Sharpness"),
        "red": _("Red relative to green"),
        "blue": _("Blue relative to green"),
    }[measure.name]


def shift_in_words(measure: MeasureLook) -> str:
    """Return a sentence that describes the direction of a measure's shift."""
    more = {
        "brightness": _("The photographs are lighter."),
        "sharpness": _("The photographs are sharper."),
        "red": _("The photographs are redder."),
        "blue": _("The photographs are bluer."),
    }
    less = {
        "brightness": _("The photographs are darker."),
        "sharpness": _("The photographs are less sharp."),
        "red": _("The photographs are less red."),
        "blue": _("The photographs are less blue."),
    }
    return (more if measure.median > measure.usual else less)[measure.name]
