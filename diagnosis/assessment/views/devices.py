"""The clinic's devices: what photographs are taken with, and how wide their pictures are."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from dermascan.core.once import once
from diagnosis.assessment.calibration_form import CalibrationForm
from diagnosis.assessment.facts_forms import DeviceForm
from diagnosis.images.devices import (
    MANAGERS,
    add_device,
    calibrate_device,
    change_device,
    may_manage_devices,
    newest_calibration,
)
from diagnosis.images.errors import DeviceNameTaken
from diagnosis.images.models import Device
from patients.access import EVERYONE_IN_THE_CLINIC, require_role
from patients.edits import ChangedMeanwhile
from patients.middleware import MemberRequest


@require_role(*EVERYONE_IN_THE_CLINIC)
@require_safe
def devices(request: MemberRequest) -> HttpResponse:
    rows = Device.objects.visible_to(request.member).prefetch_related("calibrations__member__user")
    shown = [(device, newest_calibration(device)) for device in rows]
    context = {"devices": shown, "may_manage": may_manage_devices(request.member)}
    return render(request, "assessment/devices.html", context)


@require_role(*MANAGERS)
@require_http_methods(["GET", "HEAD", "POST"])
@once
def device_new(request: MemberRequest) -> HttpResponse:
    data = request.POST if request.method == "POST" else None
    form = DeviceForm(data, instance=Device(clinic=request.member.clinic))
    if request.method == "POST" and form.is_valid():
        try:
            device = add_device(by=request.member, **form.cleaned_data)
        except DeviceNameTaken as taken:
            form.add_error("name", taken.as_form_error())
        else:
            messages.success(request, _("%(device)s is added. Calibrate it next.") % {"device": device})
            return redirect("device", device.pk)
    return _page(request, form, None)


@require_role(*EVERYONE_IN_THE_CLINIC)
@require_http_methods(["GET", "HEAD", "POST"])
@once
def device(request: MemberRequest, device_id: UUID) -> HttpResponse:
    """Show a device to everyone in the clinic; dermatologists and managers may change it."""
    row = _find(request, device_id)
    if request.method != "POST":
        return _page(request, DeviceForm(instance=row), row)
    _ensure_may_manage(request)
    form = DeviceForm(request.POST, instance=row)
    if form.is_valid():
        try:
            changed = change_device(device=row, by=request.member, made_from=form.made_from, **form.cleaned_data)
        except ChangedMeanwhile:
            form = DeviceForm(request.POST, instance=_find(request, device_id))  # shows the differences
        except DeviceNameTaken as taken:
            form.add_error("name", taken.as_form_error())
        else:
            messages.success(
                request, _("%(device)s is changed. Photographs keep what they say.") % {"device": changed}
            )
            return redirect("devices")
    return _page(request, form, _find(request, device_id))


@require_role(*EVERYONE_IN_THE_CLINIC)
@require_POST
@once
def device_calibration(request: MemberRequest, device_id: UUID) -> HttpResponse:
    _ensure_may_manage(request)
    row = _find(request, device_id)
    newest = newest_calibration(row)
    if "withdraw" in request.POST:
        if newest is not None and newest.width_mm is not None:
            calibrate_device(device=row, by=request.member, width_mm=None)
        messages.success(request, _("The calibration is withdrawn: its photographs have no scale from the device."))
        return redirect("device", row.pk)
    form = CalibrationForm(request.POST, newest=newest)
    if form.is_valid():
        try:
            calibrate_device(device=row, by=request.member, made_from=form.made_from, **form.cleaned_data)
        except ChangedMeanwhile:
            form = CalibrationForm(request.POST, newest=newest_calibration(_find(request, device_id)))
        else:
            messages.success(request, _("Calibrated. Full-frame photographs taken with it now have a scale."))
            return redirect("device", row.pk)
    return _page(request, DeviceForm(instance=row), row, calibration=form)


def _page(
    request: MemberRequest, form: DeviceForm, row: Device | None, *, calibration: CalibrationForm | None = None
) -> HttpResponse:
    failed = calibration if calibration is not None else form
    status = failed.status if failed.status != 200 else (422 if failed.errors else 200)
    context = {
        "form": form,
        "device": row,
        "calibration_form": calibration or CalibrationForm(newest=newest_calibration(row) if row else None),
        "calibrations": row.calibrations.select_related("member__user") if row else [],
        "may_manage": may_manage_devices(request.member),
    }
    return render(request, "assessment/device.html", context, status=status)


def _find(request: MemberRequest, device_id: UUID) -> Device:
    return get_object_or_404(Device.objects.visible_to(request.member), pk=device_id)


def _ensure_may_manage(request: MemberRequest) -> None:
    if not may_manage_devices(request.member):
        raise PermissionDenied(_("Only dermatologists and managers can change the clinic's devices."))
