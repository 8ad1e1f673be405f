import uuid
from datetime import datetime

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from diagnosis.images.kinds import PhotographKind
from patients.models import Clinic, Member, User
from patients.models.clinic_rows import ClinicRows
from patients.models.edited import Edited

NARROWEST_FRAME_MM, WIDEST_FRAME_MM = 1, 500
MOST_FRAME_PIXELS = 30_000


class DeviceQuerySet(ClinicRows["Device"]):
    path_to_clinic = "clinic"

    def in_use(self) -> "DeviceQuerySet":
        """Devices that are offered for new photographs."""
        return self.filter(is_retired=False)


class Device(Edited):
    """A camera of a clinic together with its lens or adapter; another lens makes it another device."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="devices")
    name = models.CharField(_("name"), max_length=80)
    lens = models.CharField(_("lens or adapter"), max_length=80, blank=True, default="")
    default_kind = models.CharField(
        _("what it usually takes"), max_length=12, choices=PhotographKind, blank=True, default=""
    )
    is_polarised = models.BooleanField(_("polarised light"), null=True, blank=True)
    is_contact = models.BooleanField(_("contact with the skin"), null=True, blank=True)
    is_retired = models.BooleanField(_("no longer in use"), default=False)
    created_by = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = DeviceQuerySet.as_manager()

    class Meta:
        ordering = ["is_retired", "name", "lens"]
        constraints = [
            models.UniqueConstraint(fields=["clinic", "name", "lens"], name="device_is_named_once_in_its_clinic"),
            models.CheckConstraint(condition=~Q(name=""), name="device_has_a_name"),
            models.CheckConstraint(
                condition=Q(default_kind__in=["", *PhotographKind.values]), name="device_default_kind_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name}, {self.lens}" if self.lens else self.name


class DeviceCalibration(models.Model):
    """How wide a device's full frame is on the skin, in millimetres. Append-only: the newest counts.

    A row without a width withdraws the calibration.
    """

    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="calibrations")
    width_mm = models.DecimalField(
        _("width of the whole picture, in mm"),
        max_digits=6,
        decimal_places=2,
        null=True,
        validators=[MinValueValidator(NARROWEST_FRAME_MM), MaxValueValidator(WIDEST_FRAME_MM)],
    )
    frame_width = models.PositiveIntegerField(_("width of the full frame, in pixels"), null=True)
    frame_height = models.PositiveIntegerField(_("height of the full frame, in pixels"), null=True)
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(width_mm__isnull=True, frame_width__isnull=True, frame_height__isnull=True)
                | Q(
                    width_mm__isnull=False,
                    frame_width__isnull=False,
                    frame_height__isnull=False,
                    width_mm__gte=NARROWEST_FRAME_MM,
                    width_mm__lte=WIDEST_FRAME_MM,
                    frame_width__gte=1,
                    frame_width__lte=MOST_FRAME_PIXELS,
                    frame_height__gte=1,
                    frame_height__lte=MOST_FRAME_PIXELS,
                ),
                name="calibration_is_whole_or_withdrawn",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.width_mm} mm" if self.width_mm is not None else "–"

    @property
    def changed_by(self) -> User:
        return self.member.user

    @property
    def changed_at(self) -> datetime:
        return self.created_at
