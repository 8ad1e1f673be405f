"""Where a photograph is stored, if at all."""

import datetime
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.exceptions import NotFound, ValidationError

from dermascan.core.once import Attempt
from diagnosis.assessment.uploads import NOTHING_STATED, SentPhotograph, store_photograph
from diagnosis.images.errors import ImplausibleTime
from diagnosis.images.facts import StatedFacts, is_plausible_time
from diagnosis.images.models import Device, Image
from patients.models import Lesion, Member, Patient, Visit, VisitStatus
from patients.services import log_visit


@dataclass
class Place:
    """A lesion, and the given visit; without one, a visit is found or logged once a photograph can be stored.

    Attributes:
        stated: how the photographs were taken.
    """

    lesion: Lesion
    visit: Visit | None
    stated: StatedFacts = NOTHING_STATED

    def keep(self, upload: UploadedFile, *, by: Member, attempt: Attempt | None = None) -> Image:
        """Store the photograph. Raises what ``store_photograph`` raises; nothing is stored then."""
        sent = SentPhotograph.of(upload)
        if self.visit is None:
            self.visit = self._open_today().first() or self._new_visit(sent, by)
        return store_photograph(
            visit=self.visit, lesion=self.lesion, sent=sent, by=by, attempt=attempt, stated=self.stated
        )

    def _new_visit(self, sent: SentPhotograph, by: Member) -> Visit:
        """Log a visit of today and return it. Raises PictureError before logging if the file cannot be read."""
        _decoded = sent.picture
        with transaction.atomic():
            # Concurrent requests share one visit: the second waits for this lock and finds it.
            patient = Patient.objects.select_for_update().get(pk=self.lesion.patient_id)
            return self._open_today().first() or log_visit(
                patient=patient, by=by, complaint=_("Photographs sent through the API")
            )

    def _open_today(self) -> Any:
        # If the clock is set back past midnight, a second visit is opened: a visit with a wrong date cannot be told
        # from one that was logged by hand. Clients can send the visit's id.
        return Visit.objects.filter(
            patient=self.lesion.patient_id, date=timezone.localdate(), status=VisitStatus.OPEN
        ).order_by("-created_at")


def find_place(
    *,
    member: Member,
    patient: UUID | None = None,
    lesion: UUID | None = None,
    visit: UUID | None = None,
    kind: str | None = None,
    device: UUID | None = None,
    taken_at: datetime.datetime | None = None,
) -> Place | None:
    """Return where to store the photograph, or None if no id was given: then nothing is stored.

    Raises:
        NotFound: an id is unknown or belongs to another clinic; the caller cannot tell which.
        ValidationError: the lesion is missing, the ids do not belong together, or the time is not plausible.
    """
    if not (patient or lesion or visit):
        for name, value in (("device", device), ("taken_at", taken_at)):
            if value is not None:
                raise ValidationError(
                    {name: [_("It is only stored with a photograph: send the id of the lesion too.")]}
                )
        return None
    if taken_at is not None and not is_plausible_time(taken_at, uploaded_at=timezone.now()):
        raise ValidationError({"taken_at": [ImplausibleTime().message]})
    patient_row = _find(Patient.objects.visible_to(member), patient, _("patient"))
    lesion_row = _find(Lesion.objects.visible_to(member), lesion, _("lesion"))
    visit_row = _find(Visit.objects.visible_to(member), visit, _("visit"))
    device_row = _find(Device.objects.visible_to(member).in_use(), device, _("device in use"))
    if lesion_row is None:
        raise ValidationError({"lesion": [_("To store a photograph, send the id of the lesion that it shows.")]})
    if visit_row and visit_row.patient_id != lesion_row.patient_id:
        raise ValidationError({"lesion": [_("This lesion and this visit belong to different patients.")]})
    if patient_row and patient_row.pk != lesion_row.patient_id:
        raise ValidationError({"lesion": [_("This lesion belongs to another patient.")]})
    stated = StatedFacts(kind=kind or "", device=device_row, taken_at=taken_at)
    return Place(lesion=lesion_row, visit=visit_row, stated=stated)


def _find(visible: Any, key: UUID | None, what: str) -> Any:
    if key is None:
        return None
    row = visible.filter(pk=key).first()
    if row is None:
        raise NotFound(_("Your clinic has no %(what)s with this id.") % {"what": what})
    return row
