import datetime
import re
import uuid

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Lower
from django.utils.translation import gettext as _

from dermascan.core.errors import Refused
from dermascan.core.rough_dates import RoughDate
from patients.edits import change_record
from patients.models import Clinic, Member, Patient, Sex
from patients.names import clean_line, clean_number, fold_number, name_keys
from patients.services.accounts import remove_address
from patients.services.merged_records import lock_patient
from patients.services.same_clinic import ensure_same_clinic

FIRST_RECORD_NUMBER = "P-00001"
_LENGTH = 40
_ENDS_IN_DIGITS = re.compile(r"^(?P<prefix>.*?)(?P<number>[0-9]+)$", re.DOTALL)


class RecordNumberTaken(Refused):
    """The clinic already has a patient with this record number: ``patient``."""

    code = "record_number_taken"

    def __init__(self, patient: Patient) -> None:
        super().__init__(_("%(name)s already has this record number.") % {"name": patient.name})
        self.patient = patient


class NamesakeRegistered(Refused):
    """The clinic already has a patient with this name and birth date, most likely the same person: ``patient``.

    Names are compared without regard to accents, case and the order of given and family name.
    """

    code = "namesake_registered"

    def __init__(self, patient: Patient) -> None:
        super().__init__(
            _("%(name)s is registered as %(number)s.") % {"name": patient.name, "number": patient.record_number}
        )
        self.patient = patient


class BirthDateContradicted(Refused):
    """The record contains an event before the corrected birth date; the message says which."""

    code = "birth_date_contradicted"


def register_patient(
    *,
    by: Member,
    family_name: str,
    birth_date: datetime.date,
    given_name: str = "",
    record_number: str = "",
    sex: str = Sex.UNKNOWN,
    skin_type: str = "",
    email: str = "",
    phone: str = "",
    history: str = "",
    is_somebody_else: bool = False,
) -> Patient:
    """Register a patient in the clinic of ``by``; if the record number is empty, the next free one is assigned.

    Args:
        is_somebody_else: the user confirmed that this is not the existing patient of the same name and birth date.

    Raises ``RecordNumberTaken``, ``NamesakeRegistered``.
    """
    with transaction.atomic():
        clinic = Clinic.objects.select_for_update().get(pk=by.clinic_id)
        if not is_somebody_else:
            _refuse_namesakes(_namesakes(clinic, given_name, family_name, birth_date))
        patient = Patient(
            clinic=clinic,
            record_number=_free_number(record_number, clinic) or suggest_record_number(clinic=clinic),
            given_name=clean_line(given_name),
            family_name=clean_line(family_name),
            birth_date=birth_date,
            sex=sex,
            skin_type=skin_type,
            email=email,
            phone=phone,
            history=history,
            created_by=by,
        )
        _save(patient)
    return patient


def update_patient(
    *,
    patient: Patient,
    by: Member,
    family_name: str,
    birth_date: datetime.date,
    given_name: str = "",
    record_number: str = "",
    sex: str = Sex.UNKNOWN,
    skin_type: str = "",
    email: str = "",
    phone: str = "",
    history: str = "",
    is_somebody_else: bool = False,
    made_from: str | None = None,
) -> Patient:
    """Correct the patient's details; an empty record number keeps the present one.

    A changed e-mail address removes the old one from the patient's account, unless a password has been chosen.

    Args:
        is_somebody_else: the user confirmed that this is not the patient whose name and birth date it now shares.
        made_from: the form's token; see ``patients.edits``.

    Raises ``RecordNumberTaken``, ``NamesakeRegistered``, ``BirthDateContradicted``, ``ChangedMeanwhile``.
    """
    ensure_same_clinic(patient, by)
    with transaction.atomic():
        clinic = Clinic.objects.select_for_update().get(pk=patient.clinic_id)
        patient = lock_patient(patient)
        values = {
            "record_number": _free_number(record_number, clinic, of=patient) or patient.record_number,
            "given_name": clean_line(given_name),
            "family_name": clean_line(family_name),
            "birth_date": birth_date,
            "sex": sex,
            "skin_type": skin_type,
            "email": email,
            "phone": phone,
            "history": history,
        }
        address = patient.email
        namesakes = _namesakes_of(patient)
        ensure_nothing_is_earlier(patient, birth_date)
        change_record(patient, values, by=by.user, made_from=made_from)
        if not is_somebody_else:
            _refuse_namesakes(_namesakes_of(patient) - namesakes)
        _save(patient)
        if email.lower() != address.lower():
            remove_address(patient=patient, address=address)
    return patient


