"""The sign, the warnings and the advice of a kept photograph: those of its page, from the same place."""

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


def signs_of_image(image: Image) -> dict[str, Any]:
    """What is said of a kept photograph: its tier as the page shows it, the warnings, and what to do.

    ``tier`` is null if there is no answer, or if the photograph was set aside; the warnings apply either way.
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
        **(signs_of_view(view) if view else {"network_tier": None}),
        "tier": _tier(photograph, view, missed) if view and not photograph.known.is_excluded else None,
        "warnings": _warnings(photograph, view, missed),
        "next_steps": list(steps_of(photograph, view, missed=missed)),
    }


def signs_of_view(view: AssessmentView) -> dict[str, Any]:
    """The same of an answer alone, as of a photograph that is not kept."""
    return {
        "tier": {"code": view.tone, "text": view.heading},
        "network_tier": {"code": view.tier, "text": view.title},
        "warnings": [_warning(caveat.words, caveat.url) for caveat in view.caveats],
        "next_steps": list(view.next_steps),
    }


def _warnings(
    photograph: Photograph, view: AssessmentView | None, missed: Sequence[ExcludedFinding]
) -> list[dict[str, Any]]:
    """All that its page warns of, the most urgent first; of a photograph without an answer what else is known."""
    image = photograph.image
    found = [
        _warning(f"{_('Set aside')}: {row}. {row.does_not_count}", image.get_absolute_url())
        for row in image.exclusions.standing()
    ]
    found += [_warning(each.words, each.lesion.get_absolute_url()) for each in photograph.contradictions]
    found += [_warning(each.words, each.image.get_absolute_url()) for each in missed]
    if photograph.known.is_kept_elsewhere:
        words = _("The same file is kept elsewhere too: find out which lesion it shows, and do not rely on the other.")
        found += [_warning(words, other.get_absolute_url()) for other in Image.objects.with_the_same_file(image)[:8]]
    caveats = view.caveats if view else caveats_without_answer(photograph.case_context)
    return [*found, *(_warning(caveat.words, caveat.url) for caveat in caveats)]


def _tier(photograph: Photograph, view: AssessmentView, missed: Sequence[ExcludedFinding]) -> dict[str, str]:
    """As the page shows it: a label that tells of more danger than the answer speaks, a harmless one tempers it."""
    against = photograph.against(view.tone)
    tone = WATCH if against else view.tone
    shown = {"code": tone, "text": against.words if against else _words(view)}
    labels = [sign for sign in photograph.signs_of_labels if sign.is_danger] + [each.sign for each in missed]
    leading = max(labels, key=lambda sign: sign.pressing, default=None)
    if leading is None or leading.severity < SEVERITY[tone]:
        return shown
    if leading.severity == SEVERITY[tone] and not view.is_second:
        return shown
    return {"code": leading.tone, "text": leading.words}


def _words(view: AssessmentView) -> str:
    """Its heading, unless something else makes it more urgent than the network finds it: then what that is."""
    if view.tone == view.tier or not view.caveats:
        return view.heading
    return next((caveat for caveat in view.caveats if caveat.is_urgent), view.caveats[0]).words


def _warning(words: str, url: str) -> dict[str, Any]:
    return {"text": words, "url": site_link(url) if url else None}
