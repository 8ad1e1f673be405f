import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from patients.models.clinic_rows import ClinicRows
from patients.models.lesion import BodySite, Lesion, Side
from patients.models.member import Member

# The side of the square in which each view is drawn.
FRAME = 1000


class MapView(models.TextChoices):
    """The drawings of the body map; left and right are the patient's."""

    FRONT = "front", _("From the front")
    BACK = "back", _("From behind")
    LEFT = "left", _("Left side")
    RIGHT = "right", _("Right side")
    HEAD_FRONT = "head_front", _("Face")
    HEAD_BACK = "head_back", _("Back of the head")
    HEAD_LEFT = "head_left", _("Head, left side")
    HEAD_RIGHT = "head_right", _("Head, right side")
    HANDS_BACK = "hands_back", _("Backs of the hands")
    PALMS = "palms", _("Palms")
    FEET_TOP = "feet_top", _("Feet from above")
    SOLES = "soles", _("Soles")


class LesionPlacementQuerySet(ClinicRows["LesionPlacement"]):
    path_to_clinic = "lesion__patient__clinic"


class LesionPlacement(models.Model):
    """Where a member set a lesion's pin on the body map. Append-only: the newest counts.

    It counts only while the lesion's body site and side are those for which it was set.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    lesion = models.ForeignKey(Lesion, on_delete=models.PROTECT, related_name="placements")
    number = models.PositiveIntegerField(help_text=_("Counts the lesion's placements from 1."))
    view = models.CharField(max_length=12, choices=MapView)
    x = models.PositiveSmallIntegerField(help_text=_("0 to 1000 across the drawing of an adult."))
    y = models.PositiveSmallIntegerField(help_text=_("0 to 1000 down the drawing of an adult."))
    body_site = models.CharField(max_length=20, choices=BodySite, help_text=_("The lesion's, when it was placed."))
    side = models.CharField(max_length=10, choices=Side)
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = LesionPlacementQuerySet.as_manager()

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["lesion", "number"], name="one_placement_of_a_lesion_at_a_time"),
            models.CheckConstraint(condition=Q(number__gte=1), name="placements_count_from_1"),
            models.CheckConstraint(condition=Q(view__in=MapView.values), name="map_view_is_known"),
            models.CheckConstraint(
                condition=Q(x__gte=0, x__lte=FRAME, y__gte=0, y__lte=FRAME), name="placement_is_on_the_drawing"
            ),
            models.CheckConstraint(condition=Q(body_site__in=BodySite.values), name="placement_body_site_is_known"),
            models.CheckConstraint(condition=Q(side__in=Side.values), name="placement_side_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.get_view_display()} ({self.x}, {self.y})"
