"""Each rule of the gate as one function: what was measured, what was asked for, and which verdict that alone gives."""

from collections.abc import Mapping
from dataclasses import asdict
from math import ceil, sqrt

from mlmodel.counted import counted
from mlmodel.retraining.verdicts import Change, Comparison, GateRules, Reason, Verdict
from mlmodel.taxonomy import BY_CODE

# What a network's tiers find and spare, by tier and by name of the share.
Costs = Mapping[str, Mapping[str, float]]


def base_reasons(base: Comparison, rules: GateRules) -> list[Reason]:
    """Return the reasons that the base locked test gives."""
    found = [_base_accuracy(base, rules), _calibration(base, rules), *_recalls(base, rules)]
    if base.melanoma_sensitivity is not None:
        found.append(_melanoma("base", "the base test", base.melanoma_sensitivity, base, rules))
    return found


def clinic_reasons(clinic: Comparison | None, rules: GateRules) -> list[Reason]:
    """Return the reasons that the clinic's locked test gives; that there is too little of it is one."""
    if clinic is None or (lack := _lack(clinic, rules)) or clinic.balanced_accuracy is None:
        count = clinic.lesion_count if clinic else 0
        words = lack if clinic else f"The clinic's test has no lesions yet; {rules.clinic_lesions} are needed."
        return [Reason("clinic-too-few", Verdict.HOLD, words, {"lesions": count, "needed": rules.clinic_lesions})]
    found = [_clinic_accuracy(clinic.balanced_accuracy, clinic, rules)]
    melanomas = clinic.lesions["mel"]
    if clinic.melanoma_sensitivity is not None and melanomas >= rules.clinic_lesions_of_a_class:
        # Few clinics ever hold the melanomas that would prove a bound of 0.02; what is shown to be worse counts.
        change = clinic.melanoma_sensitivity
        if change.high < 0:
            found.append(_melanoma("clinic", "the clinic's test", change, clinic, rules))
    return found


def cost_reasons(before: Costs, now: Costs, rules: GateRules) -> list[Reason]:
    """Return a reason where *watch* leaves far fewer benign lesions of the base test alone; else none."""
    old, new = (costs["watch"].get("specificity") for costs in (before, now))
    if old is None or new is None or new - old >= rules.watch_specificity:
        return []
    words = (
        f"Benign lesions of the base test that are left alone: {old:.3f} before, {new:.3f} now; at most "
        f"{-rules.watch_specificity:.2f} fewer are allowed."
    )
    figures = {"active": old, "candidate": new, "limit": rules.watch_specificity}
    return [Reason("base-watch-specificity", Verdict.HOLD, words, figures)]


def labels_needed(clinic: Comparison | None, rules: GateRules) -> int | None:
    """Return about how many more lesions in the clinic's locked test would settle the verdict; None if none would.

    The interval narrows with the square root of the number. Where no gain has been seen yet, the number is the one
    that would show a gain worth having.
    """
    if clinic is None or clinic.balanced_accuracy is None or _lack(clinic, rules):
        count = clinic.lesion_count if clinic else 0
        return max(rules.clinic_lesions - count, _missing_of_classes(clinic, rules), 1)
    change = clinic.balanced_accuracy
    if change.low > rules.clinic_change:
        return None
    gain = change.change - rules.clinic_change
    wanted = gain if gain > 0 else rules.worthwhile_change
    # Where hardly a lesion changed its name, the interval says less than a change of the size wanted would.
    reach = max(change.change - change.low, 1.96 * sqrt(wanted / clinic.lesion_count))
    return max(1, ceil(clinic.lesion_count * ((reach / wanted) ** 2 - 1)))


def _base_accuracy(base: Comparison, rules: GateRules) -> Reason:
    change = base.balanced_accuracy
    assert change is not None, "every class that is there counts in the base test"
    asked = f"its lower bound must be above {_signed(rules.base_change)}"
    return Reason(
        "base-balanced-accuracy",
        _weight(change, is_met=change.low > rules.base_change),
        f"Balanced accuracy on the base test: {_told(change)}; {asked}.",
        {**asdict(change), "limit": rules.base_change},
    )


