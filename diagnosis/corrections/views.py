"""Preview a correction, carry it out, read about it, undo it."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from dermascan.core.errors import Refused
from dermascan.core.once import once
from diagnosis.corrections.acts.lesion import move_lesion, plan_lesion_move
from diagnosis.corrections.acts.merge import differences, is_named_alike, merge_patients, plan_merge
from diagnosis.corrections.acts.photograph import move_photograph, plan_photograph_move
from diagnosis.corrections.acts.visit import move_visit, plan_visit_move
from diagnosis.corrections.acts.void import plan_void, void_visit
from diagnosis.corrections.carrying_out import undo
from diagnosis.corrections.errors import ChangedSincePreview
from diagnosis.corrections.forms import PhotographForm, ReasonForm, TargetForm
from diagnosis.corrections.models import Correction
from diagnosis.corrections.plans import Plan, numbers_in_words
from diagnosis.corrections.touched import touched_records
from diagnosis.images.models import Image
from patients.access import EVERYONE_IN_THE_CLINIC, require_role
from patients.middleware import MemberRequest
from patients.models import Lesion, Patient, Visit
from patients.privacy import names_the_patient

PREVIEW = "preview"


@require_role(*EVERYONE_IN_THE_CLINIC)
@names_the_patient
@require_http_methods(["GET", "HEAD", "POST"])
@once
def image_move(request: MemberRequest, image_id: UUID) -> HttpResponse:
    """Move a photograph to another lesion; ``?number=`` names another patient, whose lesions are then offered."""
    images = Image.objects.visible_to(request.member).select_related("visit__patient__clinic", "lesion")
    image = get_object_or_404(images, pk=image_id)
    data = request.POST if request.method == "POST" else request.GET
    target = TargetForm(data if data.get("number") else None, clinic=request.member.clinic)
    patient = target.cleaned_data["number"] if target.is_valid() else image.visit.patient
    is_sent = PREVIEW in data and not target.errors
    form = PhotographForm(
        data if is_sent else None, initial={"number": data.get("number")}, image=image, patient=patient
    )

    def chosen() -> dict[str, Any]:
        lesion, visit = form.chosen("lesion"), form.chosen("visit")
        return {
            "image": image,
            "patient": patient,
            "lesion": Lesion.objects.get(pk=lesion) if lesion else None,
            "visit": Visit.objects.get(pk=visit) if visit else None,
        }

    context = {
        "act": "image",
        "image": image,
        "lesion": image.lesion,
        "visit": image.visit,
        "target": target,
        "target_patient": patient if patient.pk != image.visit.patient_id else None,
    }
    return _act(
        request, image, form, lambda: plan_photograph_move(**chosen()),
        lambda **how: move_photograph(**chosen(), **how), patient=image.visit.patient, **context,
    )  # fmt: skip


@require_role(*EVERYONE_IN_THE_CLINIC)
@names_the_patient
@require_http_methods(["GET", "HEAD", "POST"])
@once
def lesion_move(request: MemberRequest, lesion_id: UUID) -> HttpResponse:
    lesions = Lesion.objects.visible_to(request.member).select_related("patient__clinic")
    lesion = get_object_or_404(lesions, pk=lesion_id)
    form = _target_form(request)
    return _act(
        request, lesion, form, lambda: plan_lesion_move(lesion=lesion, patient=form.cleaned_data["number"]),
        lambda **how: move_lesion(lesion=lesion, patient=form.cleaned_data["number"], **how),
        patient=lesion.patient, act="lesion", lesion=lesion,
    )  # fmt: skip


@require_role(*EVERYONE_IN_THE_CLINIC)
@names_the_patient
@require_http_methods(["GET", "HEAD", "POST"])
@once
def visit_move(request: MemberRequest, visit_id: UUID) -> HttpResponse:
    visit, form = _visit(request, visit_id), _target_form(request)
    return _act(
        request, visit, form, lambda: plan_visit_move(visit=visit, patient=form.cleaned_data["number"]),
        lambda **how: move_visit(visit=visit, patient=form.cleaned_data["number"], **how),
        patient=visit.patient, act="visit", visit=visit,
    )  # fmt: skip


@require_role(*EVERYONE_IN_THE_CLINIC)
@names_the_patient
@require_http_methods(["GET", "HEAD", "POST"])
@once
def visit_void(request: MemberRequest, visit_id: UUID) -> HttpResponse:
    visit = _visit(request, visit_id)
    return _act(
        request, visit, forms.Form({}), lambda: plan_void(visit=visit),
        lambda **how: void_visit(visit=visit, **how), patient=visit.patient, act="void", visit=visit,
    )  # fmt: skip


@require_role(*EVERYONE_IN_THE_CLINIC)
@names_the_patient
@require_http_methods(["GET", "HEAD", "POST"])
@once
def patient_merge(request: MemberRequest, patient_id: UUID) -> HttpResponse:
    """Merge this record, the duplicate, into another one."""
    patient = get_object_or_404(Patient.objects.visible_to(request.member).select_related("clinic"), pk=patient_id)
    form = _target_form(request)
    survivor = form.cleaned_data["number"] if form.is_valid() else None
    return _act(
        request, patient, form, lambda: plan_merge(duplicate=patient, survivor=form.cleaned_data["number"]),
        lambda **how: merge_patients(duplicate=patient, survivor=form.cleaned_data["number"], **how),
        patient=patient, act="merge", survivor=survivor,
        differences=differences(patient, survivor) if survivor else [],
        is_named_alike=is_named_alike(patient, survivor) if survivor else True,
    )  # fmt: skip


@require_role(*EVERYONE_IN_THE_CLINIC)
@names_the_patient
@require_http_methods(["GET", "HEAD", "POST"])
@once
def correction(request: MemberRequest, correction_id: UUID) -> HttpResponse:
    """What was corrected, by whom and why; POST undoes it."""
    rows = Correction.objects.visible_to(request.member).select_related("by__user", "undone_by__user")
    row = get_object_or_404(rows, pk=correction_id)
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            undo(correction=row, by=request.member, reason=form.cleaned_data["reason"])
        except Refused as refused:
            form.add_error(None, refused.as_form_error())
        else:
            messages.success(
                request, _("It is undone: the records are as they were before."), extra_tags="correction_undone"
            )
            return redirect(row)
    context = {
        "correction": row,
        "form": form,
        "numbers": numbers_in_words(row.numbers),
        "records": touched_records(row),
    }
    return render(request, "corrections/correction.html", context, status=_status(form))


def _act(
    request: MemberRequest,
    record: Any,
    form: forms.Form,
    make_plan: Callable[[], Plan],
    carry: Callable[..., Correction],
    **context: Any,
) -> HttpResponse:
    """Ask where to, show what would happen, and do it once that was confirmed with a reason."""
    plan, refusal = None, ""
    confirm = ReasonForm(request.POST if request.method == "POST" else None)
    status: int = HTTPStatus.OK
    if form.is_bound and form.is_valid():
        try:
            plan = make_plan()
            plan.ensure_allowed(request.member)
            if confirm.is_valid():
                row = carry(by=request.member, **confirm.cleaned_data)
                messages.success(request, _("Done. Everything that it touched is listed here."))
                return redirect(row)
        except ChangedSincePreview as changed:
            confirm.add_error(None, changed.as_form_error())
            plan, status = make_plan(), HTTPStatus.CONFLICT
        except Refused as refused:
            refusal = refused.message
            if request.method == "POST":
                confirm.add_error(None, refusal)
    sent = [form, confirm, *([context["target"]] if "target" in context else [])]
    status = status if status != HTTPStatus.OK else _status(*sent, is_refused=bool(refusal))
    context |= {"record": record, "form": form, "plan": plan, "confirm": confirm, "refusal": refusal}
    return render(request, "corrections/act.html", context, status=status)


def _status(*sent: forms.Form, is_refused: bool = False) -> int:
    return HTTPStatus.UNPROCESSABLE_ENTITY if is_refused or any(form.errors for form in sent) else HTTPStatus.OK


def _target_form(request: MemberRequest) -> TargetForm:
    data = request.POST if request.method == "POST" else request.GET
    return TargetForm(data if request.method == "POST" or PREVIEW in data else None, clinic=request.member.clinic)


def _visit(request: MemberRequest, visit_id: UUID) -> Visit:
    return get_object_or_404(Visit.objects.visible_to(request.member).select_related("patient__clinic"), pk=visit_id)
