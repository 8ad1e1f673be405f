"""Warnings before signing. Only danger without a plan and unprintable text prevent signing."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dermascan.core.sentences import has_words
from diagnosis.assessment.advice import contradicts_tier
from diagnosis.images.models import Tier
from diagnosis.reports.printable_text import (
    TooManyPictograms,
    describe_letters,
    has_many_pictograms,
    unprintable_letters,
)
from diagnosis.reviews.answers import NOT_A_LESION, Basis, danger_rank, is_benign_answer


@dataclass(frozen=True)
class SigningWarning:
    """A warning before signing; ``code`` is for programs and tests."""

    code: str
    words: str


def warnings_of(content: dict[str, Any]) -> list[SigningWarning]:
    """Return warnings about what is missing from a report and what prevents signing."""
    photographs = [photograph for lesion in content["lesions"] for photograph in lesion["photographs"]]
    unconfirmed = sum(1 for photograph in photographs if not photograph["confirmed"])
    unanalysed = sum(1 for photograph in photographs if not photograph["assessment"])
    warnings = []
    if letters := unprintable_letters(content):
        words = _("No installed font can print: %(letters)s. The report cannot be signed until they are replaced.")
        warnings.append(SigningWarning("unprintable_letters", words % {"letters": describe_letters(letters)}))
    if has_many_pictograms(content):
        warnings.append(SigningWarning(TooManyPictograms.code, str(TooManyPictograms())))
    if unconfirmed:
        words = ngettext(
            "%(count)d photograph has no confirmed label. The report will show the software’s answer instead.",
            "%(count)d photographs have no confirmed label. The report will show the software’s answers instead.",
            unconfirmed,
        )
        warnings.append(SigningWarning("no_confirmed_label", words % {"count": unconfirmed}))
    if unanalysed:
        words = ngettext(
            "%(count)d photograph was not analysed by the software. It will appear without an answer.",
            "%(count)d photographs were not analysed by the software. They will appear without an answer.",
            unanalysed,
        )
        warnings.append(SigningWarning("not_analysed", words % {"count": unanalysed}))
    disputed = sum(1 for photograph in photographs if _disagree(photograph))
    if disputed:
        words = ngettext(
            "On %(count)d photograph the label and the software disagree about danger. The report shows both.",
            "On %(count)d photographs the label and the software disagree about danger. The report shows both.",
            disputed,
        )
        warnings.append(SigningWarning("label_and_software_disagree", words % {"count": disputed}))
    pressing = pressing_lesions(content)
    if pressing:
        words = _(
            "%(lesions)s: labelled malignant or possibly malignant, or urgent according to the software. Does the "
            "plan say what happens, and by when?"
        )
        warnings.append(SigningWarning("does_the_plan_say", words % {"lesions": ", ".join(pressing)}))
    warnings += _danger_warnings(content)
    doubtful = [
        lesion["title"] for lesion in content["lesions"] if any(map(_is_calm_with_caveats, lesion["photographs"]))
    ]
    if doubtful:
        words = _(
            "%(lesions)s: nothing alarming to the software, but its page shows warnings. Does the plan address them?"
        )
        warnings.append(SigningWarning("calm_with_warnings", words % {"lesions": ", ".join(doubtful)}))
    if not has_words(content["visit"]["plan"]):
        words = _("The plan is empty. The patient will not know what happens next.")
        warnings.append(SigningWarning("plan_empty", words))
    return warnings


def pressing_lesions(content: dict[str, Any]) -> list[str]:
    """The titles of lesions that need a plan: labelled malignant, or urgent."""
    return [lesion["title"] for lesion in content["lesions"] if any(map(_needs_plan, lesion["photographs"]))]


def _needs_plan(photograph: dict[str, Any]) -> bool:
    """Whether the label is or may be malignant, or the answer is urgent and not proven benign by histopathology.

    Pre-malignant counts, since it includes Bowen's disease (carcinoma in situ). Another photograph of the lesion or a
    reader's suspicion can make an answer urgent. A benign label without histopathology does not settle an urgent
    answer: the patient reads both.
    """
    confirmed, assessment = photograph["confirmed"] or {}, photograph["assessment"]
    code = confirmed.get("code", "")
    if danger_rank(code):
        return True
    if not assessment:
        return False
    tier, tone = assessment["tier"], assessment.get("tone")
    is_benign = is_benign_answer(code) or code == NOT_A_LESION
    is_proven_benign = is_benign and confirmed.get("basis") == Basis.HISTOPATHOLOGY
    # Histopathology settles the software's answer, but not a suspicion on another photograph.
    return tone == Tier.URGENT != tier if is_proven_benign else Tier.URGENT in (tier, tone)


def lesions_that_need_a_step(content: dict[str, Any]) -> set[str]:
    """The keys of the lesions that need a next step: those that need a plan, and those the software would have seen.

    A benign label settles a watch answer, as far as ``_needs_plan`` does not say otherwise.
    """
    return {lesion["id"] for lesion in content["lesions"] if any(map(_needs_step, lesion["photographs"]))}


def _needs_step(photograph: dict[str, Any]) -> bool:
    confirmed, assessment = photograph["confirmed"], photograph["assessment"]
    is_open_watch = bool(assessment) and not confirmed and Tier.WATCH in (assessment["tier"], assessment.get("tone"))
    return is_open_watch or _needs_plan(photograph)


def _danger_warnings(content: dict[str, Any]) -> list[SigningWarning]:
    caveats = ((lesion["title"], _danger_caveats(lesion)) for lesion in content["lesions"])
    return [SigningWarning("urgent_by_caveats", f"{title}: {words}") for title, words in caveats if words]


def _danger_caveats(lesion: dict[str, Any]) -> str:
    """The caveats that make unlabelled photographs urgent, in addition to the software's own answer."""
    unlabelled = [photograph["assessment"] for photograph in lesion["photographs"] if not photograph["confirmed"]]
    urgent = [assessment for assessment in unlabelled if assessment and assessment.get("tone") == Tier.URGENT]
    return " ".join(dict.fromkeys(caveat for assessment in urgent for caveat in assessment.get("doubts", [])))


def _is_calm_with_caveats(photograph: dict[str, Any]) -> bool:
    """Whether an unlabelled photograph is calm but has caveats from symptoms or another photograph."""
    assessment = photograph["assessment"]
    is_calm = bool(assessment) and not photograph["confirmed"] and assessment["tier"] == Tier.CALM
    return is_calm and bool(assessment["doubts"])


def _disagree(photograph: dict[str, Any]) -> bool:
    """Whether the label is malignant and the software calm, or the label benign and the software urgent."""
    confirmed, assessment = photograph["confirmed"], photograph["assessment"]
    return bool(confirmed) and bool(assessment) and contradicts_tier(confirmed["code"], assessment["tier"])
