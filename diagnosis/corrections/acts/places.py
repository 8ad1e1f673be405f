"""Where moved rows go: the next free numbers, copies of lesions and visits, and what a target must allow."""

from django.db.models import Max
from django.utils.translation import gettext as _

from dermascan.core.rough_dates import RoughDate
from diagnosis.corrections.errors import CannotCorrect
from diagnosis.corrections.plans import Plan
from patients.models import Lesion, Patient, Visit

COPIED_OF_A_VISIT = (
    "date", "clinician_id", "complaint", "itch", "pain", "bleeding", "growth", "symptoms_since", "history", "notes",
    "plan",
)  # fmt: skip
COPIED_OF_A_LESION = ("body_site", "side", "noticed_on", "noticed_precision", "description")


class Numbers:
    """Hands out a patient's next lesion numbers."""

    def __init__(self, patient: Patient) -> None:
        self._last: int = patient.lesions.aggregate(highest=Max("number"))["highest"] or 0

    def next(self) -> int:
        self._last += 1
        return self._last


def add_lesion_like(plan: Plan, lesion: Lesion, *, patient: Patient, number: int) -> str:
    """Have the plan add a lesion at the same place, and return the name that stands for its key."""
    ensure_born(patient, lesion=lesion)
    values = {name: getattr(lesion, name) for name in COPIED_OF_A_LESION}
    return plan.add("lesion", patient_id=patient.pk, number=number, **values)


def add_visit_like(plan: Plan, visit: Visit, *, patient: Patient) -> str:
    """Have the plan add an open visit with the same details, and return the name that stands for its key."""
    ensure_born(patient, visit=visit)
    return plan.add("visit", patient_id=patient.pk, **{name: getattr(visit, name) for name in COPIED_OF_A_VISIT})


def ensure_target(patient: Patient, *, of: Patient) -> None:
    """Raise ``CannotCorrect`` unless ``patient`` is another one of the same clinic whose record is in use."""
    if patient.pk == of.pk:
        raise CannotCorrect(_("That is this patient’s own record number. Enter the other patient’s."))
    if patient.clinic_id != of.clinic_id or patient.merged_into_id is not None:
        raise CannotCorrect(_("No record of the clinic has this number."))


def ensure_born(patient: Patient, *, visit: Visit | None = None, lesion: Lesion | None = None) -> None:
    """Raise ``CannotCorrect`` if the visit, or a lesion's first notice, was before the patient was born."""
    if visit is not None and visit.date < patient.birth_date:
        raise CannotCorrect(
            _("%(patient)s was not born on %(date)s: check which record is wrong, or correct the birth date first.")
            % {"patient": patient.name, "date": RoughDate.of(visit.date)}
        )
    if lesion is not None and lesion.noticed is not None and lesion.noticed.last < patient.birth_date:
        raise CannotCorrect(
            _("%(lesion)s was first noticed before %(patient)s was born: correct that first.")
            % {"lesion": lesion.title, "patient": patient.name}
        )


def who(patient: Patient) -> str:
    """A patient's name and record number, for sentences."""
    return f"{patient.name} ({patient.record_number})"
