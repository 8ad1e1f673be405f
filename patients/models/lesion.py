import uuid

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from dermascan.core.rough_dates import DatePrecision, RoughDate
from patients.models.clinic_rows import ClinicRows
from patients.models.edited import Edited
from patients.models.member import Member
from patients.models.patient import Patient


class BodySite(models.TextChoices):
    SCALP = "scalp", _("Scalp")
    FACE = "face", _("Face")
    EYELID = "eyelid", _("Eyelid")
    NOSE = "nose", _("Nose")
    LIP = "lip", _("Lip")
    EAR = "ear", _("Ear")
    NECK = "neck", _("Neck")
    CHEST = "chest", _("Chest")
    ABDOMEN = "abdomen", _("Abdomen")
    BACK = "back", _("Back")
    FLANK = "flank", _("Flank")
    SHOULDER = "shoulder", _("Shoulder")
    ARMPIT = "armpit", _("Armpit")
    UPPER_ARM = "upper_arm", _("Upper arm")
    ELBOW = "elbow", _("Elbow")
    FOREARM = "forearm", _("Forearm")
    WRIST = "wrist", _("Wrist")
    HAND = "hand", _("Hand")
    PALM = "palm", _("Palm")
    FINGER = "finger", _("Finger")
    BUTTOCK = "buttock", _("Buttock")
    GROIN = "groin", _("Groin")
    GENITAL = "genital", _("Genital area")
    THIGH = "thigh", _("Thigh")
    KNEE = "knee", _("Knee")
    LOWER_LEG = "lower_leg", _("Lower leg")
    ANKLE = "ankle", _("Ankle")
    FOOT = "foot", _("Foot")
    SOLE = "sole", _("Sole")
    TOE = "toe", _("Toe")
    NAIL = "nail", _("Nail")
    MUCOSA = "mucosa", _("Mouth or other mucosa")


# Forms offer the sites in this order, from head to foot.
BODY_REGIONS = {
    _("Head and neck"): (
        BodySite.SCALP,
        BodySite.FACE,
        BodySite.EYELID,
        BodySite.NOSE,
        BodySite.LIP,
        BodySite.EAR,
        BodySite.NECK,
        BodySite.MUCOSA,
    ),
    _("Trunk"): (
        BodySite.CHEST,
        BodySite.ABDOMEN,
        BodySite.BACK,
        BodySite.FLANK,
        BodySite.BUTTOCK,
        BodySite.GROIN,
        BodySite.GENITAL,
    ),
    _("Arm and hand"): (
        BodySite.SHOULDER,
        BodySite.ARMPIT,
        BodySite.UPPER_ARM,
        BodySite.ELBOW,
        BodySite.FOREARM,
        BodySite.WRIST,
        BodySite.HAND,
        BodySite.PALM,
        BodySite.FINGER,
    ),
    _("Leg and foot"): (
        BodySite.THIGH,
        BodySite.KNEE,
        BodySite.LOWER_LEG,
        BodySite.ANKLE,
        BodySite.FOOT,
        BodySite.SOLE,
        BodySite.TOE,
    ),
    _("Hand or foot"): (BodySite.NAIL,),
}


class Side(models.TextChoices):
    LEFT = "left", _("Left")
    RIGHT = "right", _("Right")
    MIDLINE = "midline", _("Midline")
    UNKNOWN = "unknown", _("Not recorded")


class LesionQuerySet(ClinicRows["Lesion"]):
    path_to_clinic = "patient__clinic"

    def at_the_place_of(self, lesion: "Lesion") -> "LesionQuerySet":
        """Return the patient's lesions at the same body site and side, including ``lesion``."""
        return self.filter(patient=lesion.patient_id, body_site=lesion.body_site, side=lesion.side)


class Lesion(Edited):
    """A lesion on one patient's skin that is followed over time."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="lesions")
    number = models.PositiveSmallIntegerField(help_text=_("Counts the patient's lesions from 1."))
    body_site = models.CharField(_("body site"), max_length=20, choices=BodySite)
    side = models.CharField(max_length=10, choices=Side, default=Side.UNKNOWN)
    # Read and set both through `noticed`. For a month or a year its first day is stored.
    noticed_on = models.DateField(_("first noticed"), null=True, blank=True)
    noticed_precision = models.CharField(max_length=5, choices=DatePrecision, default=DatePrecision.DAY)
    description = models.CharField(
        max_length=200, blank=True, help_text=_("Exact location or distinguishing features: “below the scar”.")
    )
    created_by = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = LesionQuerySet.as_manager()

    class Meta:
        ordering = ["patient", "number"]
        indexes = [
            models.Index(fields=["body_site"], name="lesions_by_site"),
            models.Index(fields=["-created_at", "-id"], name="lesions_by_age"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["patient", "number"], name="lesion_number_is_unique_for_the_patient"),
            models.CheckConstraint(condition=Q(number__gte=1), name="lesion_number_starts_at_one"),
            models.CheckConstraint(condition=Q(body_site__in=BodySite.values), name="body_site_is_known"),
            models.CheckConstraint(condition=Q(side__in=Side.values), name="lesion_side_is_known"),
            models.CheckConstraint(
                condition=Q(noticed_precision=DatePrecision.DAY)
                | Q(noticed_precision=DatePrecision.MONTH, noticed_on__isnull=False, noticed_on__day=1)
                | Q(
                    noticed_precision=DatePrecision.YEAR,
                    noticed_on__isnull=False,
                    noticed_on__month=1,
                    noticed_on__day=1,
                ),
                name="lesion_noticed_on_is_the_first_day_of_its_month_or_year",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title}, {self.place}"

    def get_absolute_url(self) -> str:
        return reverse("lesion", args=[self.pk])

    @property
    def title(self) -> str:
        return _("Lesion %(number)d") % {"number": self.number}

    @property
    def noticed(self) -> RoughDate | None:
        """When the lesion was first noticed, as precisely as is known."""
        return RoughDate.of(self.noticed_on, self.noticed_precision) if self.noticed_on else None

    @noticed.setter
    def noticed(self, noticed: RoughDate | None) -> None:
        self.noticed_on = noticed.first if noticed else None
        self.noticed_precision = noticed.precision if noticed else DatePrecision.DAY

    @property
    def place(self) -> str:
        """The body site with its side, such as “left shoulder”."""
        # Not get_body_site_display, which translates every choice on each call; lists have hundreds of rows.
        site = BodySite(self.body_site).label.lower()
        if self.side == Side.UNKNOWN:
            return site
        return f"{Side(self.side).label.lower()} {site}"
