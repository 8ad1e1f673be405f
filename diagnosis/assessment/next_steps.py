"""What to do next about a kept photograph: as its page and the API say it."""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from diagnosis.assessment.findings import ExcludedFinding
from diagnosis.assessment.photographs import Photograph
from diagnosis.assessment.presentation import AssessmentView
from diagnosis.images.models import Tier


def steps_of(
    photograph: Photograph, view: AssessmentView | None, *, missed: Sequence[ExcludedFinding] = ()
) -> tuple[str, ...]:
    """Return what to do, in order; nothing of a photograph that was set aside.

    What is in doubt comes first. A label that says how dangerous it is replaces the network's advice, and beside a
    doubt nobody is told that nothing needs doing.

    Args:
        missed: dangerous findings of the lesion's other photographs that were set aside.
    """
    if photograph.known.is_excluded:
        return ()
    doubtful = _what_to_find_out(photograph, missed)
    if not photograph.is_open:
        words = _("Dermatologists have named it: %(name)s. What they plan counts, not what the network would advise.")
        return (*doubtful, words % {"name": photograph.confirmed})
    if view is None or (doubtful and view.tone == Tier.CALM):
        return doubtful
    return (*doubtful, *view.next_steps)


def _what_to_find_out(photograph: Photograph, missed: Sequence[ExcludedFinding]) -> tuple[str, ...]:
    found = []
    for contradiction in photograph.contradictions:
        found.append(
            contradiction.words_of_proof
            or _(
                "The labels of this lesion contradict each other: find out which is right, and rely on neither until "
                "then."
            )
        )
    if name := photograph.case_context.suspected_elsewhere:
        words = _(
            "A dermatologist has called another photograph of this lesion %(name)s: settle that before it rests."
        )
        found.append(words % {"name": name})
    for each in missed:
        words = _("A photograph of this lesion was set aside (%(finding)s): find out where it belongs, then decide.")
        found.append(words % {"finding": each.finding.words})
    if photograph.known.is_kept_elsewhere:
        found.append(
            _(
                "The same file is kept elsewhere too: find out which of the two records is right, and rely on neither "
                "until then."
            )
        )
    return tuple(found)
