"""Collections of photographs: their titles, credits and licences."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

HAM10000 = "HAM10000"


@dataclass(frozen=True)
class Source:
    """A collection of dermatoscopic photographs.

    Attributes:
        title: the displayed name.
        place: where the photographs were taken.
        credit: the publication to cite.
        licence: the licence.
        link: the address of the publication.
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
_SOURCES = {
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
    """Return the collection with this name in manifests; for an unknown one, a source with only the title."""
    return _SOURCES.get(name) or Source(title=name)


def sources_trained_on(settings: Mapping[str, Any]) -> list[Source]:
    """Return the collections on which a release was trained, from its settings; HAM10000 if none are listed."""
    listed = settings.get("sources", [{"name": HAM10000, "trained": {}}])
    return [source_of(each["name"]) for each in listed if "trained" in each]
