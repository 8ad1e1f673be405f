"""All facts of the report and the model card, calculated once and ready for JSON."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from mlmodel.evaluation.answering import Answered, EvaluatedNetwork
from mlmodel.evaluation.estimates import Figures, confusion, counts_behind, estimate_all, measure
from mlmodel.evaluation.mistakes import tier_of, worst_mistakes
from mlmodel.evaluation.subgroups import subgroups_of
from mlmodel.evaluation.test_sets import OUTSIDE
from mlmodel.metrics import performance
from mlmodel.metrics.curves import curves_of, reliability
from mlmodel.metrics.performance import Answers
from mlmodel.network.calibration import by_code, in_set
from mlmodel.taxonomy import CODES

FORMAT = 1
PICTURES = 12


def evaluation_facts(
    *,
    network: EvaluatedNetwork,
    sets: Sequence[Answered],
    by_source: Mapping[str, Any] | None = None,
    released_by_source: Mapping[str, Any] | None = None,
    training: dict[str, Any] | None = None,
    robustness: dict[str, Any] | None = None,
    latency: dict[str, Any] | None = None,
    pictures: int = PICTURES,
) -> dict[str, Any]:
    """Return every fact of the report, ready for JSON.

    Args:
        network: the evaluated network.
        sets: its answers; the headline is about the first set.
        by_source: the result of ``by_source.as_facts`` for this evaluation.
        released_by_source: the same from the release's manifest, for a report without ``by_source``.
        training: the result of ``training_curves.training_of``.
        robustness: the result of ``robustness.robustness_of``.
        latency: the result of ``latency.latency_of``.
        pictures: how many of the worst mistakes of each kind to show; 0 for photographs that must not be shown.
    """
    return {
        "format": FORMAT,
        "made_at": datetime.now(UTC).replace(microsecond=0).isoformat(),
        "network": {
            **network.identity,
            "temperature": round(network.calibration.temperature, 6),
            "set_thresholds": _rounded(by_code(network.calibration.set_thresholds)),
            "thresholds": _rounded(network.thresholds),
            "class_mix": _rounded(by_code(network.calibration.class_mix)),
        },
        "sets": [set_facts(answered, network, pictures=pictures) for answered in sets],
        "by_source": by_source or released_by_source or {},
        "by_source_from_release": not by_source,
        "training": training,
        "robustness": robustness,
        "latency": latency,
    }


def _rounded(values: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, 6) for name, value in values.items()}


def set_facts(answered: Answered, network: EvaluatedNetwork, *, pictures: int = PICTURES) -> dict[str, Any]:
    """Return the facts of one set."""
    network = network.for_kind_of(answered)
    photographs, inside = answered.photographs, answered.is_inside
    answers = answered.answers.take(inside)
    return {
        "name": photographs.name,
        "description": photographs.description,
        "credit": photographs.credit,
        "notes": list(photographs.notes),
        "unreadable": list(answered.unreadable),
        "refusals": answered.refusals,
        "photographs": len(answers.labels),
        "lesions": len(np.unique(answers.lesions)),
        "classes": _classes(answers),
        "outside": _outside(answered, network),
        "subsets": {name: subset_facts(each, network) for name, each in _subsets(answered, answers).items()},
        "subgroups": subgroups_of(answered, watch=network.thresholds["watch"]),
        "mistakes": worst_mistakes(answered, thresholds=network.thresholds, count=pictures),
    }


def subset_facts(answers: Answers, network: EvaluatedNetwork) -> dict[str, Any]:
    """Return all metrics and curves of one subset: by lesion, by photograph, or sharp photographs only."""

    def figures(each: Answers) -> Figures:
        return measure(each, thresholds=network.thresholds, set_thresholds=network.calibration.set_thresholds)

    sizes = np.bincount(
        in_set(answers.scores, network.calibration.set_thresholds).sum(axis=1), minlength=len(CODES) + 1
    )
    return {
        "count": len(answers.labels),
        "malignant": int(answers.is_malignant.sum()),
        "support": {code: int((answers.labels == index).sum()) for index, code in enumerate(CODES)},
        "figures": estimate_all(figures, answers, counts=counts_behind(answers, network.thresholds)),
        "confusion": {
            "calibrated": confusion(answers.probabilities.argmax(axis=1), answers.labels).tolist(),
            "equal_prior": confusion(answers.scores.argmax(axis=1), answers.labels).tolist(),
        },
        "curves": {
            "malignant": curves_of(answers, answers.malignant_probability, answers.is_malignant),
            **{
                code: curves_of(answers, answers.probabilities[:, index], answers.labels == index)
                for index, code in enumerate(CODES)
            },
        },
        "reliability": reliability(answers),
        "set_sizes": sizes[1:].tolist(),
    }


def _subsets(answered: Answered, answers: Answers) -> dict[str, Answers]:
    subsets = {"lesions": performance.by_lesion(answers), "photographs": answers}
    sources = answered.photographs.traits.get("source")
    if sources is not None and (is_sharp := sources[answered.is_inside] == "sharp").any():
        sharp = answers.take(is_sharp)
        by_lesion = performance.by_lesion(sharp)
        subsets["sharp"] = sharp
        # Where nearly every lesion has only one sharp photograph, as in HAM10000, both subsets give the same results.
        if len(by_lesion.labels) < 0.95 * len(sharp.labels):
            subsets["sharp_lesions"] = by_lesion
    return subsets


def _classes(answers: Answers) -> dict[str, dict[str, int]]:
    return {
        code: {
            "photographs": int((answers.labels == index).sum()),
            "lesions": len(np.unique(answers.lesions[answers.labels == index])),
        }
        for index, code in enumerate(CODES)
    }


def _outside(answered: Answered, network: EvaluatedNetwork) -> list[dict[str, Any]]:
    """Return the tiers of photographs whose diagnosis is none of the seven classes, by diagnosis."""
    rows = answered.photographs.labels == OUTSIDE
    diagnoses, mass = answered.photographs.diagnoses[rows], answered.answers.malignant_probability[rows]
    tiers_by_diagnosis = []
    for diagnosis in np.unique(diagnoses):
        tiers = [tier_of(float(each), network.thresholds) for each in mass[diagnoses == diagnosis]]
        counts = {tier: tiers.count(tier) for tier in ("urgent", "watch", "calm")}
        tiers_by_diagnosis.append({"diagnosis": str(diagnosis), "photographs": len(tiers), "tiers": counts})
    return tiers_by_diagnosis
