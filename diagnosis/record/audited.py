"""Which records of this app the audit trail knows, and what opening an address is. See ``patients.audit``."""

from typing import Any

from django.db.models import Model
from django.db.models.signals import post_save

from diagnosis.corrections.models import Correction
from diagnosis.followup.models import LesionPlan, ReminderSettings, ReminderStop
from diagnosis.images.models import (
    AnswerSettings,
    Device,
    DeviceCalibration,
    Exclusion,
    Image,
    ImageFeatures,
    PhotographFacts,
    Prediction,
    QualityOverride,
)
from diagnosis.measures.models import PictureScale
from diagnosis.opinions.models import OpinionRequest
from diagnosis.outcomes.models import LesionClosure, PathologyResult, Specimen
from diagnosis.reports.models import Addendum, Report, Withholding
from diagnosis.retraining.models import VersionProposal
from diagnosis.reviews.models import ManagementDecision, QueueEntry, Review, ReviewGroup, ReviewRetraction
from diagnosis.similar.models import ImageEmbedding
from mlmodel.versions.models import Decision
from patients.audit import audited, note_change, opened_as
from patients.models import AuditAction, Member


def connect() -> None:
    """Register the records; called once, before the audit trail connects its signals."""
    of_image = "image__lesion__patient"
    audited(Image, patient="lesion__patient", parameter="image_id")
    model: type[Model]
    for model in (QualityOverride, Exclusion, PhotographFacts, PictureScale, Review):
        audited(model, patient=of_image)
    # Shown in the admin; calculated, so their changes tell of no one.
    for calculated in (Prediction, ImageFeatures, ImageEmbedding, QueueEntry):
        audited(calculated, patient=of_image, changes=False)
    audited(ReviewRetraction, patient=f"review__{of_image}")
    for model in (ReviewGroup, ManagementDecision, LesionClosure):
        audited(model, patient="lesion__patient")
    audited(LesionPlan, patient="lesion__patient", parameter="plan_id")
    audited(Specimen, patient="lesion__patient", parameter="specimen_id")
    audited(PathologyResult, patient="specimen__lesion__patient", parameter="result_id")
    audited(OpinionRequest, patient="lesion__patient", parameter="request_id")
    audited(Report, patient="visit__patient", parameter="report_id")
    audited(Addendum, patient="report__visit__patient", parameter="addendum_id")
    audited(Withholding, patient="report__visit__patient")
    audited(ReminderStop, patient="patient")
    # A correction may concern several patients; its own page names them.
    audited(Correction, patient=None, clinic="clinic", parameter="correction_id")
    for settings in (Device, ReminderSettings, AnswerSettings):
        audited(settings, patient=None, clinic="clinic")
    audited(DeviceCalibration, patient=None, clinic="device__clinic")
    opened_as(AuditAction.PRINT, "report-pdf", "addendum-pdf")
    opened_as(AuditAction.EXPORT, "report-json", "addendum-json")
    post_save.connect(_decided, sender=Decision, dispatch_uid="audit decision")
    post_save.connect(_proposed, sender=VersionProposal, dispatch_uid="audit proposal")


def _decided(instance: Decision, created: bool, raw: bool, **_: Any) -> None:
    if created and not raw and instance.by is not None:
        _note_promotion(instance.by, "version", instance.version_id, instance.kind, instance.reason)


def _proposed(instance: VersionProposal, created: bool, raw: bool, **_: Any) -> None:
    if raw:
        return
    who = instance.proposed_by if created else instance.decided_by
    _note_promotion(who, "proposal", instance.pk, instance.state, instance.reason)


def _note_promotion(by: Any, kind: str, record: Any, what: str, reason: str) -> None:
    """Write it into the chain of the clinic whose member decided: all clinics share the network."""
    clinic_id = Member.objects.filter(user=by).values_list("clinic", flat=True).first() if by is not None else None
    facts = {"kind": kind, "record": record, "query": str(what), "reason": reason}
    note_change(AuditAction.PROMOTION, clinic_id=clinic_id, **facts)
