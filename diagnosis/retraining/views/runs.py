"""Retraining runs in the admin: start, follow, resume and abandon."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from dermascan.core.background import enqueue_on_commit
from dermascan.core.once import once
from diagnosis.images.models import Image
from diagnosis.retraining.collect import LeftOut, learnt_until, new_labels
from diagnosis.retraining.errors import RetrainingRefused
from diagnosis.retraining.models import Part, RunStatus, TrainingRun
from diagnosis.retraining.run_states import abandon_run, mark_stalled_runs, requeue_run
from diagnosis.retraining.services import start_run
from diagnosis.retraining.training_images import images_outside_the_classes
from mlmodel.versions.models import ModelVersion
from mlmodel.versions.serving import active_version
from patients.access import is_operator, require_role
from patients.admin.scope import CLINICIANS
from patients.middleware import ClinicRequest
from patients.models import Role

MOST_SHOWN = 50
MOST_LEFT_OUT_SHOWN = 12


@require_role(*CLINICIANS, operator=True)
@require_safe
def runs(request: ClinicRequest) -> HttpResponse:
    """List all runs, newest first, with the form to start one."""
    mark_stalled_runs()
    active = active_version()
    context = {
        "runs": TrainingRun.objects.select_related("parent", "candidate", "started_by")[:MOST_SHOWN],
        "alive": TrainingRun.objects.alive().first(),
        "active": active,
        "new": new_labels(after=learnt_until(active)),
        "outside": images_outside_the_classes().count(),
        "last_that_left_out": _last_that_left_out(active),
        "may_act": _may_act(request),
    }
    return render(request, "retraining/retraining.html", context)


def _last_that_left_out(active: ModelVersion) -> TrainingRun | None:
    """Return the newest finished run from the active version if it left photographs out, which still count as new."""
    newest = TrainingRun.objects.filter(status=RunStatus.DONE, parent=active).first()
    return newest if newest is not None and newest.left_out else None


@require_role(*CLINICIANS, operator=True)
@require_safe
def run(request: ClinicRequest, run_id: UUID) -> HttpResponse:
    """Show one run with its progress, log and result. htmx polls only the part that changes."""
    mark_stalled_runs()
    rows = TrainingRun.objects.select_related(
        "parent", "candidate", "started_by__member", "abandoned_by__member", "clinic"
    )
    row = get_object_or_404(rows, pk=run_id)
    context = {
        "run": row,
        "messages_of_run": row.messages.all(),
        "may_act": _may_act(request),
        "learned": row.manifest.filter(part=Part.TRAIN).count(),
        "locked": row.manifest.filter(part=Part.TEST).count(),
        "left_out": _left_out(request, row),
        "reasons": row.judgement.get("reasons", []),
        "turned_wrong": _visible(request, row.turned_wrong),
        "names_clinic": row.clinic is not None and (is_operator(request) or _is_own(request, row)),
    }
    name = "includes/retraining_run.html" if request.headers.get("HX-Request") else "retraining_run.html"
    return render(request, f"retraining/{name}", context)


@require_role(Role.DERMATOLOGIST, operator=True)
@require_POST
@once
def start(request: ClinicRequest) -> HttpResponse:
    """Start a run over all clinics, since they all use the same network."""
    try:
        with transaction.atomic():
            started = start_run(started_by=_user(request))
            enqueue_on_commit("diagnosis.retraining.tasks.work_on_run", str(started.pk))
    except RetrainingRefused as refusal:
        messages.error(request, str(refusal), extra_tags=refusal.code)
        return redirect("admin:retraining")
    return redirect("admin:retraining-run", started.pk)


@require_role(Role.DERMATOLOGIST, operator=True)
@require_POST
@once
def resume(request: ClinicRequest, run_id: UUID) -> HttpResponse:
    get_object_or_404(TrainingRun, pk=run_id)
    try:
        with transaction.atomic():
            requeue_run(run_id)
            enqueue_on_commit("diagnosis.retraining.tasks.work_on_run", str(run_id))
    except RetrainingRefused as refusal:
        messages.error(request, str(refusal), extra_tags=refusal.code)
    return redirect("admin:retraining-run", run_id)


@require_role(Role.DERMATOLOGIST, operator=True)
@require_POST
@once
def abandon(request: ClinicRequest, run_id: UUID) -> HttpResponse:
    get_object_or_404(TrainingRun, pk=run_id)
    try:
        abandon_run(run_id, why=_("Abandoned."), by=_user(request))
    except RetrainingRefused as refusal:
        messages.error(request, str(refusal), extra_tags=refusal.code)
    return redirect("admin:retraining-run", run_id)


def _left_out(request: ClinicRequest, run: TrainingRun) -> list[tuple[str, int, list[Image]]]:
    """Return the reasons why photographs were left out, their number, and the first ones that the user may see."""
    images = run.left_out_images
    return [
        (str(LeftOut(why).label), count, _visible(request, images.get(why, []), at_most=MOST_LEFT_OUT_SHOWN))
        for why, count in sorted(run.left_out.items())
    ]


def _visible(request: ClinicRequest, keys: list[str], *, at_most: int = MOST_SHOWN) -> list[Image]:
    """Return the photographs with these keys that the user may see."""
    images = Image.objects.all() if is_operator(request) else Image.objects.visible_to(request.member)
    return list(images.filter(pk__in=keys).select_related("lesion")[:at_most])


def _may_act(request: ClinicRequest) -> bool:
    return is_operator(request) or (request.member is not None and request.member.role == Role.DERMATOLOGIST)


def _is_own(request: ClinicRequest, run: TrainingRun) -> bool:
    return request.member is not None and request.member.clinic_id == run.clinic_id


def _user(request: ClinicRequest) -> AbstractBaseUser:
    assert isinstance(request.user, AbstractBaseUser), "the admin site requires a signed-in user"
    return request.user
