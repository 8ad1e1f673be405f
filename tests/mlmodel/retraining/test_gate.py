"""The gate promotes what is shown to be better, rejects what is shown to be worse, and holds the rest."""

import json
from dataclasses import replace

import numpy as np
import pytest

from mlmodel.metrics import performance
from mlmodel.retraining import GateRules, Verdict, judge_candidate
from mlmodel.retraining.comparison import compare
from tests.mlmodel.retraining.staged import ACTIVE, CANDIDATE, base_of, cases, rows_of

pytestmark = pytest.mark.slow

ALIKE = rows_of(10, 10)
RULES = GateRules()


def judge(base=ALIKE, clinic=None, *, rules=RULES, **options):
    return judge_candidate(
        active=options.get("active", ACTIVE),
        candidate=options.get("candidate", CANDIDATE),
        base=base_of(cases(base)),
        clinic=None if clinic is None else cases(clinic, name="own"),
        rules=rules,
        seed=5,
    )


def weights(judgement):
    return {reason.code: reason.weight for reason in judgement.reasons}


def test_what_is_better_in_the_clinic_and_no_worse_elsewhere_may_be_promoted():
    judgement = judge(clinic=rows_of(20, 10, of=40))

    assert judgement.verdict is Verdict.PROMOTE
    assert set(weights(judgement).values()) == {Verdict.PROMOTE}
    assert all(reason.told().startswith("MET: ") for reason in judgement.reasons)
    assert judgement.clinic.balanced_accuracy.change == pytest.approx(0.25)
    assert judgement.clinic.balanced_accuracy.low > 0
    assert judgement.labels_needed is None


def test_a_head_that_answers_alike_is_held():
    judgement = judge(clinic=rows_of(10, 10, of=40))

    assert judgement.verdict is Verdict.HOLD
    assert weights(judgement)["clinic-balanced-accuracy"] is Verdict.HOLD
    assert judgement.base.balanced_accuracy.change == 0
    assert judgement.labels_needed > 0


def test_what_is_worse_on_the_base_test_is_rejected_however_good_it_is_in_the_clinic():
    judgement = judge(base=rows_of(10, 16), clinic=rows_of(20, 0, of=40))

    assert judgement.verdict is Verdict.REJECT
    assert weights(judgement)["base-balanced-accuracy"] is Verdict.REJECT
    assert judgement.reasons[0].weight is Verdict.REJECT
    assert "0.900 before, 0.840 now, a change of −0.060" in str(judgement.reasons[0].text)


def test_what_is_worse_in_the_clinic_is_rejected():
    judgement = judge(clinic=rows_of(10, 20, of=40))

    assert weights(judgement)["clinic-balanced-accuracy"] is Verdict.REJECT
    assert judgement.verdict is Verdict.REJECT


