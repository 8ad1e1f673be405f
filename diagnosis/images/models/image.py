import datetime
import uuid
from pathlib import PurePath
from typing import TYPE_CHECKING

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Exists, OuterRef, Prefetch, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from diagnosis.images.kinds import WITHOUT_DERMATOSCOPE, PhotographKind
from diagnosis.images.reliability import reliability_of
from mlmodel.network.quality import SMARTPHONE_MEASURE, Reliability
from mlmodel.versions.models import LONG_FIELDS
from patients.models import Lesion, Member, Visit, VisitStatus

if TYPE_CHECKING:
    from diagnosis.images.models.prediction import Prediction


class QualityVerdict(models.TextChoices):
    ACCEPTED = "accepted", _("Good enough to analyse")
    NOT_SKIN = "not_skin", _("Not a skin lesion")
    BLURRED = "blurred", _("Blurred")
    TOO_DARK = "too_dark", _("Too dark")
    TOO_BRIGHT = "too_bright", _("Too bright")
    TOO_SMALL = "too_small", _("Too small")
    NO_LESION = "no_lesion", _("No lesion found")


def _stored_as(image: "Image", kind: str, suffix: str) -> str:
    """Return the storage path: no patient data, only the image's random key, spread over 256 folders."""
    return str(PurePath("images") / image.pk.hex[:2] / f"{image.pk.hex}-{kind}{suffix}")


def original_path(image: "Image", filename: str) -> str:
    return _stored_as(image, "original", "")


def display_path(image: "Image", filename: str) -> str:
    return _stored_as(image, "display", ".jpg")


def thumbnail_path(image: "Image", filename: str) -> str:
    return _stored_as(image, "thumbnail", ".jpg")


class ImageQuerySet(models.QuerySet["Image"]):
    def visible_to(self, member: Member | None) -> "ImageQuerySet":
        """The photographs of the patients of the member's clinic.

        EXISTS rather than a join, so that a query in index order stops when its page is full.
        """
        return self.filter(Exists(Visit.objects.visible_to(member).filter(pk=OuterRef("visit"))))

    def in_use(self) -> "ImageQuerySet":
        """Photographs that are not excluded."""
        return self.exclude(self._is_excluded())

    def excluded(self) -> "ImageQuerySet":
        """Photographs that are excluded now."""
        return self.filter(self._is_excluded())

    def with_exclusion(self) -> "ImageQuerySet":
        """Annotate ``is_excluded``: whether the photograph is excluded now."""
        return self.annotate(is_excluded=self._is_excluded())

    def _is_excluded(self) -> Exists:
        from diagnosis.images.models.exclusion import Exclusion

        return Exists(Exclusion.objects.standing().filter(image=OuterRef("pk")))

    def released_to(self, user: AbstractBaseUser | AnonymousUser) -> "ImageQuerySet":
        """The photographs of visits released to the patient who signed in as ``user``.

        Photographs that are excluded because they show another patient are left out.
        """
        from diagnosis.images.models.exclusion import Exclusion

        if not user.is_authenticated:
            return self.none()
        released = self.filter(visit__patient__user=user, visit__status=VisitStatus.RELEASED)
        return released.exclude(Exists(Exclusion.objects.of_another_patient().filter(image=OuterRef("pk"))))

    def with_the_same_file(self, image: "Image") -> "ImageQuerySet":
        """Photographs with the same file under other lesions of the clinic: one of the records is wrong."""
        clinic = image.visit.patient.clinic_id
        same = self.in_use().filter(sha256=image.sha256, visit__patient__clinic=clinic)
        return same.exclude(lesion=image.lesion_id)

    def with_files_stored_elsewhere(self) -> "ImageQuerySet":
        """Annotate ``is_stored_elsewhere``: the same file is stored under another lesion of the clinic too."""
        same = Image.objects.in_use().filter(sha256=OuterRef("sha256")).exclude(lesion=OuterRef("lesion"))
        clinic = OuterRef("visit__patient__clinic")
        return self.annotate(is_stored_elsewhere=Exists(same.filter(visit__patient__clinic=clinic).order_by()))

    def with_files_of(self, visit: Visit) -> "ImageQuerySet":
        """Photographs of the clinic with the same file as one of the visit's, under another lesion."""
        of_the_visit = Image.objects.in_use().filter(visit=visit, sha256=OuterRef("sha256"))
        elsewhere = of_the_visit.exclude(lesion=OuterRef("lesion"))
        return self.in_use().filter(Exists(elsewhere), visit__patient__clinic=visit.patient.clinic_id)

    def also_stored_elsewhere(self, visit: Visit) -> "ImageQuerySet":
        """The visit's own photographs whose file the clinic stores under another lesion too."""
        elsewhere = Image.objects.in_use().filter(
            sha256=OuterRef("sha256"), visit__patient__clinic=visit.patient.clinic_id
        )
        return self.in_use().filter(Exists(elsewhere.exclude(lesion=OuterRef("lesion"))), visit=visit)

    def not_reliable(self) -> "ImageQuerySet":
        """Photographs whose answer cannot be relied on: ``Image.reliability`` as a query."""
        is_smartphone = Q(**{f"measures__{SMARTPHONE_MEASURE}": 1.0})
        is_stated = Q(kind__in=WITHOUT_DERMATOSCOPE)
        return self.filter(is_smartphone | is_stated | ~Q(verdict=QualityVerdict.ACCEPTED))

    def with_shown_prediction(self) -> "ImageQuerySet":
        """Prefetch ``shown_prediction`` with its model version, in one query, without the version's long fields."""
        from diagnosis.images.models.prediction import Prediction

        shown = Prediction.objects.shown().select_related("model_version", "answer_settings")
        shown = shown.defer(*(f"model_version__{name}" for name in LONG_FIELDS)).order_by()
        return self.prefetch_related(Prefetch("predictions", shown, to_attr="shown_predictions"))


