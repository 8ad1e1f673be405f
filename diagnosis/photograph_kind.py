"""What a photograph was taken with, and what that costs, in words."""

from collections.abc import Mapping

from django.utils.translation import gettext as _

from mlmodel.analysis import get_analyser

# As ``mlmodel.analysis`` names it among a photograph's measures: 1.0 without a dermatoscope, else 0.0.
SMARTPHONE_MEASURE = "smartphone"


def taken_with(measures: Mapping[str, float]) -> str:
    """Return what the photograph was taken with; empty where nobody looked."""
    if SMARTPHONE_MEASURE not in measures:
        return ""
    return _("Camera without dermatoscope") if measures[SMARTPHONE_MEASURE] else _("Dermatoscope")


def smartphone_caution(measures: Mapping[str, float]) -> str:
    """Say how much less can be said of a photograph taken without a dermatoscope; empty for any other."""
    known = get_analyser().release.settings.get("smartphone")
    if not measures.get(SMARTPHONE_MEASURE) or not known:
        return ""
    dermatoscopic = get_analyser().release.settings["locked_test"]["photographs"]["accuracy"]["value"]
    return _(
        "This looks like a photograph taken without a dermatoscope, which the network never learned from. Of "
        "%(count)s such photographs it named %(right)s in 100 rightly, against %(usual)s in 100 of dermatoscopic. "
        "Its probabilities are stated with that much less confidence. Use a dermatoscope if you can."
    ) % {
        "count": known["photographs"],
        "right": round(100 * known["accuracy"]),
        "usual": round(100 * dermatoscopic),
    }
