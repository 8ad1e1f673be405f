"""What the lists filter by, calculated ahead for each lesion and visit, and which of it is out of date.

``diagnosis.record.search.conditions`` defines what the columns mean. Database triggers add a ``StaleSummary`` whenever
a row changes that a summary depends on (``diagnosis/migrations/_stale_summaries.py``): no code has to remember it.
"""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from diagnosis.record.search.choices import Answered
from patients.models import Clinic, Lesion, Visit, VisitStatus
from patients.models.clinic_rows import ClinicRows


class ListSummary(models.Model):
    """What is calculated for lesions and visits alike. Written only by ``diagnosis.record.search.summaries``."""

    # One of Answered; empty without a photograph.
    tier = models.CharField(max_length=10, choices=Answered, blank=True)
    is_malignant = models.BooleanField(help_text=_("A photograph has a malignant or pre-malignant label."))
    is_benign = models.BooleanField(help_text=_("It has a benign label, and none that leaves danger open."))
    is_disputed = models.BooleanField()
    is_labelled = models.BooleanField()
    needs_plan = models.BooleanField(help_text=_("A next step is needed and there is none."))

    class Meta:
        abstract = True


# All that a list is filtered by and sorted by, so that a search for what is rare reads the index alone.
_FLAGS = ["tier", "is_malignant", "is_benign", "is_disputed", "is_labelled", "needs_plan"]


class LesionSummaryQuerySet(ClinicRows["LesionSummary"]):
    path_to_clinic = "clinic"


class LesionSummary(ListSummary):
    lesion = models.OneToOneField(Lesion, on_delete=models.CASCADE, primary_key=True, related_name="summary")
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+", db_index=False)
    is_photographed = models.BooleanField()
    newest_at = models.DateTimeField(help_text=_("Of the newest photograph in use; else when the lesion was added."))

    objects = LesionSummaryQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(tier__in=["", *Answered.values]), name="lesion_summary_tier_is_known"),
            models.CheckConstraint(
                condition=Q(is_photographed=True) & ~Q(tier="")
                | Q(is_photographed=False, tier="", is_labelled=False, needs_plan=False),
                name="lesion_without_photographs_says_nothing",
            ),
        ]
        indexes = [
            models.Index(
                fields=["clinic", "-is_photographed", "-newest_at", "-lesion", *_FLAGS],
                name="lesion_summaries_in_order",
            )
        ]

    def __str__(self) -> str:
        return f"{self.lesion_id}"


class VisitSummaryQuerySet(ClinicRows["VisitSummary"]):
    path_to_clinic = "clinic"


class VisitSummary(ListSummary):
    visit = models.OneToOneField(Visit, on_delete=models.CASCADE, primary_key=True, related_name="summary")
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+", db_index=False)
    date = models.DateField()
    logged_at = models.DateTimeField()
    status = models.CharField(max_length=10, choices=VisitStatus)

    objects = VisitSummaryQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(tier__in=["", *Answered.values]), name="visit_summary_tier_is_known"),
            models.CheckConstraint(
                condition=~Q(tier="") | Q(is_labelled=False, needs_plan=False),
                name="visit_without_photographs_says_nothing",
            ),
        ]
        indexes = [
            models.Index(
                fields=["clinic", "-date", "-logged_at", "-visit", "status", *_FLAGS], name="visit_summaries_in_order"
            )
        ]

    def __str__(self) -> str:
        return f"{self.visit_id}"


class StaleKind(models.TextChoices):
    """What a stale summary is found by. Triggers write these."""

    LESION = "lesion"
    VISIT = "visit"
    IMAGE = "image"
    REVIEW = "review"
    PATIENT = "patient"
    ALL = "all"


class StaleSummary(models.Model):
    """Something has changed on which summaries depend: a lesion, all lesions of a patient, those of a photograph …

    A row is only added, by triggers, and removed when the summaries were calculated after it: two transactions that
    change one lesion do not wait for each other here.
    """

    kind = models.CharField(max_length=8, choices=StaleKind)
    key = models.UUIDField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(kind__in=StaleKind.values), name="stale_kind_is_known")]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"
