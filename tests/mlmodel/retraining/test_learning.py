"""Training on the real base set learns from correct labels, and nothing from wrong ones."""

from dataclasses import replace

import numpy as np
import pytest

from mlmodel.metrics.calibration_rules import lesion_weights
from mlmodel.network.head import Head
from mlmodel.releases.release import load_release
from mlmodel.retraining import Cases, GateRules, Verdict, judge_candidate, train_candidate
from mlmodel.retraining.candidate_training import split_by_lesion
from mlmodel.retraining.fitting import Recipe, epochs_of
from mlmodel.retraining.from_scratch import beside, untaught
from mlmodel.retraining.training_cases import from_one_source, mixed_with_replay
from mlmodel.taxonomy import CODES

pytestmark = pytest.mark.slow

# The real recipe runs for some ten seconds: ``research/retrain_heads.py`` has it.
SHORT = Recipe(epochs=2)
NEVUS = CODES.index("nv")


@pytest.fixture(scope="module")
def small(base):
    """The base set with a part of its replay and calibration, so that an epoch takes a moment."""
    return replace(
        base,
        replay=base.replay.take(np.arange(0, len(base.replay), 12)),
        calibration=base.calibration.take(np.arange(0, len(base.calibration), 3)),
    )


@pytest.fixture(scope="module")
def own(base):
    """Cases as a clinic may send them: of the training folds, under its own names."""
    cases = base.replay.take(np.arange(1, len(base.replay), 16))
    return replace(cases, lesions=np.char.add("clinic-", cases.lesions))


def train(active, base, learned, recipe=SHORT, seed=3):
    told = []
    candidate = train_candidate(
        active=active, base=base, learned=learned, seed=seed, recipe=recipe, progress=lambda *said: told.append(said)
    )
    return candidate, told


def verdict_of(active, candidate, base, clinic):
    return judge_candidate(
        active=active, candidate=candidate, base=base, clinic=clinic, rules=GateRules(), seed=1
    ).verdict


def test_progress_rises_to_one_and_the_same_seed_gives_the_same_candidate(active, small, own):
    first, told = train(active, small, own)
    second, _ = train(active, small, own)

    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)
    assert all(doing for _, doing in told)
    assert all(np.array_equal(vars(first.head)[name], vars(second.head)[name]) for name in vars(first.head))


def test_what_was_learnt_is_kept_in_half_precision_and_unread_features_stay_unread(active, small, own):
    *_, head = epochs_of(
        active.head,
        from_one_source(own, evenness=0.5),
        recipe=SHORT,
        seed=1,
        log_mix=np.log(active.calibration.class_mix),
    )

    unread = ~np.abs(active.head.hidden_weights).any(axis=1)
    assert unread.sum() > 1000
    assert not head.hidden_weights[unread].any()
    assert not np.array_equal(head.hidden_weights, active.head.hidden_weights)
    for values in vars(head).values():
        assert values.dtype == np.float32
        assert np.array_equal(values, values.astype(np.float16).astype(np.float32))


def test_a_class_that_the_head_has_never_seen_is_learnt_from_forty_cases(active, base, small):
    """The output of “vasc” is cut off: no vascular lesion is named. Forty confirmed ones bring it back."""
    index = CODES.index("vasc")
    weights, bias = active.head.output_weights.copy(), active.head.output_bias.copy()
    weights[:, index], bias[index] = 0.0, bias.min() - 3.0
    blind = replace(active, head=replace(active.head, output_weights=weights, output_bias=bias))
    without = replace(small, replay=small.replay.take(small.replay.labels != index))
    vascular = base.replay.take(base.replay.labels == index)
    _, first = np.unique(vascular.lesions, return_index=True)
    forty = vascular.take(first[:40])

    candidate, _ = train(blind, without, forty, Recipe(epochs=3, rate=1e-3, batch=32, pull=0.0))

    def recall(network):
        answers = network.answers_by_lesion(base.locked)
        return (answers.scores[answers.labels == index].argmax(axis=1) == index).mean()

    assert recall(blind) == 0.0
    # With all of the replay it is more: ``research/retrain_heads.py``.
    assert recall(candidate) > 0.4


