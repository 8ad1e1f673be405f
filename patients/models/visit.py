import datetime
import uuid
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from patients.models.clinic_rows import ClinicRows
from patients.models.edited import Edited
from patients.models.member import Member
from patients.models.patient import Patient

# Symptoms belong to a lesion at a visit: see LesionSymptoms. The fields of the visit itself hold those of visits that
# were logged before that, of which the lesion was not stated.
SYMPTOMS = ("itch", "pain", "bleeding", "growth")
# A patient with one of these is advised to be seen sooner, whatever the photographs show.
WARNING_SYMPTOMS = ("pain", "bleeding", "growth")


class VisitStatus(models.TextChoices):
    OPEN = "open", _("Open")
    SIGNED = "signed", _("Signed")
    RELEASED = "released", _("Released to the patient")
    # Entered by mistake: kept, and counted nowhere. It becomes what it was when that is undone.
    VOID = "void", _("Void")


class VisitQuerySet(ClinicRows["Visit"]):
    path_to_clinic = "patient__clinic"

    def visible_to(self, member: Member | None) -> Self:
        """The visits of the patients of the member's clinic.

        EXISTS rather than a join, so that a query in index order stops when its page is full.
        """
        return self.filter(Exists(Patient.objects.visible_to(member).filter(pk=OuterRef("patient")).order_by()))

    def in_use(self) -> "VisitQuerySet":
        """Return the visits that are not void."""
        return self.exclude(status=VisitStatus.VOID)

    def released_to(self, user: "settings.AUTH_USER_MODEL") -> "VisitQuerySet":  # type: ignore[name-defined]
        """Return the visits that a clinic has released to the patient signed in as ``user``."""
        if not user.is_authenticated:
            return self.none()
        return self.filter(patient__user=user, status=VisitStatus.RELEASED)


def is_at_a_visit_in_use(visit: str, **fields: Any) -> Exists:
    """Whether the visit that a row's path ``visit`` leads to is not void: for figures over photographs and answers.

    A subquery, not a join: with a join, SQLite starts from the clinic's patients and reads years to find a month.
    """
    return Exists(Visit.objects.in_use().filter(pk=OuterRef(visit), **fields).order_by())


class Visit(Edited):
    """One visit of a patient. It is open until a dermatologist signs it, and frozen from then on."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="visits")
    date = models.DateField(default=timezone.localdate)
    clinician = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="visits")
    complaint = models.CharField(max_length=300, help_text=_("Why the patient came, in a sentence."))
    itch = models.BooleanField(_("itches"), default=False)
    pain = models.BooleanField(_("hurts"), default=False)
    bleeding = models.BooleanField(_("bleeds"), default=False)
    growth = models.BooleanField(_("has grown or changed"), default=False)
    symptoms_since = models.CharField(_("how long, or since when"), max_length=100, blank=True)
    history = models.TextField(blank=True, help_text=_("History relevant to this complaint."))
    notes = models.TextField(blank=True, help_text=_("For the clinic; not in the patient's report."))
    plan = models.TextField(blank=True, help_text=_("What happens next. The patient reads this in the report."))
    status = models.CharField(max_length=10, choices=VisitStatus, default=VisitStatus.OPEN, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = VisitQuerySet.as_manager()

    class Meta:
        ordering = ["-date", "-created_at"]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=VisitStatus.values), name="visit_status_is_known"),
            models.CheckConstraint(condition=~Q(complaint=""), name="visit_has_a_complaint"),
            models.CheckConstraint(condition=Q(date__gte=datetime.date(1990, 1, 1)), name="visit_date_is_plausible"),
        ]
        # Status and id are included so that the visit list is sorted and paginated from the index alone.
        indexes = [
            models.Index(fields=["patient", "-date", "-created_at", "status", "id"], name="visits_by_date"),
            models.Index(fields=["date", "id"], name="visits_of_a_day"),
            models.Index(fields=["-date", "-created_at", "-id"], name="visits_newest_first"),
            models.Index(fields=["status", "-date", "-created_at", "-id"], name="visits_by_status"),
            models.Index(fields=["date", "id"], condition=Q(status=VisitStatus.OPEN), name="open_visits_by_date"),
        ]

    def __str__(self) -> str:
        return _("Visit of %(date)s") % {"date": self.date.isoformat()}

    def get_absolute_url(self) -> str:
        return reverse("visit", args=[self.pk])

    @property
    def is_open(self) -> bool:
        return self.status == VisitStatus.OPEN

    @property
    def is_void(self) -> bool:
        """Whether the visit was entered by mistake and is not used anywhere."""
        return self.status == VisitStatus.VOID

    @property
    def age(self) -> int:
        """The patient's age at the visit."""
        return self.patient.age_on(self.date)

    @property
    def has_symptoms_of_no_lesion(self) -> bool:
        """Whether symptoms were recorded for the visit as a whole, before they belonged to lesions."""
        return bool(self.symptoms or self.symptoms_since)

    @property
    def symptoms(self) -> list[str]:
        """The labels of the symptoms that were ticked for the visit as a whole, without naming the lesion."""
        return self._labels(SYMPTOMS)

    @property
    def warning_symptoms(self) -> list[str]:
        """The labels of those that call for a dermatologist."""
        return self._labels(WARNING_SYMPTOMS)

    def _labels(self, names: tuple[str, ...]) -> list[str]:
        fields = [field for field in self._meta.fields if field.name in names]
        return [str(field.verbose_name) for field in fields if getattr(self, field.name)]
