"""The gate's rules, one function each: the measurement, the requirement, and the resulting verdict."""

from collections.abc import Mapping
from dataclasses import asdict
from math import ceil, sqrt

from mlmodel.retraining.reason_texts import OF_A_CLASS
from mlmodel.retraining.verdicts import Change, Comparison, GateRules, Reason, Verdict

# Sensitivity and specificity of a network's tiers, by tier and name.
Costs = Mapping[str, Mapping[str, float]]


def base_reasons(base: Comparison, rules: GateRules) -> list[Reason]:
    """Return the reasons from the base held-out test set."""
    reasons = [_base_accuracy(base, rules), _calibration(base, rules), *_recalls(base, rules)]
    if base.melanoma_sensitivity is not None:
        reasons.append(_melanoma("base", base.melanoma_sensitivity, base, rules))
    return reasons


def clinic_reasons(clinic: Comparison | None, rules: GateRules) -> list[Reason]:
    """Return the reasons from the clinic's held-out test set, including that it is too small."""
    shortage = _shortage(clinic, rules)
    if shortage is not None:
        return [shortage]
    assert clinic is not None
    assert clinic.balanced_accuracy is not None, "a class counts in it"
    reasons = [_clinic_accuracy(clinic.balanced_accuracy, clinic, rules)]
    melanomas = clinic.lesions["mel"]
    if clinic.melanoma_sensitivity is not None and melanomas >= rules.clinic_lesions_of_a_class:
        # Few clinics ever have enough melanomas to prove a bound of 0.02, so only a proven deterioration counts.
        change = clinic.melanoma_sensitivity
        if change.high < 0:
            reasons.append(_melanoma("clinic", change, clinic, rules))
    return reasons


def cost_reasons(before: Costs, now: Costs, rules: GateRules) -> list[Reason]:
    """Return a reason if the specificity of *watch* on the base test set is much lower, or else nothing."""
    old, new = (costs["watch"].get("specificity") for costs in (before, now))
    if old is None or new is None or new - old >= rules.watch_specificity:
        return []
    figures = {"active": old, "candidate": new, "limit": rules.watch_specificity}
    return [Reason("base-watch-specificity", Verdict.HOLD, figures)]


def labels_needed(clinic: Comparison | None, rules: GateRules) -> int | None:
    """Return about how many more lesions in the clinic's held-out test set would settle the verdict, or None.

    The interval narrows with the square root of the number. If there is no gain yet, the number is the one that would
    prove a worthwhile gain.
    """
    if clinic is None or clinic.balanced_accuracy is None or _shortage(clinic, rules) is not None:
        count = clinic.lesion_count if clinic else 0
        return max(rules.clinic_lesions - count, _missing_of_classes(clinic, rules), 1)
    change = clinic.balanced_accuracy
    if change.low > rules.clinic_change:
        return None
    gain = change.change - rules.clinic_change
    target_change = gain if gain > 0 else rules.worthwhile_change
    # If hardly any lesion changed its class, the interval is narrower than for a change of the target size.
    reach = max(change.change - change.low, 1.96 * sqrt(target_change / clinic.lesion_count))
    return max(1, ceil(clinic.lesion_count * ((reach / target_change) ** 2 - 1)))


def _base_accuracy(base: Comparison, rules: GateRules) -> Reason:
    change = base.balanced_accuracy
    assert change is not None, "every class present counts in the base test set"
    return Reason(
        "base-balanced-accuracy",
        _weight(change, is_met=change.low > rules.base_change),
        {**asdict(change), "limit": rules.base_change},
    )


def _clinic_accuracy(change: Change, clinic: Comparison, rules: GateRules) -> Reason:
    return Reason(
        "clinic-balanced-accuracy",
        _weight(change, is_met=change.low > rules.clinic_change),
        {**asdict(change), "limit": rules.clinic_change, "lesions": clinic.lesion_count},
    )


def _melanoma(where: str, change: Change, of: Comparison, rules: GateRules) -> Reason:
    return Reason(
        f"{where}-melanoma-sensitivity",
        _weight(change, is_met=change.low >= rules.melanoma_change),
        {**asdict(change), "limit": rules.melanoma_change, "lesions": of.lesions["mel"]},
    )


def _calibration(base: Comparison, rules: GateRules) -> Reason:
    error, limit = base.calibration_error, rules.calibration_error
    is_met = error.candidate <= limit
    return Reason(
        "base-calibration-error",
        Verdict.PROMOTE if is_met else Verdict.REJECT if error.low > 0 else Verdict.HOLD,
        {**asdict(error), "limit": limit},
    )


def _recalls(base: Comparison, rules: GateRules) -> list[Reason]:
    """Return one reason for each class whose recall fell below its floor, or a single one if there is none."""
    failures = []
    for code, floor in rules.recall_floors.items():
        change = base.recall.get(code)
        if change is None or change.candidate >= floor or change.change >= 0:
            continue
        failures.append(
            Reason(
                f"{OF_A_CLASS}{code}",
                Verdict.REJECT if change.high < 0 else Verdict.HOLD,
                {**asdict(change), "floor": floor, "lesions": base.lesions[code]},
            )
        )
    none = Reason(
        "recall-floors",
        Verdict.PROMOTE,
        {code: {"recall": base.recall[code].candidate, "floor": floor}
         for code, floor in rules.recall_floors.items() if code in base.recall},
    )  # fmt: skip
    return failures or [none]


def _shortage(clinic: Comparison | None, rules: GateRules) -> Reason | None:
    """Return the reason that the clinic's test set is too small, or None."""
    count = clinic.lesion_count if clinic else 0
    if clinic is None or count < rules.clinic_lesions:
        figures = {"lesions": count, "needed": rules.clinic_lesions}
        return Reason("clinic-too-few-lesions", Verdict.HOLD, figures)
    classes, needed = _classes_with_enough(clinic, rules), max(rules.clinic_classes, 1)
    if classes < needed:
        figures = {"classes": classes, "needed": needed, "least": rules.clinic_lesions_of_a_class}
        return Reason("clinic-too-few-classes", Verdict.HOLD, figures)
    return None


def _classes_with_enough(clinic: Comparison, rules: GateRules) -> int:
    return sum(count >= rules.clinic_lesions_of_a_class for count in clinic.lesions.values())


def _missing_of_classes(clinic: Comparison | None, rules: GateRules) -> int:
    most = sorted(clinic.lesions.values() if clinic else [0] * rules.clinic_classes, reverse=True)
    return sum(max(rules.clinic_lesions_of_a_class - count, 0) for count in most[: rules.clinic_classes])


def _weight(change: Change, *, is_met: bool) -> Verdict:
    if is_met:
        return Verdict.PROMOTE
    return Verdict.REJECT if change.high < 0 else Verdict.HOLD
