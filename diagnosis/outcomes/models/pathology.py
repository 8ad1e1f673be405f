import uuid
from decimal import Decimal
from pathlib import PurePath

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from diagnosis.outcomes.models.specimen import Specimen
from diagnosis.reviews.answers import (
    ANSWERS,
    CANNOT_TELL,
    FREE_TEXT,
    NOT_A_LESION,
    answer_choices,
    is_malignant_answer,
)
from diagnosis.reviews.models import Review
from diagnosis.reviews.review_words import answer_name
from patients.models import Member
from patients.models.clinic_rows import ClinicRows

# What a pathologist may answer: any diagnosis, words of their own, or that the tissue allows none.
RESULT_ANSWERS = tuple(answer for answer in ANSWERS if answer != NOT_A_LESION)
MALIGNANT_ANSWERS = tuple(answer for answer in RESULT_ANSWERS if is_malignant_answer(answer))
THINNEST_MM, THICKEST_MM = Decimal("0.05"), Decimal("50")
MELANOMA = "mel"


class Invasion(models.TextChoices):
    """Whether a melanoma has grown into the deeper skin. Only then it has a thickness."""

    IN_SITU = "in_situ", _("In situ")
    INVASIVE = "invasive", _("Invasive")


class Ulceration(models.TextChoices):
    YES = "yes", _("Ulcerated")
    NO = "no", _("Not ulcerated")


class Margins(models.TextChoices):
    CLEAR = "clear", _("Clear")
    INVOLVED = "involved", _("Involved")
    NOT_STATED = "not_stated", _("Not stated")


INVASIVE_MELANOMA = Q(answer=MELANOMA, invasion=Invasion.INVASIVE)


def report_path(result: "PathologyResult", filename: str) -> str:
    """Return where the laboratory's report is stored: no patient data, only the result's random key."""
    return str(PurePath("outcomes") / result.pk.hex[:2] / f"{result.pk.hex}-report")


class PathologyResultQuerySet(ClinicRows["PathologyResult"]):
    path_to_clinic = "specimen__clinic"

    def standing(self) -> "PathologyResultQuerySet":
        """Results that were not withdrawn, neither by themselves nor with their specimen."""
        return self.filter(withdrawn_at__isnull=True, specimen__withdrawn_at__isnull=True)

    def newest(self) -> "PathologyResultQuerySet":
        """The newest standing result of each specimen, confirmed or not."""
        return self.standing().exclude(self._has_newer(confirmed_only=False))

    def to_confirm(self) -> "PathologyResultQuerySet":
        """The newest results that no dermatologist has confirmed yet."""
        return self.newest().filter(confirmed_at__isnull=True)

    def counting(self) -> "PathologyResultQuerySet":
        """The newest confirmed result of each specimen: the one that counts."""
        return self.standing().filter(confirmed_at__isnull=False).exclude(self._has_newer(confirmed_only=True))

    def malignant(self) -> "PathologyResultQuerySet":
        return self.filter(answer__in=MALIGNANT_ANSWERS)

    def _has_newer(self, *, confirmed_only: bool) -> Exists:
        newer = PathologyResult.objects.filter(
            specimen=OuterRef("specimen"), number__gt=OuterRef("number"), withdrawn_at__isnull=True
        )
        return Exists((newer.filter(confirmed_at__isnull=False) if confirmed_only else newer).order_by())


