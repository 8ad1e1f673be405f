"""Retrained networks for tests: the shipped head with another bias, packaged like a retraining run's."""

from dataclasses import replace
from typing import Any

import numpy as np

from mlmodel.network.analyser import get_analyser
from mlmodel.retraining import network_of, package_head
from mlmodel.taxonomy import CODES
from mlmodel.versions.models import ModelVersion
from mlmodel.versions.promotion import register_candidate
from mlmodel.versions.serving import active_version


def judged(verdict: str) -> dict[str, Any]:
    """Return a gate's judgement with the fields that pages read."""
    change = {"active": 0.79, "candidate": 0.81, "change": 0.02, "low": 0.004, "high": 0.035}
    base = {
        "photographs": 1983,
        "lesions": dict.fromkeys(CODES, 10),
        "balanced_accuracy": change,
        "melanoma_sensitivity": change,
        "calibration_error": change,
        "recall": {"mel": change},
    }
    reason = {"code": "base_change", "weight": verdict, "words": "Balanced accuracy changed by +0.020.", "figures": {}}
    return {"verdict": verdict, "reasons": [reason], "base": base, "clinic": None, "labels_needed": 40}


def candidate(*, verdict: str = "promote", leaning: str = "mel", by: float = 8.0) -> ModelVersion:
    """Register a candidate whose logit for one class is raised by ``by``."""
    shipped = get_analyser()
    network = network_of(shipped.release.settings, shipped.head)
    bias = shipped.head.output_bias.copy()
    bias[CODES.index(leaning)] += np.float32(by)
    network = replace(network, head=replace(shipped.head, output_bias=bias))
    settings = {**shipped.release.settings, "locked_test": {"lesions": {"balanced_accuracy": {"value": 0.81}}}}
    return register_candidate(
        parent=active_version(),
        head=package_head(network, shipped.release.head_file),
        settings=settings,
        card=f"# Model card\n\nLeans towards {leaning}.",
        judgement=judged(verdict),
    )
