"""Where a photograph is to be kept, if it is."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.exceptions import NotFound, ValidationError

from dermascan.core.once import Attempt
from diagnosis.assessment.uploads import SentPhotograph, keep_photograph
from diagnosis.images.models import Image
from patients.models import Lesion, Member, Patient, Visit, VisitStatus
from patients.services import log_visit


@dataclass
class Place:
    """A lesion, and the visit that was named or will be found or logged once a photograph can be kept."""

    lesion: Lesion
    visit: Visit | None

    def keep(self, upload: UploadedFile, *, by: Member, attempt: Attempt | None = None) -> Image:
        """Keep the photograph here. Raises what ``keep_photograph`` raises, and then has kept nothing."""
        sent = SentPhotograph.of(upload)
        if self.visit is None:
            self.visit = self._open_today().first() or self._new_visit(sent, by)
        return keep_photograph(visit=self.visit, lesion=self.lesion, sent=sent, by=by, attempt=attempt)

    def _new_visit(self, sent: SentPhotograph, by: Member) -> Visit:
        """A visit of today. Raises PictureError: none is made for a file that cannot be read."""
        _decoded = sent.picture
        with transaction.atomic():
            # Two photographs at once are of one visit: the second waits here and finds it.
            patient = Patient.objects.select_for_update().get(pk=self.lesion.patient_id)
            return self._open_today().first() or log_visit(
                patient=patient, by=by, complaint=_("Photographs sent through the API")
            )

    def _open_today(self) -> Any:
        # Of the day that the clock shows. Where it is set back over midnight, a second visit is opened: nobody can
        # tell one of a wrong date from one that was logged by hand, and who knows the visit names it.
        return Visit.objects.filter(
            patient=self.lesion.patient_id, date=timezone.localdate(), status=VisitStatus.OPEN
        ).order_by("-created_at")


def find_place(
    *, member: Member, patient: UUID | None = None, lesion: UUID | None = None, visit: UUID | None = None
) -> Place | None:
    """Return where to keep the photograph, or None if no id was given: then nothing is kept.

    Raises:
        NotFound: an id is unknown, or belongs to another clinic, which is the same to the one who asks.
        ValidationError: the lesion is missing, or the ids do not belong together.
    """
    if not (patient or lesion or visit):
        return None
    found_patient = _find(Patient.objects.visible_to(member), patient, _("patient"))
    found_lesion = _find(Lesion.objects.visible_to(member), lesion, _("lesion"))
    found_visit = _find(Visit.objects.visible_to(member), visit, _("visit"))
    if found_lesion is None:
        raise ValidationError({"lesion": [_("To keep a photograph, name the lesion that it shows.")]})
    if found_visit and found_visit.patient_id != found_lesion.patient_id:
        raise ValidationError({"lesion": [_("This lesion and this visit are of two patients.")]})
    if found_patient and found_patient.pk != found_lesion.patient_id:
        raise ValidationError({"lesion": [_("This lesion is another patient's.")]})
    return Place(lesion=found_lesion, visit=found_visit)


def _find(visible: Any, key: UUID | None, what: str) -> Any:
    if key is None:
        return None
    found = visible.filter(pk=key).first()
    if found is None:
        raise NotFound(_("Your clinic has no %(what)s with this id.") % {"what": what})
    return found
