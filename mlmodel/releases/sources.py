"""The collections that photographs come from: what each is called, who made it, and on what terms."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

HAM10000 = "HAM10000"


@dataclass(frozen=True)
class Source:
    """A collection of dermatoscopic photographs.

    Attributes:
        title: for people.
        place: where the photographs were taken.
        credit: whom to name.
        licence: its terms.
        link: where it is described.
    """

    title: str
    place: str = ""
    credit: str = ""
    licence: str = ""
    link: str = ""


_ISIC_2019 = (
    "Combalia et al., “BCN20000: Dermoscopic lesions in the wild” (2019); Codella et al., “Skin lesion analysis "
    "toward melanoma detection” (ISBI 2018)"
)
_ISIC_2018 = "https://arxiv.org/abs/1710.05006"
_BCN20000 = "https://arxiv.org/abs/1908.02288"
_KNOWN = {
    HAM10000: Source(
        "HAM10000",
        "Vienna and Queensland",
        "Tschandl, Rosendahl, Kittler, “The HAM10000 dataset” (Scientific Data 5:180161, 2018)",
        "CC BY-NC 4.0",
        "https://doi.org/10.1038/sdata.2018.161",
    ),
    "isic2017": Source(
        "ISIC 2017",
        "clinics of the ISIC archive",
        "Codella et al., “Skin lesion analysis toward melanoma detection” (ISBI 2018)",
        "CC0",
        _ISIC_2018,
    ),
    "isic2020": Source(
        "ISIC 2020",
        "New York, Barcelona, Vienna, Sydney, Brisbane and Athens",
        "Rotemberg et al., “A patient-centric dataset” (Scientific Data 8:34, 2021)",
        "CC BY-NC 4.0",
        "https://doi.org/10.34970/2020-ds01",
    ),
    "isic2019-bcn": Source("BCN20000 (84 pixels)", "Barcelona", _ISIC_2019, "CC BY-NC 4.0", _BCN20000),
    "isic2019-msk": Source("ISIC 2019, New York (84 pixels)", "New York", _ISIC_2019, "CC BY-NC 4.0", _ISIC_2018),
}


def source_of(name: str) -> Source:
    """Return what is known of a collection by the name in its manifest; of one's own, the name alone."""
    return _KNOWN.get(name) or Source(title=name)


def sources_trained_on(settings: Mapping[str, Any]) -> list[Source]:
    """Return the collections that a release was trained on, from its settings; HAM10000 where it lists none."""
    listed = settings.get("sources", [{"name": HAM10000, "trained": {}}])
    return [source_of(each["name"]) for each in listed if "trained" in each]