def _clinic_accuracy(change: Change, clinic: Comparison, rules: GateRules) -> Reason:
    return Reason(
        "clinic-balanced-accuracy",
        _weight(change, is_met=change.low > rules.clinic_change),
        f"Balanced accuracy on the clinic's test of {clinic.lesion_count:,} lesions: {_told(change)}; "
        f"its lower bound must be above {_signed(rules.clinic_change)}.",
        {**asdict(change), "limit": rules.clinic_change, "lesions": clinic.lesion_count},
    )


def _melanoma(code: str, where: str, change: Change, of: Comparison, rules: GateRules) -> Reason:
    return Reason(
        f"{code}-melanoma-sensitivity",
        _weight(change, is_met=change.low >= rules.melanoma_change),
        f"Melanomas found at the operating point, of {of.lesions['mel']} in {where}: {_told(change)}; its lower bound "
        f"must not be below {_signed(rules.melanoma_change)}.",
        {**asdict(change), "limit": rules.melanoma_change, "lesions": of.lesions["mel"]},
    )


def _calibration(base: Comparison, rules: GateRules) -> Reason:
    error, limit = base.calibration_error, rules.calibration_error
    is_met = error.candidate <= limit
    return Reason(
        "base-calibration-error",
        Verdict.PROMOTE if is_met else Verdict.REJECT if error.low > 0 else Verdict.HOLD,
        f"Calibration error on the base test: {error.candidate:.3f}, before {error.active:.3f}; at most {limit:.3f} "
        "is allowed.",
        {**asdict(error), "limit": limit},
    )


def _recalls(base: Comparison, rules: GateRules) -> list[Reason]:
    """Return one reason for each class that has fallen below its floor, or one that says that none has."""
    found = []
    for code, floor in rules.recall_floors.items():
        change = base.recall.get(code)
        if change is None or change.candidate >= floor or change.change >= 0:
            continue
        found.append(
            Reason(
                f"recall-{code}",
                Verdict.REJECT if change.high < 0 else Verdict.HOLD,
                f"{BY_CODE[code].name}: recall on the base test fell below its floor of {floor:.2f}: {_told(change)}, "
                f"of {base.lesions[code]} lesions.",
                {**asdict(change), "floor": floor, "lesions": base.lesions[code]},
            )
        )
    none = Reason(
        "recall-floors",
        Verdict.PROMOTE,
        "No class's recall on the base test has fallen below its floor.",
        {code: {"recall": base.recall[code].candidate, "floor": floor}
         for code, floor in rules.recall_floors.items() if code in base.recall},
    )  # fmt: skip
    return found or [none]


def _lack(clinic: Comparison, rules: GateRules) -> str:
    """Return what the clinic's test lacks, in words; empty if nothing."""
    if clinic.lesion_count < rules.clinic_lesions:
        return (
            f"The clinic's test has {counted(clinic.lesion_count, 'lesion')}; with fewer than {rules.clinic_lesions} "
            "nothing can be said of it."
        )
    counting = _counting(clinic, rules)
    if counting < rules.clinic_classes:
        return (
            f"The clinic's test has {counted(counting, 'class', 'classes')} with {rules.clinic_lesions_of_a_class} "
            f"lesions or more; {rules.clinic_classes} are needed to speak of balanced accuracy."
        )
    return ""


def _counting(clinic: Comparison, rules: GateRules) -> int:
    return sum(count >= rules.clinic_lesions_of_a_class for count in clinic.lesions.values())


def _missing_of_classes(clinic: Comparison | None, rules: GateRules) -> int:
    most = sorted(clinic.lesions.values() if clinic else [0] * rules.clinic_classes, reverse=True)
    return sum(max(rules.clinic_lesions_of_a_class - count, 0) for count in most[: rules.clinic_classes])


def _weight(change: Change, *, is_met: bool) -> Verdict:
    if is_met:
        return Verdict.PROMOTE
    return Verdict.REJECT if change.high < 0 else Verdict.HOLD


def _told(change: Change) -> str:
    return (
        f"{change.active:.3f} before, {change.candidate:.3f} now, a change of {_signed(change.change)} "
        f"({_signed(change.low)} to {_signed(change.high)})"
    )


def _signed(value: float) -> str:
    return f"{value:+.3f}".replace("-", "−") if round(value, 3) else "0"
