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
    Sign,
    beside_a_harmless_label,
    sign_of_assessment,
    sign_of_refusal,
    sign_of_suspicion,
)
from diagnosis.reports.articles import is_malignant_lesion, labels_of
from diagnosis.reviews.answers import Basis, danger_of, leaves_danger_open
from diagnosis.reviews.review_words import label_tone


def signs_of_report(content: dict[str, Any]) -> tuple[Sign, ...]:
    """Return the chips of every label that needs action and of the most urgent answer without a label.

    Benign labels appear only if nothing else is open.

    Args:
        content: the content for the patient's page (``with_later_labels``, ``present``).
    """
    labels: list[Sign] = []
    answers: list[Sign] = []
    for lesion in content["lesions"]:
        labels += _signs_of_labels(lesion)
        if not is_malignant_lesion(lesion):
            answers += [_sign_of_answer(each) for each in lesion["photographs"] if not _is_settled(each)]
            labels += [sign for each in lesion["photographs"] if (sign := _sign_contradicting(each))]
    by_severity = sorted(dict.fromkeys(labels), key=lambda sign: -sign.severity)
    if not answers:
        return tuple(by_severity) or (Sign(REFUSED, _("No photograph")),)
    pressing = [sign for sign in by_severity if sign.severity > SEVERITY[LABEL]]
    return tuple(dict.fromkeys((*pressing, max(answers, key=lambda sign: sign.pressing))))


def _is_settled(photograph: dict[str, Any]) -> bool:
    """Whether the photograph is excluded or its label settles the malignancy."""
    if photograph["set_aside"]:
        return True
    confirmed = photograph["confirmed"]
    return bool(confirmed) and not leaves_danger_open(confirmed["code"])


def _sign_contradicting(photograph: dict[str, Any]) -> Sign | None:
    """The chip of the software's answer against a benign label without histopathology, or None."""
    if photograph["set_aside"] or not photograph["confirmed"] or not photograph["assessment"]:
        return None
    if photograph["confirmed"].get("basis") == Basis.HISTOPATHOLOGY:
        return None
    return sign_next_to_label(photograph["confirmed"], photograph["assessment"])


def sign_next_to_label(confirmed: dict[str, Any], assessment: dict[str, Any]) -> Sign | None:
    """The chip of the software's answer next to a benign label; None if the chip does not change."""
    if danger_of(confirmed["code"]) is not False:
        return None
    sign, is_proven = sign_of_assessment(assessment), confirmed.get("basis") == Basis.HISTOPATHOLOGY
    beside = beside_a_harmless_label(sign, is_proven=is_proven, words=_("Software: %(said)s"))
    return beside if beside != sign else None


def _signs_of_labels(lesion: dict[str, Any]) -> list[Sign]:
    """The chips of the newest label of each photograph and of the labels of other visits."""
    signs = []
    for photograph in lesion["photographs"]:
        later = photograph["later"]
        if photograph["set_aside"]:
            signs.append(Sign(WATCH, _("A photograph no longer counts")))
        elif later:
            signs.append(Sign(later["tone"], _("Changed since: %(label)s") % {"label": later["name"]}))
        elif photograph["confirmed"]:
            signs.append(_sign_of_label(photograph["confirmed"]))
    earlier = [label for label in labels_of(lesion) if "visit_date" in label]
    signs += map(_sign_of_label, earlier)
    if lesion.get("suspected"):
        signs.append(sign_of_suspicion(lesion["suspected"]["name"]))
    if is_malignant_lesion(lesion):
        assessments = (
            each["assessment"] for each in lesion["photographs"] if each["assessment"] and not each["set_aside"]
        )
        if any(assessment.get("suspicions") for assessment in assessments):
            signs.append(Sign(URGENT, _("More is suspected")))
        return [sign for sign in signs if sign.severity > SEVERITY[LABEL]]
    return signs


def _sign_of_label(label: dict[str, Any]) -> Sign:
    tone = label_tone(label["code"])
    return Sign(LABEL if tone == CALM else tone, _("Confirmed: %(label)s") % {"label": label["name"]})


def _sign_of_answer(photograph: dict[str, Any]) -> Sign:
    assessment = photograph["assessment"]
    if not assessment:
        return sign_of_refusal(photograph["quality"]["verdict"])
    return sign_of_assessment(assessment)
