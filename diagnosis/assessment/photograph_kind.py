"""What kind of photograph it is, by its look and as stated, and what that means for its answer, in words."""

from collections.abc import Mapping

from django.utils.translation import gettext as _

from diagnosis.images.kinds import WITHOUT_DERMATOSCOPE, PhotographKind
from diagnosis.images.reliability import is_smartphone
from mlmodel.network.analyser import Analyser, get_analyser
from mlmodel.network.quality import SMARTPHONE_MEASURE


def taken_with(measures: Mapping[str, float]) -> str:
    """Return what the photograph appears to be taken with; empty if that was not checked."""
    if SMARTPHONE_MEASURE not in measures:
        return ""
    return _("A camera without a dermatoscope") if measures[SMARTPHONE_MEASURE] else _("A dermatoscope")


def kind_in_words(kind: str) -> str:
    """Return the stated kind for lists and reports; empty if none was stated."""
    if not kind:
        return ""
    return {
        PhotographKind.OVERVIEW: _("Overview"),
        PhotographKind.CLOSE_UP: _("Close-up without a dermatoscope"),
        PhotographKind.DERMOSCOPIC: _("Dermoscopic photograph"),
    }[PhotographKind(kind)]


def dermatoscope_tips() -> tuple[str, ...]:
    """Return tips for a photograph whose answer can be relied on."""
    return (
        _("Place a dermatoscope on the spot and photograph through it, with contact fluid or polarised light."),
        _("Keep the whole spot in the middle of the picture, with a margin of skin all around it."),
        _("Focus until the fine structure is sharp. Use no flash and no digital zoom."),
        _("If no dermatoscope is available, do not wait for a better photograph: have the spot looked at."),
    )


def smartphone_caution(measures: Mapping[str, float], analyser: Analyser | None, *, kind: str = "") -> str:
    """Return the caution for a photograph taken without a dermatoscope; empty for any other.

    Its accuracy figures are given only for the shipped network, for which they were measured.

    Args:
        kind: as stated; an overview or a close-up is said to be one, whatever it looks like.
    """
    if kind in WITHOUT_DERMATOSCOPE:
        return _stated_caution(PhotographKind(kind))
    if not is_smartphone(measures):
        return ""
    if analyser is None or analyser.sha256 != get_analyser().sha256:
        return _(
            "This looks like a photograph taken without a dermatoscope. The network was not trained on such "
            "photographs. It cannot rule anything out, so neither a condition nor a probability is stated."
        )
    settings = analyser.release.settings
    smartphone, dermatoscopic = settings["smartphone"], settings["locked_test"]["photographs"]["accuracy"]["value"]
    return _(
        "This looks like a photograph taken without a dermatoscope. The network was not trained on such photographs. "
        "Of %(count)s of them it classified %(right)s in 100 correctly, compared with %(usual)s in 100 dermatoscopic "
        "photographs. It cannot rule anything out, so neither a condition nor a probability is stated."
    ) % {
        "count": smartphone["photographs"],
        "right": round(100 * smartphone["accuracy"]),
        "usual": round(100 * dermatoscopic),
    }


def _stated_caution(kind: PhotographKind) -> str:
    if kind is PhotographKind.OVERVIEW:
        return _(
            "This is stated to be an overview. It is kept to show where the spot is. The network reads one spot at a "
            "time, seen through a dermatoscope: it cannot rule anything out here, so neither a condition nor a "
            "probability is stated. Add a dermoscopic photograph of the spot."
        )
    return _(
        "This is stated to be a close-up without a dermatoscope. The network was not trained on such photographs. It "
        "cannot rule anything out, so neither a condition nor a probability is stated."
    )
