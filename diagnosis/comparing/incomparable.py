"""What makes photographs hard to compare: named to the reader, and reasons to tell no change."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from diagnosis.images.models import Image
from diagnosis.images.reliability import is_smartphone
from diagnosis.measures.facts_differ import facts_differ
from mlmodel.alignment.changes import Doubt
from mlmodel.network.quality import Reliability

# Photographs whose pixels differ by more than this factor of lengths do not show the same detail.
_LARGEST_RESOLUTION_RATIO = 2.0


@dataclass(frozen=True)
class Difference:
    """A sentence for the reader, and the doubt that it casts on every change, if it does."""

    words: str
    doubt: Doubt | None = None


def differences(images: Sequence[Image]) -> list[Difference]:
    """Return how photographs differ other than in what they show: kind, quality, resolution, network version."""
    found = []
    kinds = {is_smartphone(image.measures) for image in images}
    if len(kinds) > 1:
        found.append(
            Difference(
                _("Some were taken with a dermatoscope and some without: size, colour and border look different."),
                Doubt.DIFFERENT_KINDS,
            )
        )
    if facts := facts_differ(images):
        words = _("How they were taken differs, or is not stated for each of them: %(facts)s.")
        found.append(Difference(words % {"facts": ", ".join(facts)}))
    refused = [image for image in images if not image.is_accepted]
    if refused:
        found.append(
            Difference(
                _("A photograph did not pass the quality check: %(verdicts)s.")
                % {"verdicts": ", ".join(sorted({str(image.get_verdict_display()) for image in refused}))},
                Doubt.NOT_ACCEPTED,
            )
        )
    sides = [min(image.width, image.height) for image in images]
    if max(sides) > _LARGEST_RESOLUTION_RATIO * min(sides):
        found.append(
            Difference(
                _("The pictures have %(fewest)d to %(most)d pixels along the short side: fine detail is in some only.")
                % {"fewest": min(sides), "most": max(sides)}
            )
        )
    versions = sorted({shown.model_version.name for image in images if (shown := image.shown_prediction)})
    if len(versions) > 1:
        found.append(
            Difference(
                _("The network’s answers to them are of different versions (%(versions)s), so they are no trend.")
                % {"versions": ", ".join(versions)}
            )
        )
    return found


def is_measured(image: Image) -> bool:
    """Return whether outline and measures can be relied on, as on the result page."""
    return image.reliability is Reliability.CALIBRATED
