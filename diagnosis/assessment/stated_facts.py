"""State how a photograph was taken. Every statement is stored, and the newest counts."""

from dataclasses import replace

from django.db import transaction

from diagnosis.images.facts import StatedFacts, facts_now, newest_facts, store_facts
from diagnosis.images.models import Image, PhotographFacts, TimeSource
from diagnosis.reviews.labels import lock_image
from diagnosis.reviews.queue import refresh_queue_entry
from patients.edits import ensure_nothing_is_lost
from patients.models import Member
from patients.services.same_clinic import ensure_same_clinic

FACTS = ("kind", "device", "is_polarised", "is_contact", "is_cropped", "taken_at", "overview")


def state_facts(
    *, image: Image, by: Member, stated: StatedFacts, made_from: str | None = None
) -> PhotographFacts | None:
    """Store a statement about a stored photograph and return the one that counts.

    That may be done after the visit was signed: its report keeps what it says.

    Another kind changes how the answer is shown, so the queue is refreshed. ``made_from`` is the form's token; see
    ``patients.edits``.

    Raises:
        PermissionDenied: ``by`` belongs to another clinic.
        ChangedMeanwhile: a colleague has stated something else since the form was rendered.
        DeviceOfAnotherClinic, ImplausibleTime, NotItsOverview: see ``diagnosis.images.errors``.
    """
    ensure_same_clinic(image.visit.patient, by)
    with transaction.atomic():
        image = lock_image(image)
        newest, before = newest_facts(image), facts_now(image)
        if newest is not None:
            ensure_nothing_is_lost(newest, {name: getattr(stated, name) for name in FACTS}, made_from)
        stated = _with_source(stated, before)
        if stated == before:
            return newest  # nothing new was said
        row = store_facts(image=image, stated=stated, by=by)
        refresh_queue_entry(image=image)
        return row


def _with_source(stated: StatedFacts, before: StatedFacts) -> StatedFacts:
    """Return the statement with where its time comes from: one that was not changed still comes from the file."""
    if stated.taken_at is None:
        return replace(stated, taken_at_source="")
    is_unchanged = stated.taken_at == before.taken_at
    return replace(stated, taken_at_source=before.taken_at_source if is_unchanged else TimeSource.MEMBER)
