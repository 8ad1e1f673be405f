"""The chips of a released visit in the patient's list, made only from the released content."""

from typing import Any

from django.utils.translation import gettext as _

from diagnosis.assessment.chips import (
    CALM,
    LABEL,
    REFUSED,
    SEVERITY,
    URGENT,
    WATCH,
    Chip,
    chip_next_to_benign_label,
    chip_of_assessment,
    chip_of_refusal,
    chip_of_suspicion,
)
from diagnosis.reports.articles import is_malignant_lesion, labels_of
from diagnosis.reviews.answers import Basis, danger_of, leaves_danger_open
from diagnosis.reviews.review_words import label_tone


def chips_of_report(content: dict[str, Any]) -> tuple[Chip, ...]:
    """Return the chips of every label that needs action and of the most urgent answer without a label.

    Benign labels appear only if nothing else is open.

    Args:
        content: the content for the patient's page (``with_later_labels``, ``present``).
    """
    labels: list[Chip] = []
    answers: list[Chip] = []
    for lesion in content["lesions"]:
        labels += _chips_of_labels(lesion)
        if not is_malignant_lesion(lesion):
            answers += [_chip_of_answer(each) for each in lesion["photographs"] if not _is_settled(each)]
            labels += [against for each in lesion["photographs"] if (against := _chip_contradicting(each))]
    by_severity = sorted(dict.fromkeys(labels), key=lambda chip: -chip.severity)
    if not answers:
        return tuple(by_severity) or (Chip("no_photograph", REFUSED, _("No photograph")),)
    pressing = [chip for chip in by_severity if chip.severity > SEVERITY[LABEL]]
    return tuple(dict.fromkeys((*pressing, max(answers, key=lambda chip: chip.pressing))))


def _is_settled(photograph: dict[str, Any]) -> bool:
    """Whether the photograph is excluded or its label settles the malignancy."""
    if photograph["set_aside"]:
        return True
    confirmed = photograph["confirmed"]
    return bool(confirmed) and not leaves_danger_open(confirmed["code"])


def _chip_contradicting(photograph: dict[str, Any]) -> Chip | None:
    """The chip of the software's answer against a benign label without histopathology, or None."""
    if photograph["set_aside"] or not photograph["confirmed"] or not photograph["assessment"]:
        return None
    if photograph["confirmed"].get("basis") == Basis.HISTOPATHOLOGY:
        return None
    return chip_next_to_label(photograph["confirmed"], photograph["assessment"])


def chip_next_to_label(confirmed: dict[str, Any], assessment: dict[str, Any]) -> Chip | None:
    """The chip of the software's answer next to a benign label; None if the chip does not change."""
    if danger_of(confirmed["code"]) is not False:
        return None
    chip, is_proven = chip_of_assessment(assessment), confirmed.get("basis") == Basis.HISTOPATHOLOGY
    beside = chip_next_to_benign_label(chip, is_proven=is_proven, words=_("Software: %(said)s"))
    return beside if beside != chip else None


def _chips_of_labels(lesion: dict[str, Any]) -> list[Chip]:
    """The chips of the newest label of each photograph and of the labels of other visits."""
    chips = []
    for photograph in lesion["photographs"]:
        later = photograph["later"]
        if photograph["set_aside"]:
            chips.append(Chip("no_longer_counts", WATCH, _("A photograph no longer counts")))
        elif later:
            words = _("Changed since: %(label)s") % {"label": later["name"]}
            chips.append(Chip("changed_since", later["tone"], words))
        elif photograph["confirmed"]:
            chips.append(_sign_of_label(photograph["confirmed"]))
    earlier = [label for label in labels_of(lesion) if "visit_date" in label]
    chips += map(_sign_of_label, earlier)
    if lesion.get("suspected"):
        chips.append(chip_of_suspicion(lesion["suspected"]["name"]))
    if is_malignant_lesion(lesion):
        assessments = (
            each["assessment"] for each in lesion["photographs"] if each["assessment"] and not each["set_aside"]
        )
        if any(assessment.get("suspicions") for assessment in assessments):
            chips.append(Chip("more_suspected", URGENT, _("More is suspected")))
        return [chip for chip in chips if chip.severity > SEVERITY[LABEL]]
    return chips


def _sign_of_label(label: dict[str, Any]) -> Chip:
    tone = label_tone(label["code"])
    words = _("Confirmed: %(label)s") % {"label": label["name"]}
    return Chip("confirmed", LABEL if tone == CALM else tone, words)


def _chip_of_answer(photograph: dict[str, Any]) -> Chip:
    assessment = photograph["assessment"]
    if not assessment:
        return chip_of_refusal(photograph["quality"]["verdict"])
    return chip_of_assessment(assessment)
