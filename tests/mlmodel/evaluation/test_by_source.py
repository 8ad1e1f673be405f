"""Thresholds that meet their targets at every source, and the results of each."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlmodel.evaluation.by_source import figures_of_source
from mlmodel.metrics.calibration_rules import (
    LEAST_OF_A_SOURCE,
    URGENT_SPECIFICITY,
    WATCH_MELANOMA_SENSITIVITY,
    WATCH_SENSITIVITY,
    sets_of_sources,
    tier_thresholds,
)
from mlmodel.metrics.curves import wilson
from mlmodel.metrics.partial_labels import LABELS
from mlmodel.metrics.performance import Answers, auc
from mlmodel.taxonomy import CODES

MEL, NV, BCC, SCC, BENIGN, MALIGNANT = (
    LABELS.index(name) for name in ("mel", "nv", "bcc", "scc", "benign", "malignant")
)
EVEN = np.full(len(CODES), 1 / len(CODES), dtype=np.float32)


def answers(labels: list[int], melanoma: np.ndarray) -> Answers:
    """Return answers that are melanoma or nevus, with these melanoma probabilities."""
    probabilities = np.zeros((len(labels), len(CODES)), dtype=np.float32)
    probabilities[:, MEL] = melanoma
    probabilities[:, NV] = 1 - melanoma
    return Answers(probabilities, probabilities, np.array(labels), np.arange(len(labels)).astype(str))


def a_source(chance: np.random.Generator, *, malignant: int, melanomas: int, benign: int, centre: float) -> Answers:
    labels = [MEL] * melanomas + [BCC] * (malignant - melanomas) + [NV] * benign
    middles = np.repeat([centre, 0.2], [malignant, benign])
    return answers(labels, np.clip(chance.normal(middles, 0.15), 0, 1).astype(np.float32))


@settings(max_examples=40)
@given(
    seed=st.integers(0, 10_000),
    shapes=st.lists(
        st.tuples(st.integers(0, 150), st.integers(0, 100), st.integers(10, 150), st.floats(0.3, 0.9)),
        min_size=1, max_size=4,
    ),
)  # fmt: skip
def test_watch_keeps_its_word_at_every_source_and_no_threshold_above_it_does(seed, shapes):
    chance = np.random.default_rng(seed)
    shapes = [(150, 100, 100, 0.7), *((max(m, k), k, b, c) for m, k, b, c in shapes)]
    sources = {
        str(n): a_source(chance, malignant=m, melanomas=k, benign=b, centre=c) for n, (m, k, b, c) in enumerate(shapes)
    }
    found = tier_thresholds(sources)

    def promises(threshold: float) -> list[bool]:
        kept = []
        for asked, share in (("is_malignant", WATCH_SENSITIVITY), ("is_melanoma", WATCH_MELANOMA_SENSITIVITY)):
            flagged = [each.malignant_probability[getattr(each, asked)] >= threshold for each in sources.values()]
            large = [each for each in flagged if len(each) >= LEAST_OF_A_SOURCE]
            # With 50, even flagging all would not prove nine in ten, so all must be flagged.
            for each in [np.concatenate(flagged), *large]:
                kept.append(each.all() or wilson(int(each.sum()), len(each))[0] >= share)
        return kept

    assert all(promises(found["watch"]))
    assert not all(promises(np.nextafter(np.float32(found["watch"]), np.float32(2))))
    assert found["urgent"] >= found["watch"]
    left_alone = [
        (each.malignant_probability[~each.is_malignant] < found["urgent"]).mean() for each in sources.values()
    ]
    # The level itself is flagged: one lesion, which is a tenth of the smallest source.
    assert np.mean(left_alone) >= URGENT_SPECIFICITY - 0.11


def test_a_small_source_has_no_threshold_of_its_own():
    chance = np.random.default_rng(1)
    large = a_source(chance, malignant=400, melanomas=300, benign=200, centre=0.8)
    small = answers([MEL] * 5 + [NV] * 20, np.full(25, 0.01, dtype=np.float32))
    with_it, without = tier_thresholds({"a": large, "b": small}), tier_thresholds({"a": large})
    # Its five melanomas are missed; together with the others the target is still met, with a slightly lower threshold.
    assert 0.01 < with_it["watch"] <= without["watch"]


def test_figures_of_partial_labels_are_of_what_they_say():
    chance = np.random.default_rng(2)
    labels = [MEL] * 40 + [BENIGN] * 60
    melanoma = np.concatenate([chance.uniform(0.3, 1, 40), chance.uniform(0, 0.7, 60)]).astype(np.float32)
    found = figures_of_source(
        answers(labels, melanoma), thresholds={"urgent": 0.6, "watch": 0.2}, set_thresholds=EVEN, class_mix=EVEN
    )
    assert (found["lesions"], found["malignant"], found["melanomas"]) == (100, 40, 40)
    figures = found["figures"]
    assert figures["melanoma_auc"].value == pytest.approx(auc(melanoma, np.arange(100) < 40))
    assert figures["melanoma_auc"].low < figures["melanoma_auc"].value < figures["melanoma_auc"].high
    assert figures["watch.specificity"].value == pytest.approx((melanoma[40:] < 0.2).mean())
    # There is no balanced accuracy with one exact class; calibration is for melanoma against benign.
    assert figures["balanced_accuracy"] is None
    assert 0 < figures["calibration_error"].value < 0.5


def test_what_may_be_a_melanoma_counts_neither_for_nor_against():
    labels = [MEL] * 20 + [NV] * 20 + [MALIGNANT] * 20 + [SCC] * 20
    melanoma = np.repeat([0.9, 0.1, 0.5, 0.5], 20).astype(np.float32)
    found = figures_of_source(
        answers(labels, melanoma), thresholds={"watch": 0.2}, set_thresholds=EVEN, class_mix=EVEN
    )
    assert (found["malignant"], found["melanomas"]) == (60, 20)
    # Squamous cell carcinoma is malignant but not a melanoma.
    assert found["figures"]["melanoma_auc"].value == 1
    assert found["figures"]["watch.sensitivity"].value == 1
    assert found["figures"]["balanced_accuracy"].value == 1
    assert found["behind"] == {
        "melanoma_auc": 60, "malignant_auc": 80, "balanced_accuracy": 40, "calibration_error": 40, "set_coverage": 40,
        "watch.sensitivity": 60, "watch.melanoma_sensitivity": 20, "watch.specificity": 20,
    }  # fmt: skip
    assert found["behind"].keys() == found["figures"].keys()


def test_sets_are_lowered_where_a_source_with_enough_lesions_needs_it():
    strict = np.full(len(CODES), 0.6, dtype=np.float32)
    many = answers([MEL] * 60 + [NV] * 10, np.array([0.3] * 60 + [0.9] * 10, dtype=np.float32))
    lowered = sets_of_sources(strict, [many])
    assert lowered[MEL] == pytest.approx(0.3)
    # Ten nevi are too few to count, and thresholds that are low enough stay.
    assert lowered[NV] == pytest.approx(0.6)
    assert sets_of_sources(np.full(len(CODES), 0.1, dtype=np.float32), [many])[MEL] == pytest.approx(0.1)