class PathologyResult(models.Model):
    """What a laboratory reported about a specimen. Append-only, which a database trigger enforces.

    An amended report is another row with the reason; the newest that a dermatologist has confirmed counts. Only the
    confirmation and a withdrawal may be written later, each once.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    specimen = models.ForeignKey(Specimen, on_delete=models.PROTECT, related_name="results")
    number = models.PositiveSmallIntegerField(help_text=_("Counts the specimen's results from 1."))
    reason = models.TextField(blank=True, default="", help_text=_("Why it was amended; empty for the first."))
    received_on = models.DateField()
    reported_by = models.CharField(max_length=120, blank=True, default="")
    answer = models.CharField(max_length=16, choices=answer_choices)
    other_text = models.CharField(max_length=200, blank=True, default="")
    invasion = models.CharField(max_length=10, choices=Invasion, blank=True, default="")
    breslow_mm = models.DecimalField(max_digits=4, decimal_places=2, null=True)
    ulceration = models.CharField(max_length=5, choices=Ulceration, blank=True, default="")
    margins = models.CharField(max_length=12, choices=Margins, default=Margins.NOT_STATED)
    report_text = models.TextField(blank=True, default="")
    file = models.FileField(upload_to=report_path, max_length=120, blank=True)
    file_name = models.CharField(max_length=200, blank=True, default="")
    file_type = models.CharField(max_length=40, blank=True, default="")
    file_sha256 = models.CharField(max_length=64, blank=True, default="")
    entered_by = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    confirmed_by = models.ForeignKey(Member, on_delete=models.PROTECT, null=True, related_name="+")
    confirmed_at = models.DateTimeField(null=True)
    counted_after = models.PositiveBigIntegerField(
        null=True, help_text=_("The newest step when it was confirmed: what was said before came without it.")
    )
    withdrawn_by = models.ForeignKey(Member, on_delete=models.PROTECT, null=True, related_name="+")
    withdrawn_at = models.DateTimeField(null=True)
    withdrawal_reason = models.TextField(null=True)

    objects = PathologyResultQuerySet.as_manager()

    class Meta:
        ordering = ["specimen", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["specimen", "number"], name="pathology_number_is_unique"),
            models.CheckConstraint(
                condition=Q(number=1, reason="") | (Q(number__gt=1) & ~Q(reason="")),
                name="pathology_is_amended_for_a_reason",
            ),
            models.CheckConstraint(condition=Q(answer__in=RESULT_ANSWERS), name="pathology_answer_is_known"),
            models.CheckConstraint(
                condition=(Q(answer__in=FREE_TEXT) & ~Q(other_text=""))
                | (~Q(answer__in=FREE_TEXT) & Q(other_text="")),
                name="pathology_says_what_else_it_is",
            ),
            models.CheckConstraint(
                condition=Q(invasion="") | Q(answer=MELANOMA, invasion__in=Invasion.values),
                name="pathology_invasion_is_of_a_melanoma",
            ),
            models.CheckConstraint(
                condition=Q(breslow_mm__isnull=True)
                | (INVASIVE_MELANOMA & Q(breslow_mm__gte=THINNEST_MM, breslow_mm__lte=THICKEST_MM)),
                name="pathology_breslow_is_of_an_invasive_melanoma",
            ),
            models.CheckConstraint(
                condition=Q(ulceration="") | (INVASIVE_MELANOMA & Q(ulceration__in=Ulceration.values)),
                name="pathology_ulceration_is_of_an_invasive_melanoma",
            ),
            models.CheckConstraint(condition=Q(margins__in=Margins.values), name="pathology_margins_are_known"),
            models.CheckConstraint(
                condition=Q(file="", file_name="", file_type="", file_sha256="")
                | (~Q(file="") & ~Q(file_name="") & ~Q(file_type="") & Q(file_sha256__regex=r"^[0-9a-f]{64}$")),
                name="pathology_file_is_described",
            ),
            models.CheckConstraint(
                condition=Q(confirmed_at__isnull=True, confirmed_by__isnull=True, counted_after__isnull=True)
                | Q(confirmed_at__isnull=False, confirmed_by__isnull=False, counted_after__isnull=False),
                name="pathology_is_confirmed_by_someone",
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_at__isnull=True, withdrawn_by__isnull=True, withdrawal_reason__isnull=True)
                | (
                    Q(withdrawn_at__isnull=False, withdrawn_by__isnull=False, withdrawal_reason__isnull=False)
                    & ~Q(withdrawal_reason="")
                ),
                name="pathology_is_withdrawn_by_someone_for_a_reason",
            ),
        ]
        indexes = [
            models.Index(fields=["-confirmed_at"], name="pathology_by_confirmation"),
            models.Index(fields=["answer"], name="pathology_by_answer"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("pathology", args=[self.pk])

    @property
    def name(self) -> str:
        """The diagnosis in words, with the pathologist's own if there are any."""
        if self.answer == CANNOT_TELL:
            return _now("No diagnosis possible")
        return answer_name(self.answer, self.other_text)

    @property
    def breslow(self) -> str:
        """The Breslow thickness with its unit; empty if there is none."""
        return "" if self.breslow_mm is None else _now("%(mm)s mm") % {"mm": f"{self.breslow_mm.normalize():f}"}

    @property
    def details(self) -> str:
        """The diagnosis with what was measured: “Melanoma, invasive, Breslow 0.8 mm, ulcerated”."""
        parts = [self.name]
        if self.invasion:
            parts.append(str(self.get_invasion_display()).lower())
        if self.breslow:
            parts.append(_now("Breslow %(thickness)s") % {"thickness": self.breslow})
        if self.ulceration:
            parts.append(str(self.get_ulceration_display()).lower())
        return ", ".join(parts)

    @property
    def names_a_diagnosis(self) -> bool:
        return self.answer != CANNOT_TELL

    @property
    def is_malignant(self) -> bool:
        return is_malignant_answer(self.answer)

    @property
    def is_confirmed(self) -> bool:
        return self.confirmed_at is not None

    @property
    def is_withdrawn(self) -> bool:
        return self.withdrawn_at is not None

    @property
    def is_amended(self) -> bool:
        return self.number > 1


class ResultReview(models.Model):
    """A review that a confirmed result added to a photograph of its lesion. Append-only."""

    result = models.ForeignKey(PathologyResult, on_delete=models.PROTECT, related_name="reviews")
    review = models.OneToOneField(Review, on_delete=models.PROTECT, related_name="pathology")

    def __str__(self) -> str:
        return f"{self.review_id}"
