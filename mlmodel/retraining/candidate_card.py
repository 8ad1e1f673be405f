"""The model card of a candidate: its training, the gate's measurements, and facts on its backbone."""

from collections.abc import Mapping
from typing import Any

from mlmodel.counted import counted
from mlmodel.evaluation import card_sources
from mlmodel.retraining.candidate_network import Network
from mlmodel.retraining.verdicts import VERDICTS, Change, Comparison, Judgement
from mlmodel.taxonomy import BY_CODE


def candidate_card(
    *, network: Network, judgement: Judgement, training: dict[str, Any], parent: str, origin: Mapping[str, Any]
) -> str:
    """Return the model card of a candidate as Markdown.

    Args:
        network: the candidate.
        judgement: the gate's judgement.
        training: facts on the training by name.
        parent: the name of the version from which it was trained.
        origin: that version's settings, with the sources and gaps of its training data.
    """
    training_lines = [f"- {name.replace('_', ' ')}: {value}" for name, value in training.items()]
    reasons = [f"- {reason.told()}" for reason in judgement.reasons]
    parts = [
        "# Model card",
        f"A new head on the backbone of {parent}, "
        "trained on confirmed cases together with the base set. "
        "**It supports the decision of a clinician and makes none.**",
        f"Temperature {network.calibration.temperature:.3f}; "
        f"“urgent” from {network.operating_points.urgent.threshold:.3f}, "
        f"“watch” from {network.operating_points.watch.threshold:.3f}.",
        *(["## Training", "\n".join(training_lines)] if training_lines else []),
        f"## The gate: {VERDICTS[judgement.verdict]}",
        "\n".join(reasons),
        "## On the base held-out test set",
        _table(judgement.base),
    ]
    if judgement.clinic is not None:
        parts += ["## On the clinic's own held-out test set", _table(judgement.clinic)]
    if sources := origin.get("sources"):
        parts += ["## Training data of its backbone", card_sources.learned_from(sources)]
        parts += [card_sources.hardly_seen(origin["hardly_seen"]).strip(), card_sources.limits(sources).strip()]
    return "\n\n".join(parts) + "\n"


def _table(comparison: Comparison) -> str:
    rows = [
        f"{counted(comparison.lesion_count, 'lesion')}, {counted(comparison.photographs, 'photograph')}; "
        "every lesion counts once. "
        "In brackets: the interval of the change.",
        "",
        "| | before | candidate | change |",
        "|---|---:|---:|---:|",
        _row("Balanced accuracy (equal-prior scores)", comparison.balanced_accuracy),
        _row("Melanoma sensitivity at the operating point", comparison.melanoma_sensitivity),
        _row("Expected calibration error", comparison.calibration_error),
        *(
            _row(f"Recall: {BY_CODE[code].name} ({comparison.lesions[code]})", change)
            for code, change in comparison.recall.items()
        ),
    ]
    return "\n".join(row for row in rows if row is not None)


def _row(name: str, change: Change | None) -> str | None:
    if change is None:
        return None
    return (
        f"| {name} | {change.active:.3f} | {change.candidate:.3f} "
        f"| {change.change:+.3f} ({change.low:+.3f} to {change.high:+.3f}) |"
    )
