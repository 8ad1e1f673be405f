"""From a photograph to the measures that are kept with it: outline, whether it is trusted, ABCD.

None of it is read by the network that assesses the photograph, and none of it changes what that network says.
"""

from dataclasses import asdict, dataclass
from typing import Any

from mlmodel.pictures.picture import Picture
from mlmodel.segmentation.abcd import Abcd, measure
from mlmodel.segmentation.outlines import evenly_spaced
from mlmodel.segmentation.segmenter import Segmentation, get_segmenter

# Enough for an outline that looks smooth at any size, and small enough to be kept with every photograph.
_KEPT_POINTS = 120


@dataclass(frozen=True)
class Measured:
    """What was measured on one photograph.

    Attributes:
        segmentation: the outline, and whether it is trusted.
        abcd: None where it is not.
        segmenter_sha256: the hash of the network that drew the outline.
    """

    segmentation: Segmentation
    abcd: Abcd | None
    segmenter_sha256: str

    def as_values(self) -> dict[str, Any]:
        """Return everything as JSON can hold it, figures rounded to four digits.

        ``outline`` is in fractions of the centre square, x and y, 120 points at equal distances. ``asymmetry``,
        ``border``, ``colours``, ``hair`` and ``diameter`` are as in ``abcd.Abcd``, or null.
        """
        found = self.segmentation
        kept = None if found.outline is None else evenly_spaced(found.outline, _KEPT_POINTS).tolist()
        measures: dict[str, Any] = dict.fromkeys(("asymmetry", "border", "colours", "hair", "diameter"))
        if self.abcd is not None:
            measures = asdict(self.abcd)
        return {
            "outline": _rounded(kept),
            "area": _rounded(found.area),
            "certainty": _rounded(found.certainty),
            "is_cut": found.is_cut,
            "doubt": None if found.doubt is None else str(found.doubt),
            **{name: _rounded(value) for name, value in measures.items()},
        }


def measure_picture(picture: Picture, *, found: Segmentation | None = None) -> Measured:
    """Outline the lesion in a photograph and measure it, if the outline is trusted.

    Args:
        found: the shipped segmenter's outline, where the analysis has drawn it already.

    Raises:
        ReleaseError: the shipped segmenter is missing or was altered.
    """
    segmenter = get_segmenter()
    found = found or segmenter.segment(picture.pixels)
    abcd = None
    if found.doubt is None and found.outline is not None:
        abcd = measure(picture.square, found.outline, is_cut=found.is_cut)
    return Measured(segmentation=found, abcd=abcd, segmenter_sha256=segmenter.sha256)


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, dict):
        return {str(key): _rounded(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(each) for each in value]
    return value
