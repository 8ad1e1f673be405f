"""A photograph's quality in words: the facts, and for a refused one what was wrong and how to take a better one."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

from diagnosis.assessment.photograph_kind import taken_with
from diagnosis.assessment.presentation import Fact
from diagnosis.images.models import QualityVerdict
from diagnosis.images.reliability import is_without_dermatoscope
from mlmodel.network.quality import DARKEST, LARGEST_CLIPPED_SHARE, LOWEST_SHARPNESS


@dataclass(frozen=True)
class RefusalView:
    """The content of ``templates/assessment/includes/refusal.html``."""

    verdict: str
    title: str
    what_was_wrong: str
    tips: tuple[str, ...]
    facts: tuple[Fact, ...] = ()


def present_refusal(verdict: str, *, facts: tuple[Fact, ...] = ()) -> RefusalView:
    """Return why a photograph was refused, and what to do."""
    title, what_was_wrong, tips = _words(QualityVerdict(verdict))
    return RefusalView(verdict=str(verdict), title=title, what_was_wrong=what_was_wrong, tips=tips, facts=facts)


def quality_facts(
    *,
    verdict: str,
    measures: Mapping[str, float],
    width: int,
    height: int,
    overridden: bool = False,
    kind: str = "",
) -> tuple[Fact, ...]:
    """Return up to four facts on quality; nothing is called good without a dermatoscope."""
    size = Fact(_("Size"), f"{width}\u00a0×\u00a0{height}")
    if verdict == QualityVerdict.ACCEPTED and is_without_dermatoscope(measures, kind):
        return Fact(_("Photograph"), quality_in_words(verdict, measures, kind=kind)), size
    if verdict == QualityVerdict.ACCEPTED:
        photograph = _("Good")
    elif overridden:
        photograph = _("%(verdict)s, analysed anyway") % {"verdict": QualityVerdict(verdict).label}
    else:
        photograph = str(QualityVerdict(verdict).label)
    facts = [Fact(_("Photograph"), photograph)]
    # Of what is no skin at all it says nothing.
    if verdict != QualityVerdict.NOT_SKIN and (camera := taken_with(measures)):
        facts.append(Fact(_("Looks taken with"), camera))
    if "sharpness" in measures:
        is_sharp = measures["sharpness"] >= LOWEST_SHARPNESS
        facts.append(Fact(_("Sharpness"), _("Good") if is_sharp else _("Blurred")))
    if "brightness" in measures:
        facts.append(Fact(_("Light"), _light(measures)))
    return (*facts, size)


def quality_in_words(verdict: str, measures: Mapping[str, float], *, kind: str = "") -> str:
    """Return the photograph's quality in words, for reports and lists."""
    if verdict == QualityVerdict.ACCEPTED and is_without_dermatoscope(measures, kind):
        return _("Taken without a dermatoscope: not enough for a reliable answer")
    return str(QualityVerdict(verdict).label)


def _light(measures: Mapping[str, float]) -> str:
    if measures["brightness"] < DARKEST:
        return _("Too dark")
    if measures.get("clipped", 0.0) > LARGEST_CLIPPED_SHARE:
        return _("Too bright")
    return _("Good")


def _words(verdict: QualityVerdict) -> tuple[str, str, tuple[str, ...]]:
    """Return title, what was wrong, and tips with the most useful first."""
    fill = _("Let the spot fill about a third of the picture, with skin all around it.")
    light = _("Use daylight or even lamp light, without flash and without your own shadow.")
    match verdict:
        case QualityVerdict.NOT_SKIN:
            return (
                _("This does not look like a skin lesion"),
                _("The network only analyses close-up photographs of a single spot on skin. This is not one."),
                (_("Photograph one spot, straight from above, 10 to 20 cm away."), fill, light),
            )
        case QualityVerdict.BLURRED:
            return (
                _("The photograph is blurred"),
                _("The fine structure of the spot cannot be seen, and the answer depends on it."),
                (
                    _("Tap on the spot so that the camera focuses on it, and wait until it is sharp."),
                    _("Hold the camera with both hands, or rest it on something. Stay far enough away to focus."),
                    _("Wipe the lens."),
                ),
            )
        case QualityVerdict.TOO_DARK:
            return (
                _("The photograph is too dark"),
                _("The colours and edges of the spot cannot be seen."),
                (light, _("Stand by a window, with the spot facing it."), fill),
            )
        case QualityVerdict.TOO_BRIGHT:
            return (
                _("The photograph is too bright"),
                _("Parts of it are overexposed, so the colours of the spot are lost."),
                (
                    _("Switch off the flash and avoid direct sunlight."),
                    _("Tilt the camera slightly until no reflection is visible."),
                    _("Tap on the spot so that the camera sets the exposure for it."),
                ),
            )
        case QualityVerdict.TOO_SMALL:
            return (
                _("The photograph is too small"),
                _("There are too few pixels to see the structure of the spot."),
                (
                    _("Send the photograph as the camera took it, not a screenshot or a preview from a message."),
                    fill,
                    _("Use the camera's full size, not its zoom."),
                ),
            )
        case QualityVerdict.NO_LESION:
            return (
                _("No lesion was found in this photograph"),
                _("Nothing in the middle of it stands out from the skin, so there is nothing to analyse."),
                (
                    _("Put the spot in the middle of the picture and move closer."),
                    fill,
                    _("If the spot is there but pale, a dermatologist must look at it: the network cannot see it."),
                ),
            )
        case QualityVerdict.ACCEPTED:
            raise ValueError("An accepted photograph was not refused.")
