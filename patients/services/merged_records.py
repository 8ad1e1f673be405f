"""Records that were merged into another one: nothing is added to them, and their addresses lead to the survivor."""

from django.utils.translation import gettext as _

from dermascan.core.errors import Refused
from patients.models import Patient


class RecordIsMerged(Refused):
    """Something would be added to a record that was merged into another one: ``survivor``."""

    code = "record_is_merged"

    def __init__(self, survivor: Patient) -> None:
        super().__init__(
            _("This record was merged into %(number)s, %(name)s. Make the change there.")
            % {"number": survivor.record_number, "name": survivor.name}
        )
        self.survivor = survivor


def lock_patient(patient: Patient) -> Patient:
    """Return the patient, read again under a lock that lasts until the transaction ends. Raises ``RecordIsMerged``."""
    locked = Patient.objects.select_for_update(of=("self",)).select_related("clinic", "user").get(pk=patient.pk)
    if locked.merged_into_id is not None:
        raise RecordIsMerged(survivor_of(locked))
    return locked


def survivor_of(patient: Patient) -> Patient:
    """Return the record that holds what ``patient`` held: itself, unless it was merged."""
    seen = {patient.pk}
    while patient.merged_into_id is not None and patient.merged_into_id not in seen:
        assert patient.merged_into is not None
        patient = patient.merged_into
        seen.add(patient.pk)
    return patient
