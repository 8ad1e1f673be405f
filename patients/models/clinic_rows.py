"""Who sees which rows: members see those of their own clinic."""

from typing import TYPE_CHECKING, Self, TypeVar

from django.db import models

if TYPE_CHECKING:
    from patients.models.member import Member

Row = TypeVar("Row", bound=models.Model, covariant=True)


class ClinicRows(models.QuerySet[Row]):
    """Rows that each belong to one clinic."""

    # The look-up from a row to its clinic.
    path_to_clinic: str

    def visible_to(self, member: "Member | None") -> Self:
        """Return the rows of the member's clinic; none for users who are not members."""
        return self.filter(**{self.path_to_clinic: member.clinic_id}) if member else self.none()
