"""The tier, the warnings and the next steps of a stored photograph, from the same source as its page."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from dermascan.core.site import site_link
from diagnosis.assessment.advice import caveats_without_answer
from diagnosis.assessment.chips import SEVERITY, WATCH
from diagnosis.assessment.findings import ExcludedFinding, excluded_findings_beside
from diagnosis.assessment.next_steps import steps_of
from diagnosis.assessment.photographs import Photograph, photograph_of
from diagnosis.assessment.presentation import AssessmentView, present_prediction
from diagnosis.images.models import Image


def warning_fields_of_image(image: Image) -> dict[str, Any]:
    """Return a stored photograph's tier as its page shows it, its warnings and next steps.

    ``tier`` is null if there is no answer or the photograph is excluded; the warnings apply either way.
    """
    photograph = photograph_of(image)
    prediction, missed = photograph.prediction, excluded_findings_beside(image)
    is_warned = photograph.warns_of_danger or bool(missed)
    view = (
        present_prediction(prediction, case_context=photograph.case_context, is_warned=is_warned)
        if prediction
        else None
    )
    return {
        **(warning_fields_of_view(view) if view else {"network_tier": None}),
        "tier": _tier(photograph, view, missed) if view and not photograph.known.is_excluded else None,
        "warnings": _warnings(photograph, view, missed),
        "next_steps": list(steps_of(photograph, view, missed=missed)),
    }


def warning_fields_of_view(view: AssessmentView) -> dict[str, Any]:
    """Return the same for an answer alone, such as that of a photograph that is not stored."""
    return {
        "tier": {"code": view.tone, "text": view.heading},
        "network_tier": {"code": view.tier, "text": view.title},
        "warnings": [_warning(caveat.code, caveat.words, caveat.url) for caveat in view.caveats],
        "next_steps": list(view.next_steps),
    }


def _warnings(
    photograph: Photograph, view: AssessmentView | None, missed: Sequence[ExcludedFinding]
) -> list[dict[str, Any]]:
    """Return all warnings of its page, most urgent first; without an answer, those from the rest of the record."""
    image = photograph.image
    warnings = [
        _warning("excluded", f"{_('Photograph excluded')}: {row}. {row.does_not_count}", image.get_absolute_url())
        for row in image.exclusions.standing()
    ]
    warnings += [
        _warning("contradiction", each.words, each.lesion.get_absolute_url()) for each in photograph.contradictions
    ]
    warnings += [_warning(each.chip.code, each.words, each.image.get_absolute_url()) for each in missed]
    if photograph.known.is_stored_elsewhere:
        words = _(
            "The same file is stored under another lesion too: find out which lesion it shows, and do not rely on the "
            "other."
        )
        warnings += [
            _warning("same_file", words, other.get_absolute_url())
            for other in Image.objects.with_the_same_file(image)[:8]
        ]
    caveats = view.caveats if view else caveats_without_answer(photograph.case_context)
    return [*warnings, *(_warning(caveat.code, caveat.words, caveat.url) for caveat in caveats)]


def _tier(photograph: Photograph, view: AssessmentView, missed: Sequence[ExcludedFinding]) -> dict[str, str]:
    """Return the tier of its page: a more dangerous label takes precedence, a benign label lowers it."""
    against = photograph.against(view.tone)
    tone = WATCH if against else view.tone
    tier = {"code": tone, "text": against.words if against else _words(view)}
    labels = [chip for chip in photograph.chips_of_labels if chip.is_danger] + [each.chip for each in missed]
    leading = max(labels, key=lambda chip: chip.pressing, default=None)
    if leading is None or leading.severity < SEVERITY[tone]:
        return tier
    if leading.severity == SEVERITY[tone] and not view.is_second:
        return tier
    return {"code": leading.tone, "text": leading.words}


def _words(view: AssessmentView) -> str:
    """Return the heading, or the caveat that makes the photograph more urgent than the network's tier."""
    if view.tone == view.tier or not view.caveats:
        return view.heading
    return next((caveat for caveat in view.caveats if caveat.is_urgent), view.caveats[0]).words


def _warning(code: str, words: str, url: str) -> dict[str, Any]:
    return {"code": code, "text": words, "url": site_link(url) if url else None}