def suggest_record_number(*, clinic: Clinic) -> str:
    """Return a free record number that continues from the newest one."""
    newest = Patient.objects.filter(clinic=clinic).order_by("-created_at", "-record_number").first()
    if newest is None:
        return FIRST_RECORD_NUMBER
    match = _ENDS_IN_DIGITS.match(newest.record_number)
    if match is None:
        prefix, digits = f"{newest.record_number}-", "0"
    else:
        prefix, digits = match["prefix"], match["number"]
    candidates = [f"{prefix}{int(digits) + step:0{len(digits)}}" for step in range(1, 101)]
    taken = {number.lower() for number in _with_numbers(clinic.pk, candidates).values_list("record_number", flat=True)}
    free = (number for number in candidates if number.lower() not in taken and len(number) <= _LENGTH)
    return next(free, None) or f"P-{uuid.uuid4().hex[:12].upper()}"


def ensure_nothing_is_earlier(patient: Patient, birth_date: datetime.date) -> None:
    """Raise ``BirthDateContradicted`` if the record contains an event before ``birth_date``, a corrected date."""
    if birth_date <= patient.birth_date:
        return
    visit = patient.visits.in_use().order_by("date").first()
    if visit is not None and visit.date < birth_date:
        raise BirthDateContradicted(
            _("The birth date must be before the patient's first visit, on %(date)s.")
            % {"date": RoughDate.of(visit.date)}
        )
    for lesion in patient.lesions.order_by("number"):
        if lesion.noticed is not None and lesion.noticed.last < birth_date:
            raise BirthDateContradicted(
                _("%(lesion)s was first noticed before this date: %(date)s. Correct that first, or the birth date.")
                % {"lesion": lesion.title, "date": lesion.noticed}
            )


def _namesakes_of(patient: Patient) -> set[Patient]:
    namesakes = _namesakes(patient.clinic, patient.given_name, patient.family_name, patient.birth_date)
    return namesakes - {patient}


def _namesakes(clinic: Clinic, given_name: str, family_name: str, birth_date: datetime.date) -> set[Patient]:
    """Return the clinic's patients with this name and birth date."""
    keys = name_keys(given_name, family_name)
    patients = Patient.objects.in_use().filter(clinic=clinic, birth_date=birth_date)
    return {patient for patient in patients if keys & name_keys(patient.given_name, patient.family_name)}


def _refuse_namesakes(namesakes: set[Patient]) -> None:
    if namesakes:
        raise NamesakeRegistered(min(namesakes, key=lambda patient: (patient.created_at, patient.pk)))


def patient_with_number(record_number: str, *, clinic: Clinic, other_than: Patient | None = None) -> Patient | None:
    """Return the patient who has this record number, however spaces, dashes and digits are written."""
    folded = fold_number(record_number)
    holders = Patient.objects.filter(clinic=clinic).filter(
        Q(folded_number=folded) if folded else Q(record_number__iexact=record_number)
    )
    return holders.exclude(pk=other_than.pk).first() if other_than else holders.first()


def _free_number(record_number: str, clinic: Clinic, *, of: Patient | None = None) -> str:
    """Return a record number in its stored form. The clinic must be locked. Raises ``RecordNumberTaken``."""
    number = clean_number(record_number)
    if of is not None and number == of.record_number:
        return number
    if number and (existing := patient_with_number(number, clinic=clinic, other_than=of)):
        raise RecordNumberTaken(existing)
    return number


def _save(patient: Patient) -> None:
    """Save the patient. Raises ``RecordNumberTaken`` on a race, which only the database can detect."""
    try:
        with transaction.atomic():
            patient.save()
    except IntegrityError:
        # Looked up in the table, because each database words the error in its own way.
        existing = _with_numbers(patient.clinic_id, [patient.record_number]).exclude(pk=patient.pk).first()
        if existing is None:
            raise
        raise RecordNumberTaken(existing) from None


def _with_numbers(clinic_id: uuid.UUID, numbers: list[str]) -> QuerySet[Patient]:
    """Return the patients with one of these numbers, compared as the unique constraint does: by the database."""
    folded = Patient.objects.alias(folded=Lower("record_number"))
    return folded.filter(clinic=clinic_id, folded__in=[Lower(Value(number)) for number in numbers])
