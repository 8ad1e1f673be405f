"""Carry out a plan under locks, or undo a correction, with everything that follows from it."""

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Model
from django.utils import timezone
from django.utils.translation import gettext as _

from diagnosis.assessment.exclusions import exclude_with_visit, undo_exclusion_with_visit
from diagnosis.corrections.errors import AlreadyUndone, CannotUndo, ChangedSincePreview, SignedNeedsSenior
from diagnosis.corrections.models import CorrectedRecord, Correction
from diagnosis.corrections.plans import NewRow, Plan, Step, ensure_reason
from diagnosis.corrections.states import rows_that_refer_to, state_of
from diagnosis.followup.models import LesionPlan, ReminderStop
from diagnosis.images.models import Image
from diagnosis.opinions.models import OpinionRequest
from diagnosis.opinions.services import revoke_for_correction
from diagnosis.outcomes.models import Specimen
from diagnosis.reports.contradicted_results import derive_contradictions_again
from diagnosis.reports.withholding import withhold_for_correction
from diagnosis.reviews.models import ManagementDecision, Review, ReviewGroup
from diagnosis.reviews.queue import refresh_queue_entry
from diagnosis.similar.embeddings import have_read_again
from patients.edits import change_record
from patients.models import (
    Consent,
    Lesion,
    LesionPlacement,
    LesionSymptoms,
    Member,
    OutgoingMessage,
    Patient,
    RiskFact,
    Role,
    User,
    Visit,
    VisitStatus,
)
from patients.models.edited import Edited
from patients.services.same_clinic import ensure_same_clinic

log = logging.getLogger(__name__)

_TABLES: tuple[type[Model], ...] = (
    Patient, Visit, Lesion, Image, Consent, User, LesionPlacement, LesionPlan, LesionSymptoms, ManagementDecision,
    OutgoingMessage, ReminderStop, Review, ReviewGroup, RiskFact, Specimen,
)  # fmt: skip
MODELS: dict[str, type[Model]] = {str(model._meta.model_name): model for model in _TABLES}
# A row that a correction adds names the member who corrects; a copy keeps the member who stated it.
_ADDED_BY = {"lesion": "created_by_id", "consent": "recorded_by_id", "riskfact": "recorded_by_id",
             "reminderstop": "stated_by_id"}  # fmt: skip


def carry_out(
    make_plan: Callable[[], Plan], *, by: Member, reason: str, seen: str | None = None, clinic_patients: Sequence[UUID]
) -> Correction:
    """Make the plan again under the locks of the patients' records, and do what it says.

    Args:
        clinic_patients: the keys of the patients whose records are touched, to be locked.
        seen: the fingerprint of the plan that ``by`` has confirmed; None skips this check.

    Raises:
        ReasonNeeded, SignedNeedsSenior, DangerNeedsDermatologist, CannotCorrect: nothing was done.
        ChangedSincePreview: the records have changed since the preview.
    """
    reason = ensure_reason(reason)
    with transaction.atomic():
        lock_records(clinic_patients)
        plan = make_plan()
        plan.ensure_allowed(by)
        if seen is not None and seen != plan.fingerprint:
            raise ChangedSincePreview
        # First, while the visits still belong to the patients who could read the reports.
        for report in plan.withheld:
            withhold_for_correction(report=report, by=by, note=f"{plan.kind.label}: {reason}")
        for request in plan.revoked:
            revoke_for_correction(request=request, by=by)
        names, created = _add_rows(plan.new, by=by)
        steps = [_resolved(step, names) for step in plan.steps]
        if any(step.after.get("status") == VisitStatus.VOID for step in steps):
            created += _exclude(plan, steps, by=by, reason=reason)
        _apply(steps, by=by, reason=reason)
        correction = Correction.objects.create(
            clinic_id=by.clinic_id,
            kind=plan.kind,
            reason=reason,
            title=plan.title[:300],
            numbers=plan.numbers,
            notices=plan.notices,
            steps=[vars(step) for step in steps],
            created=created,
            state=state_of(steps),
            by=by,
        )
        _name_records(correction, plan, created)
        _refresh([step for step in steps if step.kind == "image"], plan.moved)
        _derive_contradictions(steps, by=by, reason=f"{plan.kind.label}: {reason}")
    log.info("Member %s made correction %s: %s.", by.pk, correction.pk, correction.kind)
    return correction


