"""What is said of a photograph's quality: the facts, and for a refused one what was wrong and how to take a better."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

from diagnosis.assessment.photograph_kind import taken_with
from diagnosis.assessment.presentation import Fact
from diagnosis.images.models import QualityVerdict
from diagnosis.images.smartphones import is_smartphone
from mlmodel.network.quality import DARKEST, LARGEST_CLIPPED_SHARE, LOWEST_SHARPNESS


@dataclass(frozen=True)
class RefusalView:
    """What ``templates/assessment/includes/refusal.html`` shows."""

    verdict: str
    title: str
    what_was_wrong: str
    tips: tuple[str, ...]
    facts: tuple[Fact, ...] = ()


def present_refusal(verdict: str, *, facts: tuple[Fact, ...] = ()) -> RefusalView:
    """Say why a photograph was not judged, and what to do."""
    title, what_was_wrong, tips = _words(QualityVerdict(verdict))
    return RefusalView(verdict=str(verdict), title=title, what_was_wrong=what_was_wrong, tips=tips, facts=facts)


def quality_facts(
    *, verdict: str, measures: Mapping[str, float], width: int, height: int, overridden: bool = False
) -> tuple[Fact, ...]:
    """The photograph's quality in four facts; of one without a dermatoscope nothing is called good."""
    size = Fact(_("Size"), f"{width}\u00a0×\u00a0{height}")
    if verdict == QualityVerdict.ACCEPTED and is_smartphone(measures):
        return Fact(_("Photograph"), quality_in_words(verdict, measures)), size
    if verdict == QualityVerdict.ACCEPTED:
        photograph = _("Good")
    elif overridden:
        photograph = _("%(verdict)s, judged by override") % {"verdict": QualityVerdict(verdict).label}
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


def quality_in_words(verdict: str, measures: Mapping[str, float]) -> str:
    """What the photograph's quality is, for reports and lists."""
    if verdict == QualityVerdict.ACCEPTED and is_smartphone(measures):
        return _("Taken without a dermatoscope: not enough to judge")
    return str(QualityVerdict(verdict).label)


def _light(measures: Mapping[str, float]) -> str:
    if measures["brightness"] < DARKEST:
        return _("Too dark")
    if measures.get("clipped", 0.0) > LARGEST_CLIPPED_SHARE:
        return _("Too bright")
    return _("Good")


def _words(verdict: QualityVerdict) -> tuple[str, str, tuple[str, ...]]:
    """Title, what was wrong, and tips, the most useful first."""
    fill = _("Let the spot fill about a third of the picture, with skin all round it.")
    light = _("Use daylight or an even lamp, without flash and without your own shadow.")
    match verdict:
        case QualityVerdict.NOT_SKIN:
            return (
                _("This does not look like a skin lesion"),
                _("The network knows only close-up photographs of a single spot on skin, and this is none."),
                (_("Photograph one spot, straight from above, 10 to 20 cm away."), fill, light),
            )
        case QualityVerdict.BLURRED:
            return (
                _("The photograph is blurred"),
                _("The fine structure of the spot cannot be seen, and it is what the answer hangs on."),
                (
                    _("Tap on the spot so that the camera focuses on it, and wait until it is sharp."),
                    _("Hold the camera with both hands, or rest it on something; go no nearer than it can focus."),
                    _("Wipe the lens."),
                ),
            )
        case QualityVerdict.TOO_DARK:
            return (
                _("The photograph is too dark"),
                _("Colours and edges of the spot are lost in the dark."),
                (light, _("Stand by a window, with the spot turned to it."), fill),
            )
        case QualityVerdict.TOO_BRIGHT:
            return (
                _("The photograph is too bright"),
                _("Parts of it are blown out to white, so colours of the spot are lost."),
                (
                    _("Switch the flash off and keep out of direct sun."),
                    _("Tilt the camera a little until no reflection is seen."),
                    _("Tap on the spot so that the camera sets the light for it."),
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
                _("Nothing in the middle of it stands out from the skin, so there is nothing to judge."),
                (
                    _("Put the spot into the middle of the picture, and go nearer."),
                    fill,
                    _("If the spot is there and only pale, a dermatologist must look: the network cannot see it."),
                ),
            )
        case QualityVerdict.ACCEPTED:
            raise ValueError("An accepted photograph was not refused.")
