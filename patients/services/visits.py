import datetime
import uuid

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from dermascan.core.errors import Refused
from patients.edits import change_record
from patients.models import Member, Patient, Visit
from patients.services.merged_records import lock_patient
from patients.services.same_clinic import ensure_same_clinic


class VisitIsClosed(Refused):
    """The visit was signed, or is void, and can no longer be changed."""

    code = "visit_is_closed"

    def __init__(self, visit: Visit | None = None) -> None:
        if visit is not None and visit.is_void:
            words = _("This visit is void: it was entered by mistake. Undo that first, or log a new visit.")
        else:
            words = _("This visit was signed and can no longer be changed. Log a new visit instead.")
        super().__init__(words)


def log_visit(
    *,
    patient: Patient,
    by: Member,
    complaint: str,
    date: datetime.date | None = None,
    clinician: Member | None = None,
    history: str = "",
    notes: str = "",
    plan: str = "",
) -> Visit:
    """Log a visit of the patient, by default today and with ``by`` as the clinician.

    Symptoms are recorded for each lesion: see ``record_symptoms``.
    """
    clinician = clinician or by
    ensure_same_clinic(patient, by, clinician)
    values = {
        "date": date or timezone.localdate(),
        "clinician": clinician,
        "complaint": complaint,
        "history": history,
        "notes": notes,
        "plan": plan,
    }
    with transaction.atomic():
        patient = lock_patient(patient)
        return patient.visits.create(**values)


def update_visit(
    *,
    visit: Visit,
    by: Member,
    complaint: str,
    date: datetime.date,
    clinician: Member,
    itch: bool | None = None,
    pain: bool | None = None,
    bleeding: bool | None = None,
    growth: bool | None = None,
    symptoms_since: str | None = None,
    history: str = "",
    notes: str = "",
    plan: str = "",
    made_from: str | None = None,
) -> Visit:
    """Change an open visit. Raises ``VisitIsClosed`` if it was signed meanwhile, and ``ChangedMeanwhile``.

    The symptoms are those that were recorded for the visit as a whole, before they belonged to lesions; None leaves
    them. ``made_from`` is the form's token; see ``patients.edits``.
    """
    ensure_same_clinic(visit.patient, by, clinician)
    with transaction.atomic():
        visit = lock_open_visit(visit_id=visit.pk)
        values: dict[str, object] = {
            "complaint": complaint,
            "date": date,
            "clinician": clinician,
            "history": history,
            "notes": notes,
            "plan": plan,
        }
        of_the_visit = {
            "itch": itch,
            "pain": pain,
            "bleeding": bleeding,
            "growth": growth,
            "symptoms_since": symptoms_since,
        }
        values |= {name: value for name, value in of_the_visit.items() if value is not None}
        change_record(visit, values, by=by.user, made_from=made_from)
        visit.save()
    return visit


def lock_open_visit(*, visit_id: uuid.UUID) -> Visit:
    """Return the visit with its row locked until the transaction ends. Raises ``VisitIsClosed``."""
    visit = Visit.objects.select_for_update().get(pk=visit_id)
    if not visit.is_open:
        raise VisitIsClosed(visit)
    return visit
