import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from patients.models.clinic_rows import ClinicRows
from patients.models.edited import Edited


class ReviewRule(models.TextChoices):
    """How many readers are needed to confirm the label of a photograph."""

    ONE_READER = "one_reader", _("One reader: the newest opinion")
    TWO_BLINDED_READERS = "two_blinded_readers", _("Two blinded readers, and a third where they differ")


class Reading(models.TextChoices):
    """What a dermatologist sees before giving an opinion on the review screen."""

    BLINDED_FIRST = "blinded_first", _("Blinded first: the network's answer appears after the reader's own")
    NETWORK_SHOWN = "network_shown", _("The network's answer is shown from the start")


class ClinicQuerySet(ClinicRows["Clinic"]):
    path_to_clinic = "pk"


class Clinic(Edited):
    """A tenant. Every record belongs to one clinic and is visible only there."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=120, unique=True)
    address = models.TextField(blank=True)
    phone = models.CharField(max_length=40, blank=True)
    review_rule = models.CharField(
        _("rule for reviews"),
        max_length=20,
        choices=ReviewRule,
        default=ReviewRule.ONE_READER,
        help_text=_("Histopathology outranks opinions under either rule. Labels are recalculated when it changes."),
    )
    prints_risk = models.BooleanField(
        _("risk facts in reports"),
        default=False,
        help_text=_("Print the patient's risk, and what was not asked, in reports signed from now on."),
    )
    reading = models.CharField(
        _("reading"),
        max_length=16,
        choices=Reading,
        default=Reading.BLINDED_FIRST,
        help_text=_("Two blinded readers always read blinded, whatever is chosen here."),
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ClinicQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="clinic_has_a_name"),
            models.CheckConstraint(condition=Q(review_rule__in=ReviewRule.values), name="clinic_review_rule_is_known"),
            models.CheckConstraint(condition=Q(reading__in=Reading.values), name="clinic_reading_is_known"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def reads_blinded(self) -> bool:
        """Whether every reader of the clinic answers before seeing the network's answer."""
        return self.review_rule == ReviewRule.TWO_BLINDED_READERS or self.reading == Reading.BLINDED_FIRST
