"""The gate: whether a candidate may replace the active network (PROMOTE, HOLD or REJECT), with all reasons."""

from mlmodel.metrics.performance import Answers
from mlmodel.retraining.base_set import BaseSet, Cases
from mlmodel.retraining.base_set_levels import levels_of
from mlmodel.retraining.candidate_network import Network
from mlmodel.retraining.comparison import compare, costs_of
from mlmodel.retraining.gate_reasons import base_reasons, clinic_reasons, cost_reasons, labels_needed
from mlmodel.retraining.verdicts import GateRules, Judgement, Verdict

_SEVERITY = {Verdict.PROMOTE: 0, Verdict.HOLD: 1, Verdict.REJECT: 2}


def judge_candidate(
    *,
    active: Network,
    candidate: Network,
    base: BaseSet,
    clinic: Cases | None,
    rules: GateRules,
    seed: int,
) -> Judgement:
    """Return the judgement of a candidate against the active network, on the base's and the clinic's held-out test
    sets.

    Every rule gives a reason with its own weight, and the most severe one decides: PROMOTE means that all rules are
        met,
    HOLD that one is not met but the opposite is not shown either, and REJECT that something was shown to be worse.

    Args:
        active: the active network.
        candidate: as it would be served.
        base: the base set of the release.
        clinic: the clinic's held-out test set, never used for training; None if there is none yet.
        rules: the limits.
        seed: the random seed; the same seed gives the same judgement.
    """
    own = compare(active=active, candidate=candidate, cases=base.locked, rules=rules, least_of_a_class=1, seed=seed)
    reasons = base_reasons(own, rules)
    theirs = None
    turned_wrong: tuple[int, ...] = ()
    if clinic is not None and len(clinic):
        theirs = compare(
            active=active,
            candidate=candidate,
            cases=clinic,
            rules=rules,
            least_of_a_class=rules.clinic_lesions_of_a_class,
            seed=seed + 1,
        )
        turned_wrong = _turned_wrong(active.answers(clinic), candidate.answers(clinic))
    reasons += clinic_reasons(theirs, rules)
    costs = costs_of(candidate, base.sharp_locked)
    reasons += cost_reasons(costs_of(active, base.sharp_locked), costs, rules)
    reasons.sort(key=lambda reason: -_SEVERITY[reason.weight])
    verdict = reasons[0].weight
    return Judgement(
        verdict=verdict,
        reasons=tuple(reasons),
        base=own,
        clinic=theirs,
        labels_needed=labels_needed(theirs, rules) if verdict is Verdict.HOLD else None,
        turned_wrong=turned_wrong,
        operating_points=costs,
        threshold_levels=levels.as_settings() if (levels := levels_of(candidate, base)) else {},
    )


def _turned_wrong(before: Answers, now: Answers) -> tuple[int, ...]:
    """Return the indices of photographs that were classified correctly by equal-prior score and no longer are."""
    was_right = before.scores.argmax(axis=1) == before.labels
    is_right = now.scores.argmax(axis=1) == before.labels
    return tuple((was_right & ~is_right).nonzero()[0].tolist())
