from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from dermascan.core.errors import Refused
from dermascan.core.rough_dates import RoughDate
from patients.edits import change_record
from patients.models import Lesion, Member, Patient, Side
from patients.services.merged_records import lock_patient
from patients.services.same_clinic import ensure_same_clinic


class LesionOfAnotherPatient(Refused):
    code = "lesion_of_another_patient"

    def __init__(self) -> None:
        super().__init__(_("This lesion belongs to another patient. Choose one of this patient's lesions."))


def add_lesion(
    *,
    patient: Patient,
    by: Member,
    body_site: str,
    side: str = Side.UNKNOWN,
    noticed: RoughDate | None = None,
    description: str = "",
) -> Lesion:
    """Add a lesion to the patient's record under the next number."""
    ensure_same_clinic(patient, by)
    values = {"body_site": body_site, "side": side, "noticed": noticed, "description": description}
    with transaction.atomic():
        # Locking the patient prevents two lesions from taking the same number.
        patient = lock_patient(patient)
        highest = patient.lesions.aggregate(highest=Max("number"))["highest"] or 0
        return patient.lesions.create(number=highest + 1, created_by=by, **values)


def correct_lesion(
    *,
    lesion: Lesion,
    by: Member,
    body_site: str,
    side: str = Side.UNKNOWN,
    noticed: RoughDate | None = None,
    description: str = "",
    made_from: str | None = None,
) -> Lesion:
    """Correct a lesion's location and details. Its number does not change, nor do signed reports.

    ``made_from`` is the form's token; see ``patients.edits``. Raises ``ChangedMeanwhile``.
    """
    ensure_same_clinic(lesion.patient, by)
    with transaction.atomic():
        lesion = Lesion.objects.select_for_update(of=("self",)).select_related("patient").get(pk=lesion.pk)
        values = {"body_site": body_site, "side": side, "noticed": noticed, "description": description}
        change_record(lesion, values, by=by.user, made_from=made_from)
        lesion.save()
    return lesion
