"""Exclude photographs from use, and undo exclusions. Nothing is deleted, nothing is moved."""

import logging
from collections.abc import Sequence
from dataclasses import replace

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.dispatch import Signal
from django.utils import timezone

from dermascan.core.sentences import is_a_sentence
from diagnosis.assessment.errors import (
    AlreadyExcluded,
    ExcludedWithVisit,
    FindingNeedsDermatologist,
    FindingNeedsNote,
    FindingWouldBeLost,
    NotExcluded,
    UrgentNeedsDermatologist,
)
from diagnosis.assessment.findings import BELONGS_ELSEWHERE, finding_of, is_confirmed_beside, is_urgent_alone
from diagnosis.assessment.uploads import add_image
from diagnosis.images.errors import CannotReadOriginal
from diagnosis.images.facts import facts_now
from diagnosis.images.models import Exclusion, ExclusionReason, Image
from diagnosis.reviews.labels import lock_image
from diagnosis.reviews.queue import refresh_queue_of_lesion
from patients.models import Lesion, Member, Visit
from patients.services.same_clinic import ensure_same_clinic

log = logging.getLogger(__name__)

# Sent inside the transaction with ``image``, ``exclusion`` and ``by``; a receiver that raises rolls it back.
image_excluded = Signal()
# Sent before the exclusion ends, so that receivers still see it in force.
image_returning = Signal()


def exclude_image(*, image: Image, by: Member, reason: str, note: str = "") -> Exclusion:
    """Exclude ``image`` from reports, queue, training, similar cases and counts. It can still be viewed.

    The visit may be signed: most mistakes are found afterwards. A patient whose report is withheld as a result is
    notified by e-mail (``diagnosis.reports.receivers``).

    Args:
        note: a sentence is required if a dangerous finding goes with the photograph.

    Raises:
        PermissionDenied: ``by`` belongs to another clinic.
        AlreadyExcluded: see ``diagnosis.assessment.errors``.
        FindingWouldBeLost, FindingNeedsDermatologist, FindingNeedsNote: see ``_ensure_no_finding_is_lost``.
    """
    with transaction.atomic():
        image = _locked(image, by)
        if Exclusion.objects.standing().filter(image=image).exists():
            raise AlreadyExcluded
        _ensure_no_finding_is_lost(image, by, reason, note)
        row = Exclusion.objects.create(image=image, member=by, reason=ExclusionReason(reason), note=note.strip())
        refresh_queue_of_lesion(image=image)
        image_excluded.send(sender=Exclusion, image=image, exclusion=row, by=by)
    log.info("Member %s excluded image %s: %s.", by.pk, image.pk, row.reason)
    return row


def undo_exclusion(*, image: Image, by: Member) -> Exclusion:
    """Undo the exclusion of ``image``: it is used again.

    A report that was withheld because it shows another patient stays withheld until a dermatologist releases it again.

    Raises:
        PermissionDenied: ``by`` belongs to another clinic.
        NotExcluded, ExcludedWithVisit: see ``diagnosis.assessment.errors``.
    """
    with transaction.atomic():
        image = _locked(image, by)
        row = Exclusion.objects.standing().select_for_update().filter(image=image).first()
        if row is None:
            raise NotExcluded
        if row.reason == ExclusionReason.VOID_VISIT:
            raise ExcludedWithVisit
        image_returning.send(sender=Exclusion, image=image, exclusion=row, by=by)
        row.ended_by, row.ended_at = by, max(timezone.now(), row.created_at)  # a clock may be set back
        row.save(update_fields=["ended_by", "ended_at"])
        refresh_queue_of_lesion(image=image)
    log.info("Member %s undid the exclusion of image %s.", by.pk, image.pk)
    return row


