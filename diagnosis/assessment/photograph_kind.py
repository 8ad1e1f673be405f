"""What a photograph was taken with, and what that costs, in words."""

from collections.abc import Mapping

from django.utils.translation import gettext as _

from diagnosis.images.smartphones import is_smartphone
from mlmodel.network.analyser import Analyser, get_analyser
from mlmodel.network.quality import SMARTPHONE_MEASURE


def taken_with(measures: Mapping[str, float]) -> str:
    """Return what the photograph looks taken with; empty where nobody looked."""
    if SMARTPHONE_MEASURE not in measures:
        return ""
    return _("A camera without dermatoscope") if measures[SMARTPHONE_MEASURE] else _("A dermatoscope")


def dermatoscope_tips() -> tuple[str, ...]:
    """How to take a photograph that can be relied on."""
    return (
        _("Put a dermatoscope on the spot and photograph through it: with contact fluid, or with polarised light."),
        _("Have the whole spot in the picture, in the middle, with a rim of skin all round it."),
        _("Focus until the fine structure is sharp. Use no flash and no digital zoom."),
        _("If there is no dermatoscope at hand, do not wait for a better photograph: have the spot looked at."),
    )


def smartphone_caution(measures: Mapping[str, float], analyser: Analyser | None) -> str:
    """Say how much less can be said of a photograph taken without a dermatoscope; empty for any other.

    How often that costs the right answer is told of the shipped network alone, for which it was measured.
    """
    if not is_smartphone(measures):
        return ""
    if analyser is None or analyser.sha256 != get_analyser().sha256:
        return _(
            "This looks like a photograph taken without a dermatoscope, which the network never learned from. It "
            "cannot rule anything out, so neither a condition nor a probability is stated."
        )
    settings = analyser.release.settings
    known, dermatoscopic = settings["smartphone"], settings["locked_test"]["photographs"]["accuracy"]["value"]
    return _(
        "This looks like a photograph taken without a dermatoscope, which the network never learned from. Of "
        "%(count)s such photographs it named %(right)s in 100 rightly, against %(usual)s in 100 of dermatoscopic. "
        "It cannot rule anything out, so neither a condition nor a probability is stated."
    ) % {
        "count": known["photographs"],
        "right": round(100 * known["accuracy"]),
        "usual": round(100 * dermatoscopic),
    }