def test_a_gain_in_the_clinic_that_chance_explains_is_held_and_says_how_many_more_labels_would_show_it():
    # One lesion in forty of each class is put right, and one other put wrong in three classes.
    rows = rows_of(10, 9, of=40)
    for index in (39, 79, 119, 159):
        truth, old, _ = rows[index]
        rows[index] = (truth, old, "nv")
    judgement = judge(clinic=rows)
    change = judgement.clinic.balanced_accuracy

    assert change.low < 0 < change.change
    assert judgement.verdict is Verdict.HOLD
    assert judgement.labels_needed > 280
    more = judge(clinic=rows * (1 + judgement.labels_needed // len(rows) + 1))
    assert more.clinic.balanced_accuracy.low > 0


@pytest.mark.parametrize(("missed", "expected"), [(0, Verdict.PROMOTE), (2, Verdict.HOLD), (20, Verdict.REJECT)])
def test_melanomas_that_are_no_longer_found_stop_it(missed, expected):
    rows = rows_of(10, 10)
    melanomas = [index for index, row in enumerate(rows) if row[0] == "mel" and row[1] == "mel"]
    for index in melanomas[:missed]:
        rows[index] = ("mel", "mel", "bkl")
    # Put right elsewhere, so that balanced accuracy does not fall.
    rows = [(row[0], row[1], row[0]) if row[0] in {"df", "vasc"} else row for row in rows]

    judgement = judge(base=rows, clinic=rows_of(20, 10, of=40), rules=replace(RULES, calibration_error=1.0))

    assert weights(judgement)["base-melanoma-sensitivity"] is expected
    assert judgement.verdict is expected
    assert judgement.base.melanoma_sensitivity.change == pytest.approx(-missed / 100)


def test_a_melanoma_called_another_malignant_class_is_found_all_the_same():
    rows = [(row[0], row[1], "bcc") if row[0] == "mel" else row for row in rows_of(10, 10)]

    judgement = judge(base=rows)

    assert judgement.base.melanoma_sensitivity.candidate == 1.0
    assert judgement.base.recall["mel"].candidate == 0.0


def test_a_class_below_its_floor_stops_it_by_name_even_if_the_others_make_up_for_it():
    rows = [(row[0], row[1], "nv" if row[0] == "df" else row[0]) for row in rows_of(10, 10)]

    judgement = judge(base=rows, clinic=rows_of(20, 10, of=40), rules=replace(RULES, base_change=-1.0))
    reason = next(reason for reason in judgement.reasons if reason.code == "recall-df")

    assert reason.weight is Verdict.REJECT
    assert "Dermatofibroma" in str(reason.text)
    assert "floor of 0.50" in str(reason.text)


def test_a_class_that_was_below_its_floor_before_and_has_not_fallen_does_not_stop_it():
    rows = [(row[0], "nv", "nv") if row[0] == "df" else row for row in rows_of(10, 10)]

    assert "recall-df" not in weights(judge(base=rows))


def test_a_candidate_that_is_too_sure_of_itself_is_not_promoted():
    calibration = replace(CANDIDATE.calibration, temperature=0.3)

    judgement = judge(clinic=rows_of(20, 10, of=40), candidate=replace(CANDIDATE, calibration=calibration))

    assert judgement.base.calibration_error.candidate > 0.09
    assert weights(judgement)["base-calibration-error"] is Verdict.REJECT
    assert judgement.verdict is Verdict.REJECT


@pytest.mark.parametrize(("clinic", "count", "needed"), [(None, 0, 50), (rows_of(0, 0, of=6)[:12], 12, 38)])
def test_a_clinic_with_too_few_lesions_is_held_with_the_number_it_lacks(clinic, count, needed):
    judgement = judge(clinic=clinic)

    assert judgement.verdict is Verdict.HOLD
    assert weights(judgement)["clinic-too-few-lesions"] is Verdict.HOLD
    assert judgement.reasons[0].figures == {"lesions": count, "needed": 50}
    assert judgement.labels_needed == needed


def test_a_clinic_whose_reviewer_names_one_class_alone_is_held():
    judgement = judge(clinic=rows_of(50, 0, codes=["nv"]))

    assert judgement.verdict is Verdict.HOLD
    assert judgement.reasons[0].code == "clinic-too-few-classes"
    assert judgement.reasons[0].figures == {"classes": 1, "needed": 2, "least": 5}
    assert judgement.labels_needed == 5


def test_photographs_that_turned_wrong_are_named_by_row():
    judgement = judge(clinic=[("nv", "nv", "bkl"), ("mel", "nv", "mel"), ("mel", "nv", "nv"), ("df", "df", "mel")])

    assert judgement.turned_wrong == (0, 3)


def test_a_hundred_photographs_of_one_lesion_count_once():
    once = cases(rows_of(10, 0, of=40), name="own")
    copies = np.concatenate([np.arange(len(once)), np.zeros(100, dtype=np.int64)])

    found, repeated = (
        compare(active=ACTIVE, candidate=CANDIDATE, cases=each, rules=RULES, least_of_a_class=5, seed=1)
        for each in (once, once.take(copies))
    )

    assert repeated.lesions == found.lesions
    assert repeated.balanced_accuracy == found.balanced_accuracy
    assert repeated.photographs == found.photographs + 100


def test_the_interval_is_that_of_paired_differences():
    # Both are wrong on a third, the same third but for one lesion in ten: unpaired, the interval would be far wider.
    rows = rows_of(36, 36, of=120)
    rows = [
        (truth, old, truth) if old != truth and number % 12 == 0 else (truth, old, new)
        for number, (truth, old, new) in enumerate(rows)
    ]
    comparison = compare(
        active=ACTIVE, candidate=CANDIDATE, cases=cases(rows), rules=RULES, least_of_a_class=1, seed=1
    )
    change = comparison.balanced_accuracy
    assert change is not None
    share = np.array(
        [[new == truth and old != truth for truth, old, new in rows[n : n + 120]] for n in range(0, 840, 120)]
    )
    spread = np.sqrt((share.var(axis=1) / 120).sum()) / 7

    assert change.change == pytest.approx(share.mean(), abs=1e-6)
    assert change.high - change.low == pytest.approx(2 * 1.96 * spread, rel=0.1)


def test_the_figures_are_those_of_the_evaluation(base, active):
    few = base.locked.take(np.arange(400))
    comparison = compare(active=active, candidate=active, cases=few, rules=RULES, least_of_a_class=1, seed=0)
    answers = performance.by_lesion(active.answers(few))
    threshold = active.operating_points.watch.threshold
    assert comparison.balanced_accuracy is not None
    assert comparison.melanoma_sensitivity is not None

    assert comparison.balanced_accuracy.candidate == pytest.approx(performance.balanced_accuracy(answers), abs=1e-5)
    assert comparison.calibration_error.active == pytest.approx(
        performance.expected_calibration_error(answers), abs=1e-5
    )
    found = performance.sensitivity_at(threshold, melanoma_only=True)(answers)
    assert comparison.melanoma_sensitivity.active == pytest.approx(found, abs=1e-5)


def test_the_same_seed_gives_the_same_judgement_and_it_can_be_kept_as_json():
    first, second = (judge(clinic=rows_of(12, 10, of=40)) for _ in range(2))

    assert first == second
    kept = json.loads(json.dumps(first.as_dict()))
    assert kept["verdict"] == first.verdict.value
    assert kept["reasons"][0]["words"]
    assert kept["clinic"]["balanced_accuracy"]["change"] == first.clinic.balanced_accuracy.change


def test_a_candidate_that_finds_as_much_by_flagging_nearly_everything_is_held():
    low = replace(CANDIDATE.operating_points.watch, threshold=0.01)
    cautious = replace(CANDIDATE, operating_points=replace(CANDIDATE.operating_points, watch=low))
    judgement = judge(candidate=cautious, clinic=rows_of(20, 10, of=40))
    assert judgement.verdict is Verdict.HOLD
    assert weights(judgement)["base-watch-specificity"] is Verdict.HOLD
    rules = GateRules(watch_specificity=-1.0)
    assert judge(candidate=cautious, clinic=rows_of(20, 10, of=40), rules=rules).verdict is Verdict.PROMOTE


@pytest.mark.parametrize("change", [{"recall_floors": {"scc": 0.5}}, {"confidence": 0.2}, {"resamples": 3}])
def test_rules_that_make_no_sense_are_refused(change):
    with pytest.raises(ValueError, match=r"class|resamples"):
        GateRules(**change)
