"""What a dermatologist may have forgotten before signing. Only danger without a plan forbids it."""

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


def warnings_of(content: dict[str, Any]) -> list[str]:
    """Say what is missing from a report's content, and what keeps it from being signed as it stands."""
    photographs = [photograph for lesion in content["lesions"] for photograph in lesion["photographs"]]
    unconfirmed = sum(1 for photograph in photographs if not photograph["confirmed"])
    unjudged = sum(1 for photograph in photographs if not photograph["assessment"])
    warnings = []
    if letters := unprintable_letters(content):
        warnings.append(
            _("No font of this installation has: %(letters)s. The report cannot be signed until they are replaced.")
            % {"letters": describe_letters(letters)}
        )
    if has_many_pictograms(content):
        warnings.append(str(TooManyPictograms()))
    if unconfirmed:
        warnings.append(
            ngettext(
                "%(count)d photograph has no confirmed label. The report will show what the software said of it.",
                "%(count)d photographs have no confirmed label. The report will show what the software said of them.",
                unconfirmed,
            )
            % {"count": unconfirmed}
        )
    if unjudged:
        warnings.append(
            ngettext(
                "%(count)d photograph was not judged by the software. It will be in the report without an answer.",
                "%(count)d photographs were not judged by the software. They will be in the report without an answer.",
                unjudged,
            )
            % {"count": unjudged}
        )
    disputed = sum(1 for photograph in photographs if _disagree(photograph))
    if disputed:
        warnings.append(
            ngettext(
                "On %(count)d photograph the label and the software disagree about danger. The report shows both.",
                "On %(count)d photographs the label and the software disagree about danger. The report shows both.",
                disputed,
            )
            % {"count": disputed}
        )
    pressing = pressing_lesions(content)
    if pressing:
        warnings.append(
            _(
                "%(lesions)s: malignant or possibly so by the label, or urgent by the software. Does the plan say "
                "what, and by when?"
            )
            % {"lesions": ", ".join(pressing)}
        )
    warnings += _danger_warnings(content)
    doubtful = [
        lesion["title"] for lesion in content["lesions"] if any(map(_is_calm_with_caveats, lesion["photographs"]))
    ]
    if doubtful:
        warnings.append(
            _("%(lesions)s: calm by the software, but for what is said of it on its page. Does the plan answer that?")
            % {"lesions": ", ".join(doubtful)}
        )
    if not has_words(content["visit"]["plan"]):
        warnings.append(_("The plan is empty. The patient will not read what happens next."))
    return warnings


def pressing_lesions(content: dict[str, Any]) -> list[str]:
    """The titles of a report's lesions that need a plan: malignant by the label, or urgent."""
    return [lesion["title"] for lesion in content["lesions"] if any(map(_needs_plan, lesion["photographs"]))]


def _needs_plan(photograph: dict[str, Any]) -> bool:
    """Named as what is or may be malignant by a dermatologist, or urgent and not named harmless by the laboratory.

    Pre-malignant counts: it stands for actinic keratosis and Bowen's disease, which is cancer in situ. Urgent is also
    what another photograph of the lesion or one reader's suspicion makes so. A harmless label without histopathology
    leaves an urgent answer to be answered: the patient reads both.
    """
    confirmed, assessment = photograph["confirmed"] or {}, photograph["assessment"]
    code = confirmed.get("code", "")
    if danger_rank(code):
        return True
    if not assessment:
        return False
    tier, tone = assessment["tier"], assessment.get("tone")
    is_harmless = is_benign_answer(code) or code == NOT_A_LESION
    is_proven_harmless = is_harmless and confirmed.get("basis") == Basis.HISTOPATHOLOGY
    # The laboratory answers the software; what a colleague suspects by another photograph it does not.
    return tone == Tier.URGENT != tier if is_proven_harmless else Tier.URGENT in (tier, tone)


def _danger_warnings(content: dict[str, Any]) -> list[str]:
    said = ((lesion["title"], _danger_caveats(lesion)) for lesion in content["lesions"])
    return [f"{title}: {words}" for title, words in said if words]


def _danger_caveats(lesion: dict[str, Any]) -> str:
    """What makes photographs urgent that nobody has confirmed, besides the software's own answer."""
    open_ones = [photograph["assessment"] for photograph in lesion["photographs"] if not photograph["confirmed"]]
    urgent = [assessment for assessment in open_ones if assessment and assessment.get("tone") == Tier.URGENT]
    return " ".join(dict.fromkeys(caveat for assessment in urgent for caveat in assessment.get("doubts", [])))


def _is_calm_with_caveats(photograph: dict[str, Any]) -> bool:
    """Calm by the software and named by nobody, while symptoms or another photograph say more."""
    assessment = photograph["assessment"]
    is_calm = bool(assessment) and not photograph["confirmed"] and assessment["tier"] == Tier.CALM
    return is_calm and bool(assessment["doubts"])


def _disagree(photograph: dict[str, Any]) -> bool:
    """A malignant label where the software was calm, or a benign one where it was urgent."""
    confirmed, assessment = photograph["confirmed"], photograph["assessment"]
    return bool(confirmed) and bool(assessment) and contradicts_tier(confirmed["code"], assessment["tier"])
