"""What a threshold finds and flags on each source's photographs, in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from diagnosis.assessment.threshold_costs import in_hundred
from mlmodel.network.threshold_levels import Level
from mlmodel.releases.sources import source_of

_TOO_FEW = "–"


@dataclass(frozen=True)
class OfSource:
    """Shares of one source's lesions, for ``templates/assessment/includes/by_source.html``."""

    source: str
    lesions: int
    found: str
    melanomas: str
    spared: str
    melanoma_auc: str = ""


def by_source(level: Level, results: Mapping[str, Any] | None = None) -> tuple[OfSource, ...]:
    """Return a row for each source that ``level`` was tested on; a dash stands where there are too few lesions.

    Args:
        level: with shares by source, which retrained networks lack.
        results: a release's results by source; adds the area under the curve for melanoma.
    """
    return tuple(
        OfSource(
            source=source_of(name).title,
            lesions=int(shares["lesions"] or 0),
            found=_share(shares["sensitivity"]),
            melanomas=_share(shares["melanoma_sensitivity"]),
            spared=_share(shares["specificity"]),
            melanoma_auc=_area(results[name]["figures"]["melanoma_auc"]) if results else "",
        )
        for name, shares in level.by_source.items()
    )


def _share(share: float | None) -> str:
    return _TOO_FEW if share is None else _("%(count)s of 100") % {"count": in_hundred(share, share)}


def _area(area: Mapping[str, float] | None) -> str:
    return f"{area['value']:.3f} ({area['low']:.3f}–{area['high']:.3f})" if area else _TOO_FEW
