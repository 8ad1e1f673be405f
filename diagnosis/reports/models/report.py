import json
import uuid
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Exists, F, Func, OuterRef, Q
from django.db.models.functions import StrIndex
from django.utils.translation import gettext_lazy as _

from diagnosis.images.models import Exclusion
from patients.models import Member, Visit
from patients.models.clinic_rows import ClinicRows

SHA256 = r"^[0-9a-f]{64}$"


class Dashed(Func):
    """A UUID with dashes, as in JSON; SQLite stores it without them."""

    function = "CAST"
    template = "CAST(%(expressions)s AS text)"
    output_field = models.TextField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        parts = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
        template = " || '-' || ".join(f"substr(%(expressions)s, {start}, {length})" for start, length in parts)
        return self.as_sql(compiler, connection, template=f"({template})", **context)


def pdf_path(record: "Signed", filename: str) -> str:
    return f"{record.folder}/{record.pk.hex[:2]}/{record.pk.hex}.pdf"


class Signed(models.Model):
    """A signed record: content and PDF, frozen and hashed."""

    folder: ClassVar[str]  # of its PDFs

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    signed_by = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    signed_at = models.DateTimeField()
    content = models.TextField(help_text=_("Canonical JSON, exactly the bytes that were hashed."))
    content_sha256 = models.CharField(max_length=64)
    pdf = models.FileField(upload_to=pdf_path, max_length=120)
    pdf_sha256 = models.CharField(max_length=64)

    class Meta:
        abstract = True
        ordering = ["-signed_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(content_sha256__regex=SHA256, pdf_sha256__regex=SHA256), name="%(class)s_is_hashed"
            )
        ]


class ReportQuerySet(ClinicRows["Report"]):
    path_to_clinic = "visit__patient__clinic"

    def released_to(self, user: AbstractBaseUser | AnonymousUser) -> "ReportQuerySet":
        """The reports released to the patient who signed in as ``user``, without withheld ones."""
        return self.ever_released_to(user).exclude(self._is_withheld())

    def withheld_from(self, user: AbstractBaseUser | AnonymousUser) -> "ReportQuerySet":
        """The reports released to ``user`` and withheld since: see ``_is_withheld``."""
        return self.ever_released_to(user).filter(self._is_withheld())

    def withheld(self) -> "ReportQuerySet":
        """The released reports that turned out to show another patient."""
        return self.filter(self._shows_other_patient(), released_at__isnull=False)

    def kept_from_patients(self) -> "ReportQuerySet":
        """The released reports that are withheld for any reason: see ``_is_withheld``."""
        return self.filter(self._is_withheld(), released_at__isnull=False)

    def ever_released_to(self, user: AbstractBaseUser | AnonymousUser) -> "ReportQuerySet":
        """The reports released to ``user``, including withheld ones."""
        if not user.is_authenticated:
            return self.none()
        return self.filter(visit__patient__user=user.pk, released_at__isnull=False)

    def _is_withheld(self) -> Q:
        """Whether a report shows another patient or was withheld by a dermatologist."""
        withheld = self.model._meta.get_field("withholdings").related_model.objects.standing()  # type: ignore[attr-defined]
        return Q(self._shows_other_patient()) | Q(Exists(withheld.filter(report=OuterRef("pk"))))

    def _shows_other_patient(self) -> Exists:
        # Uses the signed content and not times, since the clock may have been set back.
        in_visit = Exclusion.objects.of_another_patient().filter(image__visit=OuterRef("visit"))
        return Exists(in_visit.annotate(place=StrIndex(OuterRef("content"), Dashed("image_id"))).filter(place__gt=0))


class Report(Signed):
    """A visit as it was signed. It can only be released, once; later text goes into addenda."""

    folder = "reports"

    visit = models.OneToOneField(Visit, on_delete=models.PROTECT, related_name="report")
    released_by = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+", null=True)
    released_at = models.DateTimeField(null=True)
    no_plan_reason = models.TextField(
        null=True, help_text=_("Why it was signed without a plan although it needs one; for the clinic.")
    )

    objects = ReportQuerySet.as_manager()

    class Meta(Signed.Meta):
        constraints = [
            *Signed.Meta.constraints,
            models.CheckConstraint(
                condition=Q(released_at__isnull=True, released_by__isnull=True)
                | Q(released_by__isnull=False, released_at__isnull=False, released_at__gte=F("signed_at")),
                name="report_is_released_after_signing_by_someone",
            ),
        ]

    def __str__(self) -> str:
        return _("Report of %(date)s") % {"date": self.signed_at.date().isoformat()}

    @property
    def why_no_plan(self) -> str:
        """The signer's reason for signing without a needed plan; else empty."""
        # Earlier schema versions store it in the content.
        return self.no_plan_reason or str(json.loads(self.content)["visit"].get("no_plan_reason", ""))


class AddendumQuerySet(models.QuerySet["Addendum"]):
    def visible_to(self, member: Member | None) -> "AddendumQuerySet":
        """The addenda of the member's clinic."""
        return self.filter(report__in=Report.objects.visible_to(member))

    def released_to(self, user: AbstractBaseUser | AnonymousUser) -> "AddendumQuerySet":
        """The addenda of reports released to the patient who signed in as ``user``."""
        return self.filter(report__in=Report.objects.released_to(user))


class Addendum(Signed):
    """Text that a dermatologist adds to a signed report. All readers of the report see it."""

    folder = "addenda"

    report = models.ForeignKey(Report, on_delete=models.PROTECT, related_name="addenda")
    number = models.PositiveSmallIntegerField(help_text=_("From 1, within its report."))

    objects = AddendumQuerySet.as_manager()

    class Meta(Signed.Meta):
        ordering = ["number"]
        verbose_name_plural = _("addenda")
        constraints = [
            *Signed.Meta.constraints,
            models.UniqueConstraint(fields=["report", "number"], name="addendum_has_a_number_of_its_own"),
            models.CheckConstraint(condition=Q(number__gte=1), name="addendum_numbers_begin_at_one"),
        ]

    def __str__(self) -> str:
        return _("Addendum %(number)d of %(date)s") % {
            "number": self.number,
            "date": self.signed_at.date().isoformat(),
        }

    @property
    def words(self) -> str:
        """The dermatologist's text."""
        return str(json.loads(self.content)["words"])
