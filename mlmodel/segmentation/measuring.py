"""Measures of a photograph that are stored with it: outline, its reliability, and ABCD.

The network that assesses the photograph does not use them, and they do not affect its answer.
"""

from dataclasses import asdict, dataclass
from typing import Any

from mlmodel.pictures.picture import Picture
from mlmodel.segmentation.abcd import Abcd, measure
from mlmodel.segmentation.outlines import evenly_spaced
from mlmodel.segmentation.segmenter import Segmentation, get_segmenter

# Enough points for an outline that looks smooth at any size, and few enough to store with every photograph.
_STORED_POINTS = 120


@dataclass(frozen=True)
class Measured:
    """The measures of one photograph.

    Attributes:
        segmentation: the outline and its reliability.
        abcd: the ABCD measures; None if the outline is not reliable.
        segmenter_sha256: the hash of the network that drew the outline.
    """

    segmentation: Segmentation
    abcd: Abcd | None
    segmenter_sha256: str

    def as_values(self) -> dict[str, Any]:
        """Return JSON-ready values, with numbers rounded to four digits.

        ``outline`` is in fractions of the centre square, x and y, 120 points at equal distances. ``asymmetry``,
        ``border``, ``colours``, ``hair`` and ``diameter`` are as in ``abcd.Abcd``, or null.
        """
        segmentation = self.segmentation
        outline = (
            None
            if segmentation.outline is None
            else [[round(x, 4), round(y, 4)] for x, y in evenly_spaced(segmentation.outline, _STORED_POINTS).tolist()]
        )
        measures: dict[str, Any] = dict.fromkeys(("asymmetry", "border", "colours", "hair", "diameter"))
        if self.abcd is not None:
            measures = asdict(self.abcd)
        return {
            "outline": outline,
            "area": _rounded(segmentation.area),
            "certainty": _rounded(segmentation.certainty),
            "is_cut": segmentation.is_cut,
            "doubt": None if segmentation.doubt is None else str(segmentation.doubt),
            **{name: _rounded(value) for name, value in measures.items()},
        }


def measure_picture(picture: Picture, *, found: Segmentation | None = None) -> Measured:
    """Return the lesion's outline in a photograph and, if it is reliable, its measures.

    Args:
        found: the shipped segmenter's outline, if it is already known.

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
