"""The next steps for a stored photograph, for its page and the API."""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from diagnosis.assessment.findings import ExcludedFinding
from diagnosis.assessment.photographs import Photograph
from diagnosis.assessment.presentation import AssessmentView
from diagnosis.images.models import Tier


def steps_of(
    photograph: Photograph, view: AssessmentView | None, *, missed: Sequence[ExcludedFinding] = ()
) -> tuple[str, ...]:
    """Return what to do, in order; empty for an excluded photograph.

    What must be clarified comes first. A label that says how dangerous the lesion is replaces the network's advice.
    While something must be clarified, the calm tier's advice is left out.

    Args:
        missed: dangerous findings of the lesion's other photographs that are excluded.
    """
    if photograph.known.is_excluded:
        return ()
    to_clarify = _to_clarify(photograph, missed)
    if not photograph.is_open:
        words = _("Dermatologists have called it %(name)s. Their plan counts, not the network's advice.")
        return (*to_clarify, words % {"name": photograph.confirmed})
    if view is None or (to_clarify and view.tone == Tier.CALM):
        return to_clarify
    return (*to_clarify, *view.next_steps)


def _to_clarify(photograph: Photograph, missed: Sequence[ExcludedFinding]) -> tuple[str, ...]:
    steps = []
    for contradiction in photograph.contradictions:
        steps.append(
            contradiction.words_of_proof
            or _(
                "The labels of this lesion contradict each other: find out which is correct, and rely on neither "
                "until then."
            )
        )
    if name := photograph.case_context.suspected_elsewhere:
        words = _(
            "A dermatologist has called another photograph of this lesion %(name)s. Settle that before you close the "
            "case."
        )
        steps.append(words % {"name": name})
    for each in missed:
        words = _(
            "A photograph of this lesion with a dangerous finding (%(finding)s) was excluded: find out where it "
            "belongs, then decide."
        )
        steps.append(words % {"finding": each.finding.words})
    if photograph.known.is_stored_elsewhere:
        steps.append(
            _(
                "The same file is stored under another lesion too: find out which of the two is correct, and rely on "
                "neither until then."
            )
        )
    return tuple(steps)