def undo(*, correction: Correction, by: Member, reason: str) -> Correction:
    """Undo a correction, as long as nothing was signed or added on top of it.

    Withheld reports stay withheld until a dermatologist releases them again, requests for a second opinion stay
    revoked, and consents stay as the merge left them.

    Raises:
        AnotherClinic, ReasonNeeded, SignedNeedsSenior, AlreadyUndone, CannotUndo: nothing was done.
    """
    if correction.clinic_id != by.clinic_id:
        ensure_same_clinic(Patient.objects.get(pk=_patients_of(correction)[0]), by)
    reason = ensure_reason(reason)
    if correction.numbers.get("reports") and by.role == Role.STAFF:
        raise SignedNeedsSenior
    with transaction.atomic():
        lock_records(_patients_of(correction))
        correction = Correction.objects.select_for_update(of=("self",)).get(pk=correction.pk)
        if correction.is_undone:
            raise AlreadyUndone
        steps = [Step(**step) for step in correction.steps]
        ensure_nothing_on_top(correction, steps)
        backwards = [step.reversed for step in reversed(steps)]
        try:
            with transaction.atomic():
                _apply(backwards, by=by, reason=_("Undone: %(reason)s") % {"reason": reason})
        except IntegrityError:
            raise CannotUndo(_("The place that it came from has been taken since: correct that first.")) from None
        for kind, key in reversed(correction.created):
            _take_away(kind, key, by=by)
        correction.undone_by, correction.undone_reason = by, reason
        correction.undone_at = max(timezone.now(), correction.at)  # the clock may have been set back
        correction.save(update_fields=["undone_by", "undone_at", "undone_reason"])
        moved = [step for step in steps if step.kind == "image"]
        excluded = [key for kind, key in correction.created if kind == "exclusion"]
        _refresh(moved, Image.objects.filter(exclusions__in=excluded).distinct())
        _derive_contradictions(steps, by=by, reason=_("Undone: %(reason)s") % {"reason": reason})
    log.info("Member %s undid correction %s.", by.pk, correction.pk)
    return correction


def ensure_nothing_on_top(correction: Correction, steps: Sequence[Step]) -> None:
    """Raise ``CannotUndo`` if records that the correction changed have been changed, signed or added to since."""
    # A row may have been changed twice: what it was left with counts.
    left: dict[tuple[str, str], dict[str, Any]] = {}
    for step in steps:
        left.setdefault((step.kind, step.key), {}).update(step.after)
    for (kind, key), values in left.items():
        row = MODELS[kind]._base_manager.filter(pk=key).first()
        if row is None or any(_plain(getattr(row, name)) != _plain(value) for name, value in values.items()):
            raise CannotUndo(_("The records were corrected again since. Undo the newer correction first."))
    if state_of(steps) != correction.state:
        raise CannotUndo(
            _("Something was signed or added on top of it since, so it cannot simply be undone. Correct it forwards.")
        )


def lock_records(patients: Iterable[UUID]) -> None:
    """Lock patients, their requests for a second opinion, visits, lesions and photographs, each in the order of keys.

    Signing, uploading and reviewing lock the visit or the photographs; plans and specimens lock the lesion; answers of
    a second opinion lock the request; registering and logging lock the patient. So whatever began before is finished,
    and whatever begins later sees the records as they are afterwards.
    """
    keys = sorted(set(patients))
    list(Patient.objects.select_for_update(of=("self",)).filter(pk__in=keys).order_by("pk"))
    list(OpinionRequest.objects.select_for_update(of=("self",)).filter(lesion__patient__in=keys).order_by("pk"))
    list(Visit.objects.select_for_update(of=("self",)).filter(patient__in=keys).order_by("pk"))
    list(Lesion.objects.select_for_update(of=("self",)).filter(patient__in=keys).order_by("pk"))
    images = Image.objects.select_for_update(of=("self",)).filter(visit__patient__in=keys)
    list(images.order_by("pk").values_list("pk", flat=True))


def _patients_of(correction: Correction) -> list[UUID]:
    return list(correction.records.filter(kind="patient").values_list("record", flat=True))