@pytest.mark.parametrize("what", ["nothing at all", "shuffled labels", "always nevus", "twelve labels", "one lesion"])
def test_what_teaches_nothing_is_never_promoted(active, small, base, own, what):
    test = base.calibration.take(np.arange(0, len(base.calibration), 3))
    if what == "nothing at all":
        own, test = own.take(np.arange(0)), test
    elif what == "shuffled labels":
        own = replace(own, labels=np.random.default_rng(2).permutation(own.labels))
    elif what == "always nevus":
        own = replace(own, labels=np.full(len(own), NEVUS))
        test = replace(test, labels=np.full(len(test), NEVUS))
    elif what == "twelve labels":
        own, test = own.take(np.arange(9)), test.take(np.arange(3))
    elif what == "one lesion":
        own = own.take(np.zeros(100, dtype=np.int64))

    candidate, _ = train(active, small, own)

    assert verdict_of(active, candidate, base, test) is not Verdict.PROMOTE


def test_nothing_to_learn_from_gives_back_the_active_network(active, small, own):
    candidate, told = train(active, small, own.take(np.arange(0)))

    assert candidate is active
    assert told[-1][0] == 1.0


def test_photographs_of_one_lesion_share_its_weight_and_are_never_split():
    cases = Cases(
        np.zeros((130, 4), dtype=np.float16),
        np.zeros(130, dtype=np.int64),
        np.array(["much photographed"] * 60 + [f"lesion-{n // 2}" for n in range(70)]),
    )

    weights = lesion_weights(cases.lesions)
    shares = split_by_lesion(cases, seed=4)

    assert weights[:60].sum() == pytest.approx(weights[60:62].sum()) == pytest.approx(1.0)
    assert not set(shares.trained.lesions) & set(shares.held.lesions)
    assert len(shares.trained) + len(shares.held) == 130


def test_of_few_lesions_none_is_held_back(own):
    few = own.take(np.arange(12))

    shares = split_by_lesion(few, seed=4)

    assert (len(shares.trained), len(shares.held)) == (12, 0)


def test_features_of_another_network_or_of_none_are_refused(active, small):
    labels, lesions = np.zeros(2, dtype=np.int64), np.array(["a", "b"])
    width = small.replay.features.shape[1]

    with pytest.raises(ValueError, match="2048 features"):
        train(active, small, Cases(np.zeros((2, 2048), dtype=np.float16), labels, lesions))
    with pytest.raises(ValueError, match="not finite"):
        train(active, small, Cases(np.full((2, width), np.nan, dtype=np.float16), labels, lesions))


def test_a_head_from_random_weights_learns_the_seven_classes(base, active):
    """Without a good start, the optimiser has to do the work alone."""
    generator = np.random.default_rng(0)
    shipped = Head.load(load_release().head)
    is_read = np.abs(shipped.hidden_weights).sum(axis=1, keepdims=True) > 0
    deviation = np.maximum(base.replay.features.astype(np.float32).std(axis=0), 1e-3)[:, None]
    start = Head(
        (generator.normal(0, 0.03, (len(is_read), 64)) / deviation * is_read).astype(np.float32),
        np.zeros(64, np.float32),
        generator.normal(0, 0.1, (64, 7)).astype(np.float32),
        np.zeros(7, np.float32),
    )
    few = base.replay.take(np.arange(0, len(base.replay), 3))
    recipe = Recipe(epochs=4, rate=2e-3, pull=0.0)

    lessons = from_one_source(few, evenness=0.5)
    *_, head = epochs_of(start, lessons, recipe=recipe, seed=0, log_mix=np.zeros(7, np.float32))

    chosen = head.logits(base.calibration.features.astype(np.float32)).argmax(axis=1)
    labels = base.calibration.labels
    assert np.mean([(chosen[labels == index] == index).mean() for index in range(7)]) > 0.65


