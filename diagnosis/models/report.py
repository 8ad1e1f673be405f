import uuid

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from patients.models import Member, Visit


def pdf_path(report: "Report", filename: str) -> str:
    return f"reports/{report.pk.hex[:2]}/{report.pk.hex}.pdf"


class ReportQuerySet(models.QuerySet["Report"]):
    def visible_to(self, member: Member | None) -> "ReportQuerySet":
        """The reports of the member's clinic."""
        return self.filter(visit__patient__clinic=member.clinic_id) if member else self.none()

    def released_to(self, user: AbstractBaseUser | AnonymousUser) -> "ReportQuerySet":
        """The reports that were released to the patient who signed in as ``user``."""
        if not user.is_authenticated:
            return self.none()
        return self.filter(visit__patient__user=user, released_at__isnull=False)


class Report(models.Model):
    """A visit as it was signed: content and PDF, frozen and hashed. Only its release may still happen, once."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    visit = models.OneToOneField(Visit, on_delete=models.PROTECT, related_name="report")
    signed_by = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    signed_at = models.DateTimeField()
    content = models.TextField(help_text=_("Canonical JSON, exactly the bytes that were hashed."))
    content_sha256 = models.CharField(max_length=64)
    pdf = models.FileField(upload_to=pdf_path, max_length=120)
    pdf_sha256 = models.CharField(max_length=64)
    released_by = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+", null=True)
    released_at = models.DateTimeField(null=True)

    objects = ReportQuerySet.as_manager()

    class Meta:
        ordering = ["-signed_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(content_sha256__regex=r"^[0-9a-f]{64}$", pdf_sha256__regex=r"^[0-9a-f]{64}$"),
                name="report_is_hashed",
            ),
            models.CheckConstraint(
                condition=Q(released_at__isnull=True, released_by__isnull=True)
                | Q(released_by__isnull=False, released_at__isnull=False, released_at__gte=F("signed_at")),
                name="report_is_released_after_signing_by_someone",
            ),
        ]

    def __str__(self) -> str:
        return _("Report of %(date)s") % {"date": self.signed_at.date().isoformat()}
