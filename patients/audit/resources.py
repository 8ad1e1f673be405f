"""Which records belong to which patient: what addresses name, what the admin shows, whose changes are written.

Each app registers its own, so that this one need not know them. ``tests/test_audit_routes.py`` fails for an address
that touches a patient and is covered by none.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import Model

from patients.models import AuditAction


@dataclass(frozen=True)
class Resource:
    """A kind of record, with the look-ups from its row to its patient (None: it has none) and to its clinic."""

    model: type[Model]
    patient: str | None
    clinic: str
    changes: bool

    @property
    def kind(self) -> str:
        return str(self.model._meta.model_name)

    def owner_of(self, key: Any) -> tuple[UUID | None, UUID | None] | None:
        """Return the patient and the clinic of the row with this key, or None if there is no such row."""
        paths = [self.patient or "pk", self.clinic]
        try:
            row = self.model._base_manager.filter(pk=key).values_list(*paths).first()
        except (ValueError, ValidationError, OverflowError):
            return None
        return None if row is None else (row[0] if self.patient else None, row[1])


# By model; by the name of an address's parameter; by the name of an address, what opening it is.
RESOURCES: dict[type[Model], Resource] = {}
PARAMETERS: dict[str, Resource] = {}
ACTIONS: dict[str, AuditAction] = {}


def audited(
    model: type[Model], *, patient: str | None, clinic: str = "", parameter: str = "", changes: bool = True
) -> None:
    """Have reads and changes of a kind of record written.

    Args:
        patient: the look-up from the row to its patient, "pk" for patients themselves; None for records of no patient.
        clinic: the look-up to its clinic; by default its patient's.
        parameter: the parameter by which addresses name such a record.
        changes: have changes written too, and not reads alone.
    """
    path = clinic or ("clinic" if patient == "pk" else f"{patient}__clinic")
    resource = Resource(model, patient, path, changes)
    RESOURCES[model] = resource
    if parameter:
        PARAMETERS[parameter] = resource


def opened_as(action: AuditAction, *addresses: str) -> None:
    """State that opening these addresses (names of the URL configuration) is an export or a print."""
    ACTIONS.update(dict.fromkeys(addresses, action))
