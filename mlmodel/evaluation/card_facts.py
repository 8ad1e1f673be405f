"""The facts of the model card, taken from those of the report."""

from collections.abc import Mapping
from typing import Any

from mlmodel.evaluation.model_card import CardFacts
from mlmodel.metrics.performance import Estimate
from mlmodel.taxonomy import CODES

_METRICS = (
    "balanced_accuracy", "macro_auc", "malignant_auc", "melanoma_specificity", "accuracy", "top2_accuracy",
    "calibration_error", "set_coverage", "set_size",
)  # fmt: skip
_COSTS = ("sensitivity", "melanoma_sensitivity", "specificity")


def card_facts(
    facts: Mapping[str, Any],
    *,
    settings: Mapping[str, Any],
    in_domain: Mapping[str, str],
    by_source: Mapping[str, Any] | None = None,
) -> CardFacts:
    """Return the facts of the card, taken from the first set of ``facts``.

    Args:
        facts: from ``evaluation_facts``, for the held-out test folds; every class must be present.
        settings: the settings in the manifest.
        in_domain: metrics of the in-domain classifier by name.
        by_source: results of ``by_source.figures_of_source`` by source name.
    """
    subsets = facts["sets"][0]["subsets"]
    card_subsets = {name: subsets[name] for name in ("lesions", "photographs", "sharp") if name in subsets}
    # Thresholds are chosen on sharp photographs, so their performance is stated on sharp photographs if there are any.
    points = subsets.get("sharp", subsets["lesions"])["figures"]
    return CardFacts(
        settings=settings,
        estimates={
            name: {metric: _estimate(subset["figures"][metric]) for metric in _METRICS}
            for name, subset in card_subsets.items()
        },
        recalls={
            code: _estimate(subsets["lesions"]["figures"][f"class.{code}.equal_prior_sensitivity"]) for code in CODES
        },
        operating_points={
            tier: {cost: _estimate(points[f"tier.{tier}.{cost}"]) for cost in _COSTS}
            for tier in facts["network"]["thresholds"]
        },
        in_domain=in_domain,
        by_source=by_source or {},
        views=int(facts["network"].get("views", 1)),
    )


def _estimate(found: Mapping[str, float]) -> Estimate:
    return Estimate(**found)
