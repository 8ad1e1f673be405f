"""Retraining runs with their photographs, progress and results."""

import uuid
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from dermascan.core.clock import CLOCKS_APART
from diagnosis.images.models import Image
from mlmodel.taxonomy import CODES
from mlmodel.versions.models import ModelVersion
from patients.models import Clinic, Lesion
from patients.models.clinic_rows import ClinicRows


class Part(models.TextChoices):
    TRAIN = "train", _("Training set")
    TEST = "test", _("Held-out test set")


class TestAssignment(models.Model):
    """The permanent assignment of a lesion to the training set or the clinics' held-out test set.

    A database trigger refuses changes.
    """

    __test__ = False  # keeps pytest from collecting this class

    lesion = models.OneToOneField(Lesion, on_delete=models.PROTECT, related_name="test_assignment")
    part = models.CharField(max_length=8, choices=Part)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(part__in=Part.values), name="assignment_part_is_known")]

    def __str__(self) -> str:
        return f"{self.lesion_id}: {self.get_part_display()}"


class RunStatus(models.TextChoices):
    QUEUED = "queued", _("Waiting for a worker")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")
    DEAD = "dead", _("Stopped responding")
    ABANDONED = "abandoned", _("Abandoned")


ALIVE = (RunStatus.QUEUED, RunStatus.RUNNING)


class TrainingRunQuerySet(models.QuerySet["TrainingRun"]):
    def alive(self) -> "TrainingRunQuerySet":
        """Return the run that waits or is running; the database allows only one."""
        return self.filter(status__in=ALIVE)

    def silent(self) -> "TrainingRunQuerySet":
        """Return running runs without a recent heartbeat, and waiting runs that no worker has claimed in time.

        Runs with a heartbeat in the future are included: it was written before the clock was set back.
        """
        now = timezone.now()
        oldest_heartbeat = now - timedelta(seconds=settings.RETRAINING_DEAD_AFTER_SECONDS)
        oldest_waiting = now - timedelta(seconds=settings.RETRAINING_QUEUED_FOR_SECONDS)
        return self.filter(
            Q(status=RunStatus.RUNNING, heartbeat_at__lt=oldest_heartbeat)
            | Q(status=RunStatus.QUEUED, heartbeat_at__lt=oldest_waiting)
            | Q(status__in=ALIVE, heartbeat_at__gt=now + CLOCKS_APART)
        )