class Image(models.Model):
    """One photograph of one lesion at one visit.

    The original is stored as sent and only ever served as a download. What is shown is re-encoded, upright and
    without metadata.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    visit = models.ForeignKey(Visit, on_delete=models.PROTECT, related_name="images")
    lesion = models.ForeignKey(Lesion, on_delete=models.PROTECT, related_name="images")
    uploaded_by = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    original = models.FileField(upload_to=original_path, max_length=120)
    original_name = models.CharField(max_length=200)
    media_type = models.CharField(max_length=40)
    sha256 = models.CharField(max_length=64)
    width = models.PositiveIntegerField(help_text=_("Pixels, upright."))
    height = models.PositiveIntegerField(help_text=_("Pixels, upright."))
    display = models.FileField(upload_to=display_path, max_length=120)
    thumbnail = models.FileField(upload_to=thumbnail_path, max_length=120)
    verdict = models.CharField(max_length=10, choices=QualityVerdict)
    measures = models.JSONField(default=dict, help_text=_("Measurements of the quality check."))
    created_at = models.DateTimeField(auto_now_add=True)
    # Repeated from the newest PhotographFacts, and written only together with a row of it.
    kind = models.CharField(max_length=12, choices=PhotographKind, blank=True, default="", editable=False)
    taken_at = models.DateTimeField(null=True, editable=False)

    objects = ImageQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["visit", "lesion", "sha256"], name="photograph_is_kept_once_for_a_lesion"),
            models.CheckConstraint(condition=Q(verdict__in=QualityVerdict.values), name="image_verdict_is_known"),
            models.CheckConstraint(condition=Q(width__gte=1, height__gte=1), name="image_has_pixels"),
            models.CheckConstraint(condition=Q(sha256__regex=r"^[0-9a-f]{64}$"), name="image_sha256_is_a_hash"),
            models.CheckConstraint(condition=Q(kind__in=["", *PhotographKind.values]), name="image_kind_is_known"),
        ]
        indexes = [
            models.Index(fields=["-created_at"], name="images_by_age"),
            models.Index(fields=["sha256"], name="images_by_file"),
        ]

    def __str__(self) -> str:
        return _("Photograph of %(date)s") % {"date": self.created_at.date().isoformat()}

    def get_absolute_url(self) -> str:
        return reverse("image", args=[self.pk])

    @property
    def shown_prediction(self) -> "Prediction | None":
        """The prediction that is shown; None for a photograph that was not analysed."""
        if not hasattr(self, "shown_predictions"):
            shown = self.predictions.shown().select_related("model_version", "answer_settings")
            return shown.first()
        return next(iter(self.shown_predictions), None)

    @property
    def reliability(self) -> Reliability:
        """How far the network's answer to this photograph can be relied on."""
        return reliability_of(self.measures, is_accepted=self.is_accepted, kind=self.kind)

    @property
    def taken_on(self) -> datetime.date:
        """The day on which it was taken, as far as is known; else that of the visit."""
        return timezone.localdate(self.taken_at) if self.taken_at else self.visit.date

    @property
    def order_in_time(self) -> tuple[datetime.date, datetime.datetime]:
        """Sort key for every page that shows photographs over time."""
        return self.taken_on, self.taken_at or self.created_at

    @property
    def is_of_another_time(self) -> bool:
        """Whether it was taken more than a day before or after the visit that it is stored under."""
        return abs((self.taken_on - self.visit.date).days) > 1

    @property
    def is_accepted(self) -> bool:
        return self.verdict == QualityVerdict.ACCEPTED


class QualityOverride(models.Model):
    """A dermatologist's decision to have a refused photograph analysed anyway. Append-only."""

    image = models.OneToOneField(Image, on_delete=models.PROTECT, related_name="override")
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=300)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(reason=""), name="override_states_a_reason")]

    def __str__(self) -> str:
        return self.reason


class ImageFeatures(models.Model):
    """The backbone's pooled features of one image, stored so that a new head can re-score the archive in seconds."""

    image = models.OneToOneField(Image, on_delete=models.CASCADE, related_name="features")
    backbone_sha256 = models.CharField(max_length=64)
    vector = models.BinaryField(help_text=_("Little-endian float16."))

    class Meta:
        verbose_name_plural = "image features"

    def __str__(self) -> str:
        return f"{self.image_id}"
