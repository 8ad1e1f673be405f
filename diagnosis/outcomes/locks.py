"""The lock under which everything about a lesion's outcome changes."""

from diagnosis.outcomes.errors import ChangedSince
from diagnosis.outcomes.states import LesionOutcome, outcome_of
from patients.models import Lesion


def lock_lesion(lesion: Lesion, *, made_from: str | None) -> tuple[Lesion, LesionOutcome]:
    """Return the lesion, read again under a lock, with its outcome. Call it in a transaction.

    Args:
        made_from: the token of the form, see ``LesionOutcome.token``; None for a caller that has just read the rows.

    Raises:
        ChangedSince: a colleague has recorded something since the form was opened.
    """
    # Not the lock for deleting: adding a photograph only refers to the lesion, and must not wait.
    lesions = Lesion.objects.select_for_update(of=("self",), no_key=True).select_related("patient__clinic")
    locked = lesions.get(pk=lesion.pk)
    outcome = outcome_of(locked)
    if made_from is not None and made_from != outcome.token:
        raise ChangedSince
    return locked, outcome
