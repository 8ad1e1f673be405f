import uuid

from django.core.validators import EmailValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from patients.models import Clinic, Member
from patients.models.clinic_rows import ClinicRows


class OutsideReaderQuerySet(ClinicRows["OutsideReader"]):
    path_to_clinic = "clinic"


class OutsideReader(models.Model):
    """A doctor outside the clinic who was asked for an opinion. They have no account. Append-only."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+")
    full_name = models.CharField(max_length=120)
    institution = models.CharField(max_length=120, blank=True, default="")
    email = models.CharField(max_length=254, validators=[EmailValidator()])
    added_by = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = OutsideReaderQuerySet.as_manager()

    class Meta:
        ordering = ["full_name", "id"]
        constraints = [
            models.UniqueConstraint(
                "clinic", Lower("email"), "full_name", "institution", name="outside_reader_is_listed_once"
            ),
            models.CheckConstraint(condition=~Q(full_name=""), name="outside_reader_has_a_name"),
            models.CheckConstraint(condition=Q(email__contains="@"), name="outside_reader_has_an_address"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """The name as shown beside an answer: it always says that the doctor is not of the clinic."""
        where = f", {self.institution}" if self.institution else ""
        return _("%(name)s%(where)s (outside the clinic)") % {"name": self.full_name, "where": where}