def test_each_source_is_drawn_in_its_own_mix_and_the_replay_is_to_be_answered_as_before(active, small, own):
    log_mix = np.log(active.calibration.class_mix)
    without = own.take(own.labels != CODES.index("df"))
    lessons = mixed_with_replay(
        small.replay, without, active=active.head, log_mix=log_mix, evenness=0.5, replay_evenness=1.0, remembered=1.0
    )
    is_new = np.arange(len(lessons.cases)) >= len(small.replay)
    assert lessons.shares.sum() == pytest.approx(1.0)
    assert lessons.shares[is_new].sum() == pytest.approx(len(without) / (len(without) + len(small.replay)))
    mixes = np.exp(lessons.log_mixes)
    assert mixes.sum(axis=1) == pytest.approx(1.0, abs=1e-5)
    assert mixes[0] == pytest.approx(np.full(7, 1 / 7), abs=1e-6)
    assert mixes[-1, CODES.index("df")] == pytest.approx(0.05)
    for label in range(7):
        of_class = lessons.shares[~is_new & (lessons.cases.labels == label)].sum()
        assert of_class == pytest.approx(lessons.shares[~is_new].sum() / 7)
    before = active.head.logits(small.replay.features.astype(np.float32)) - log_mix
    told = lessons.targets[~is_new]
    assert (told.argmax(axis=1) == before.argmax(axis=1)).all()
    assert told.sum(axis=1) == pytest.approx(1.0, abs=1e-5)
    assert (lessons.targets[is_new].argmax(axis=1) == without.labels).all()
    assert lessons.targets[is_new].max(axis=1).min() == 1.0


def test_many_new_cases_are_not_drawn_more_often_than_the_replay(active, small, base):
    lessons = mixed_with_replay(
        small.replay.take(np.arange(50)), base.replay, active=active.head, log_mix=np.zeros(7, np.float32),
        evenness=0.5, replay_evenness=1.0, remembered=0.5,
    )  # fmt: skip
    assert lessons.shares[:50].sum() == pytest.approx(0.5)
    # Half label, half the active head's answer.
    own = lessons.targets[np.arange(50), small.replay.labels[:50]]
    assert own.min() >= 0.5


VASCULAR = CODES.index("vasc")


@pytest.fixture(scope="module")
def unaware(active):
    """The active network with one class taken out of its head: its output is too low to be answered."""
    weights, bias = active.head.output_weights.copy(), active.head.output_bias.copy()
    weights[:, VASCULAR], bias[VASCULAR] = 0.0, -12.0
    return replace(active, head=replace(active.head, output_weights=weights, output_bias=bias))


def recalls(network, cases):
    answers = network.answers_by_lesion(cases)
    said = answers.scores.argmax(axis=1)
    return [float((said[answers.labels == index] == index).mean()) for index in range(len(CODES))]


def test_a_class_that_it_was_never_taught_is_learnt_from_forty_lesions(unaware, base):
    without = replace(base, replay=base.replay.take(base.replay.labels != VASCULAR))
    learned = base.replay.take(base.replay.labels == VASCULAR)
    lesions = np.unique(learned.lesions)[:40]

    candidate, told = train(unaware, without, learned.take(np.isin(learned.lesions, lesions)))

    before, after = recalls(unaware, base.locked), recalls(candidate, base.locked)
    assert before[VASCULAR] == 0.0
    # Of 19 locked lesions; the backbone knows the class, so that most are found.
    assert after[VASCULAR] >= 0.6
    assert np.mean(after) > np.mean(before)
    assert told[-1][0] == 1.0


def test_of_a_class_that_it_was_never_taught_a_few_lesions_begin_nothing_anew(unaware, base):
    without = replace(base, replay=base.replay.take(base.replay.labels != VASCULAR))
    learned = base.replay.take(base.replay.labels == VASCULAR)
    few = learned.take(np.isin(learned.lesions, np.unique(learned.lesions)[:9]))

    assert untaught(without, few).tolist() == []
    assert untaught(without, learned).tolist() == [VASCULAR]
    assert untaught(base, learned).tolist() == []


def test_two_heads_beside_each_other_say_what_both_say(active, unaware, base):
    features = base.locked.features[:50].astype(np.float32)
    both = beside(unaware.head, active.head, share=0.25, untaught=np.array([VASCULAR]))

    old, new, said = (head.logits(features) for head in (unaware.head, active.head, both))

    known = np.arange(len(CODES)) != VASCULAR
    # Weights of both heads are rounded to half precision once more.
    assert said[:, known] == pytest.approx(0.25 * old[:, known] + 0.75 * new[:, known], abs=0.05)
    apart = new[:, VASCULAR] - new[:, known].mean(axis=1)
    assert said[:, VASCULAR] - said[:, known].mean(axis=1) == pytest.approx(apart, abs=0.05)