def exclude_with_visit(*, images: Sequence[Image], by: Member, note: str) -> list[Exclusion]:
    """Exclude the photographs of a visit that becomes void, and return the rows.

    Runs in the caller's transaction, which holds the visit's lock. A dangerous finding among them stays listed as that
    of an excluded photograph.
    """
    rows = []
    for image in images:
        if image.exclusions.standing().exists():
            continue
        row = Exclusion.objects.create(image=image, member=by, reason=ExclusionReason.VOID_VISIT, note=note[:300])
        refresh_queue_of_lesion(image=image)
        image_excluded.send(sender=Exclusion, image=image, exclusion=row, by=by)
        rows.append(row)
    return rows


def undo_exclusion_with_visit(*, key: str, by: Member) -> None:
    """End an exclusion that ``exclude_with_visit`` made, in the transaction that restores the visit."""
    row = Exclusion.objects.standing().select_for_update().select_related("image").get(pk=key)
    image_returning.send(sender=Exclusion, image=row.image, exclusion=row, by=by)
    row.ended_by, row.ended_at = by, max(timezone.now(), row.created_at)  # a clock may be set back
    row.save(update_fields=["ended_by", "ended_at"])
    refresh_queue_of_lesion(image=row.image)


def add_to_other_lesion(*, image: Image, lesion: Lesion, by: Member, note: str = "") -> Image:
    """Add the photograph to the lesion that it shows, as if uploaded again, and exclude ``image``.

    The copy is analysed again and has no reviews: the existing ones were about another lesion.

    Raises:
        PermissionDenied, AlreadyExcluded, FindingNeedsDermatologist, FindingNeedsNote: as ``exclude_image``.
        VisitIsClosed, LesionOfAnotherPatient, AlreadyUploaded, CannotReadOriginal: nothing was done.
    """
    ensure_same_clinic(image.visit.patient, by)
    if Exclusion.objects.standing().filter(image=image).exists():
        raise AlreadyExcluded
    # Checked here too, so that nothing is added if the exclusion is refused; the check under the lock decides.
    _ensure_no_finding_is_lost(image, by, ExclusionReason.OTHER_LESION, note)
    try:
        with image.original.open("rb") as file:
            upload = SimpleUploadedFile(image.original_name, file.read(), content_type=image.media_type)
    except OSError as error:
        raise CannotReadOriginal from error
    # Added first: if that fails, the photograph is still where it was.
    # How it was taken goes with it; what belongs to which overview was about the other lesion.
    stated = replace(facts_now(image), overview=None)
    added = add_image(visit=image.visit, lesion=lesion, upload=upload, by=by, stated=stated)
    exclude_image(image=image, by=by, reason=ExclusionReason.OTHER_LESION, note=note)
    return added


def _ensure_no_finding_is_lost(image: Image, by: Member, reason: str, note: str) -> None:
    """Refuse an exclusion that would silently remove a dangerous finding from a lesion.

    Raises:
        FindingWouldBeLost: the photograph shows the lesion, and no other one in use is confirmed as malignant.
        FindingNeedsDermatologist, FindingNeedsNote: it shows something else, which a dermatologist must explain.
        UrgentNeedsDermatologist: it is said to be unusable, and only it makes the lesion urgent.
    """
    finding = finding_of(image)
    if finding is None:
        is_explained = by.is_dermatologist and is_a_sentence(note)
        if reason not in BELONGS_ELSEWHERE and not is_explained and is_urgent_alone(image):
            raise UrgentNeedsDermatologist
        return
    if reason not in BELONGS_ELSEWHERE:
        if not is_confirmed_beside(image, finding):
            raise FindingWouldBeLost(finding.words)
    elif not by.is_dermatologist:
        raise FindingNeedsDermatologist(finding.words)
    elif not is_a_sentence(note):
        raise FindingNeedsNote(finding.words)


def _locked(image: Image, by: Member) -> Image:
    """Return the image, locked after its visit, so that a signing at the same time sees it consistently."""
    ensure_same_clinic(image.visit.patient, by)
    Visit.objects.select_for_update().get(pk=image.visit_id)
    return lock_image(image)