class TrainingRun(models.Model):
    """One attempt to train a better network. Only ``diagnosis.retraining.run_states`` changes its state."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    status = models.CharField(_("state"), max_length=10, choices=RunStatus, default=RunStatus.QUEUED)
    slot = models.PositiveSmallIntegerField(
        null=True, default=1, help_text=_("1 while the run is waiting or running: only one run can be.")
    )
    attempt = models.UUIDField(
        default=uuid.uuid4, help_text=_("Identifies the process that holds the run; new after each claim.")
    )
    heartbeat_at = models.DateTimeField(default=timezone.now)
    stage = models.CharField(max_length=120, blank=True, default="")
    share_done = models.FloatField(default=0.0)
    clinic = models.ForeignKey(
        Clinic,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        help_text=_("The clinic whose photographs are used; all clinics if empty."),
    )
    since = models.DateField(null=True, help_text=_("Only labels that were settled on this day or later."))
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("started by")
    )
    abandoned_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("abandoned by")
    )
    parent = models.ForeignKey(
        ModelVersion,
        on_delete=models.PROTECT,
        related_name="+",
        help_text=_("The active version when the run was started."),
    )
    candidate = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, null=True, related_name="training_runs")
    manifest_sha256 = models.CharField(max_length=64, blank=True, default="")
    left_out = models.JSONField(default=dict, help_text=_("The number of photographs that were not used, by reason."))
    left_out_images = models.JSONField(default=dict, help_text=_("The keys of some of these photographs, by reason."))
    withdrawn = models.JSONField(
        default=list,
        help_text=_(
            "Photographs of the manifest that were not used: consent was withdrawn, or they were excluded, since."
        ),
    )
    turned_wrong = models.JSONField(
        default=list,
        help_text=_("Photographs that the active version classifies correctly and the candidate does not."),
    )
    error = models.CharField(max_length=500, blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)
    step = models.PositiveBigIntegerField(
        default=0,
        editable=False,
        help_text=_("The newest step when the photographs were collected: labels of later steps are new."),
    )
    finished_at = models.DateTimeField(null=True)

    objects = TrainingRunQuerySet.as_manager()

    class Meta:
        ordering = ["-step", "-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["slot"], name="only_one_training_run_is_alive"),
            models.CheckConstraint(condition=Q(status__in=RunStatus.values), name="run_status_is_known"),
            models.CheckConstraint(
                condition=Q(status__in=ALIVE, slot__isnull=False, slot=1, finished_at=None)
                | (~Q(status__in=ALIVE) & Q(slot=None, finished_at__isnull=False)),
                name="run_holds_the_slot_while_it_is_alive",
            ),
            models.CheckConstraint(
                condition=~Q(status=RunStatus.DONE) | (Q(candidate__isnull=False) & ~Q(manifest_sha256="")),
                name="run_that_is_done_has_a_candidate",
            ),
            models.CheckConstraint(condition=~Q(status=RunStatus.FAILED) | ~Q(error=""), name="failed_run_says_why"),
            models.CheckConstraint(condition=Q(share_done__gte=0, share_done__lte=1), name="run_share_is_a_share"),
        ]

    def __str__(self) -> str:
        return _("Retraining of %(time)s") % {"time": date_format(timezone.localtime(self.created_at), "j F Y, H:i")}

    @property
    def is_alive(self) -> bool:
        return self.status in ALIVE

    @property
    def is_dead(self) -> bool:
        return self.status == RunStatus.DEAD

    @property
    def judgement(self) -> dict[str, Any]:
        """The gate's result for the candidate; empty without one."""
        return (self.candidate.judgement or {}) if self.candidate else {}

    @property
    def percent_done(self) -> int:
        return round(100 * self.share_done)


class RunMessage(models.Model):
    """One line of a run's log, in the language of the installation. It never contains patient data."""

    run = models.ForeignKey(TrainingRun, on_delete=models.CASCADE, related_name="messages")
    words = models.CharField(max_length=500)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.words


class ManifestEntryQuerySet(ClinicRows["ManifestEntry"]):
    path_to_clinic = "image__visit__patient__clinic"


class ManifestEntry(models.Model):
    """One photograph of a run, as it was when the manifest was frozen.

    A database trigger refuses changes.
    """

    run = models.ForeignKey(TrainingRun, on_delete=models.PROTECT, related_name="manifest")
    image = models.ForeignKey(Image, on_delete=models.PROTECT, related_name="manifest_entries")
    image_sha256 = models.CharField(max_length=64)
    features_sha256 = models.CharField(max_length=64)
    lesion = models.ForeignKey(Lesion, on_delete=models.PROTECT, related_name="+")
    code = models.CharField(max_length=5)
    part = models.CharField(max_length=8, choices=Part)

    objects = ManifestEntryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "manifest entries"
        constraints = [
            models.UniqueConstraint(fields=["run", "image"], name="photograph_is_in_a_manifest_once"),
            models.CheckConstraint(condition=Q(part__in=Part.values), name="manifest_part_is_known"),
            models.CheckConstraint(condition=Q(code__in=CODES), name="manifest_code_is_known"),
            models.CheckConstraint(
                condition=Q(image_sha256__regex=r"^[0-9a-f]{64}$", features_sha256__regex=r"^[0-9a-f]{64}$"),
                name="manifest_holds_hashes",
            ),
        ]
        indexes = [models.Index(fields=["image_sha256", "part"], name="manifests_by_file")]

    def __str__(self) -> str:
        return f"{self.image_id}: {self.code}"


def versions_that_used(*, images: models.QuerySet[Image]) -> list[ModelVersion]:
    """Return the model versions that were trained or tested on any of ``images``, oldest first."""
    entries = ManifestEntry.objects.filter(image__in=images.order_by(), run__candidate__isnull=False)
    versions = {
        entry.run.candidate
        for entry in entries.select_related("run__candidate")
        if str(entry.image_id) not in entry.run.withdrawn
    }
    return sorted((version for version in versions if version is not None), key=lambda version: version.created_at)