def _add_rows(new: Iterable[NewRow], *, by: Member) -> tuple[dict[str, str], list[list[str]]]:
    names: dict[str, str] = {}
    created: list[list[str]] = []
    for row in new:
        values = _with_keys(row.values, names)
        if row.kind in _ADDED_BY:
            values[_ADDED_BY[row.kind]] = by.pk
        added = MODELS[row.kind]._base_manager.create(**values)
        names[row.name] = str(added.pk)
        created.append([row.kind, str(added.pk)])
    return names, created


def _resolved(step: Step, names: dict[str, str]) -> Step:
    return Step(step.kind, step.key, step.before, _with_keys(step.after, names))


def _with_keys(values: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """Return the values with the keys of the rows that names stand for."""
    return {name: names.get(value, value) if isinstance(value, str) else value for name, value in values.items()}


def _exclude(plan: Plan, steps: Sequence[Step], *, by: Member, reason: str) -> list[list[str]]:
    """Exclude the photographs that stay at a visit that becomes void."""
    leaving = {step.key for step in steps if step.kind == "image"}
    staying = [image for image in plan.moved if str(image.pk) not in leaving]
    return [["exclusion", str(row.pk)] for row in exclude_with_visit(images=staying, by=by, note=reason)]


def _apply(steps: Iterable[Step], *, by: Member, reason: str) -> None:
    for step in steps:
        row: Any = MODELS[step.kind]._base_manager.select_for_update(of=("self",)).get(pk=step.key)
        columns = {field.attname: field for field in row._meta.concrete_fields}
        values = {name: columns[name].to_python(value) for name, value in step.after.items()}
        if isinstance(row, Edited):
            change_record(row, values, by=by.user, reason=reason)
            row.save(update_fields=[*values, "changed_by", "changed_at"])
        else:
            for name, value in values.items():
                setattr(row, name, value)
            row.save(update_fields=list(values))


def _name_records(correction: Correction, plan: Plan, created: Iterable[Sequence[str]]) -> None:
    kinds = ("patient", "visit", "lesion", "image")
    named = {(str(record._meta.model_name), str(record.pk)) for record in (*plan.patients, *plan.records, *plan.moved)}
    named |= {(kind, key) for kind, key in created}
    rows = [
        CorrectedRecord(correction=correction, kind=kind, record=key) for kind, key in sorted(named) if kind in kinds
    ]
    CorrectedRecord.objects.bulk_create(rows)


def _take_away(kind: str, key: str, *, by: Member) -> None:
    """Take away a row that a correction added. Raises ``CannotUndo`` if anything has been added to it since."""
    if kind == "exclusion":
        undo_exclusion_with_visit(key=key, by=by)
    elif kind != "consent":
        row: Any = MODELS[kind]._base_manager.get(pk=key)
        if getattr(row, "ended_at", None) is not None:
            raise CannotUndo(_("What it added was ended since: correct it forwards."))
        if rows := rows_that_refer_to(row):
            raise CannotUndo(_("Something was added to the new record since: %(rows)s.") % {"rows": ", ".join(rows)})
        row.delete()


def _refresh(steps: Iterable[Step], images: Iterable[Image]) -> None:
    """Have the queue and the similar cases follow the photographs and those of the lesions they left and joined."""
    lesions = {value["lesion_id"] for step in steps for value in (step.before, step.after) if "lesion_id" in value}
    keys = {step.key for step in steps} | {str(image.pk) for image in images}
    lesions |= {str(key) for key in Image.objects.filter(pk__in=keys).values_list("lesion", flat=True)}
    for image in Image.objects.filter(lesion__in=lesions).order_by("pk"):
        refresh_queue_entry(image=image)
    have_read_again(Image.objects.filter(lesion__in=lesions))


def _derive_contradictions(steps: Sequence[Step], *, by: Member, reason: str) -> None:
    """Have the signed reports that results contradict follow the photographs and specimens."""
    touched = {
        kind: {step.key for step in steps if step.kind == kind}
        | {value[f"{kind}_id"] for step in steps for value in (step.before, step.after) if value.get(f"{kind}_id")}
        for kind in ("lesion", "visit")
    }
    derive_contradictions_again(lesions=touched["lesion"], visits=touched["visit"], by=by, reason=reason)


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, (bool, int)) else str(value)
