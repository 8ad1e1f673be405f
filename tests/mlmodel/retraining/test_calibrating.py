"""A new head's thresholds: its sensitivity must not be lower than that of the network it replaces."""

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mlmodel.metrics.performance import sensitivity_at
from mlmodel.network.head import Head
from mlmodel.network.tiers import OperatingPoint
from mlmodel.retraining import Cases
from mlmodel.retraining.candidate_calibration import calibrated
from mlmodel.taxonomy import CODES

EVEN = np.full(7, 1 / 7, dtype=np.float32)


def head_of(chance: np.random.Generator, skill: float) -> Head:
    """A head that reads the seven features as the classes, as well as ``skill`` lets it."""
    output = np.eye(7, dtype=np.float32) * skill + chance.normal(0, 1, (7, 7)).astype(np.float32)
    zeros = np.zeros(7, dtype=np.float32)
    return Head(np.eye(7, dtype=np.float32), zeros, output, zeros)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), cautious=st.floats(0.001, 0.5))
def test_a_candidate_flags_what_the_network_before_it_flags_of_melanomas_and_of_all_that_is_malignant(seed, cautious):
    chance = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(CODES)), 30)
    features = np.abs(np.eye(7)[labels] * 2 + chance.normal(0, 1, (len(labels), 7))).astype(np.float16)
    cases = Cases(features, labels, np.arange(len(labels)).astype(str))
    before = calibrated(head_of(chance, 2), class_mix=EVEN, cases=cases)
    # Lower than these cases alone ask for, as a release's is that was set at other clinics too.
    point = OperatingPoint(cautious * before.operating_points.watch.threshold, 0, 0, 0)
    before = replace(before, operating_points=replace(before.operating_points, watch=point))

    candidate = calibrated(head_of(chance, 3), class_mix=EVEN, cases=cases, before=before)

    for melanoma_only in (False, True):
        old, new = (
            sensitivity_at(each.operating_points.watch.threshold, melanoma_only=melanoma_only)(
                each.answers_by_lesion(cases)
            )
            for each in (before, candidate)
        )
        assert new >= old
    alone = calibrated(candidate.head, class_mix=EVEN, cases=cases)
    assert candidate.operating_points.watch.threshold <= alone.operating_points.watch.threshold
    assert candidate.operating_points.urgent.threshold >= candidate.operating_points.watch.threshold
