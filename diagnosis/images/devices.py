"""The devices of a clinic, and their calibration."""

from decimal import Decimal
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext as _

from diagnosis.images.errors import DeviceNameTaken
from diagnosis.images.models import Device, DeviceCalibration, PhotographFacts
from patients.edits import change_record, ensure_nothing_is_lost
from patients.models import Clinic, Member, Role

MANAGERS = (Role.DERMATOLOGIST, Role.MANAGER)


def may_manage_devices(member: Member) -> bool:
    return member.role in MANAGERS


def add_device(
    *,
    by: Member,
    name: str,
    lens: str = "",
    default_kind: str = "",
    is_polarised: bool | None = None,
    is_contact: bool | None = None,
    is_retired: bool = False,
) -> Device:
    """Add a device to the member's clinic.

    Raises:
        PermissionDenied: ``by`` neither manages the clinic nor is a dermatologist.
        DeviceNameTaken: the clinic has a device of this name and lens.
    """
    _ensure_manages(by, by.clinic_id)
    with transaction.atomic():
        Clinic.objects.select_for_update().get(pk=by.clinic_id)  # so that two do not take one name
        _ensure_name_is_free(by.clinic_id, name, lens)
        return Device.objects.create(
            clinic=by.clinic,
            name=name,
            lens=lens,
            default_kind=default_kind,
            is_polarised=is_polarised,
            is_contact=is_contact,
            is_retired=is_retired,
            created_by=by,
        )


def change_device(*, device: Device, by: Member, made_from: str | None = None, **values: Any) -> Device:
    """Change what is known about a device. Photographs keep what was stated about them.

    ``made_from`` is the form's token; see ``patients.edits``.

    Raises:
        PermissionDenied, DeviceNameTaken: as ``add_device``.
        ChangedMeanwhile: a colleague has changed it since the form was rendered.
    """
    _ensure_manages(by, device.clinic_id)
    with transaction.atomic():
        Clinic.objects.select_for_update().get(pk=device.clinic_id)
        device = Device.objects.select_for_update().get(pk=device.pk)
        name, lens = values.get("name", device.name), values.get("lens", device.lens)
        _ensure_name_is_free(device.clinic_id, name, lens, other_than=device)
        change_record(device, values, by=by.user, made_from=made_from)
        device.save()
    return device


def calibrate_device(
    *,
    device: Device,
    by: Member,
    width_mm: Decimal | None,
    frame_width: int | None = None,
    frame_height: int | None = None,
    made_from: str | None = None,
) -> DeviceCalibration:
    """Store how wide the device's full frame is; without a width, withdraw its calibration.

    It counts for every photograph taken with the device, earlier ones too. Signed reports keep their figures.

    Raises:
        PermissionDenied: as ``add_device``.
        ChangedMeanwhile: a colleague has calibrated it since the form was rendered.
    """
    _ensure_manages(by, device.clinic_id)
    values = {"width_mm": width_mm, "frame_width": frame_width, "frame_height": frame_height}
    with transaction.atomic():
        Device.objects.select_for_update().get(pk=device.pk)
        newest = newest_calibration(device)
        if newest is not None:
            ensure_nothing_is_lost(newest, values, made_from)
        return DeviceCalibration.objects.create(device=device, member=by, **values)


def newest_calibration(device: Device) -> DeviceCalibration | None:
    """Return the device's newest calibration, which may be a withdrawal; in no query if prefetched."""
    return max(device.calibrations.all(), key=lambda row: row.pk, default=None)


def last_device_of(member: Member) -> Device | None:
    """Return the device of the photograph that the member added last with any facts, if it is still in use."""
    own = PhotographFacts.objects.filter(member=member, image__uploaded_by=member).order_by("-pk")
    facts = own.select_related("device").first()
    device = facts.device if facts else None
    return device if device and not device.is_retired and device.clinic_id == member.clinic_id else None


def default_kinds_in(member: Member) -> dict[str, str]:
    """Return what the devices of the member's clinic usually take, by key, where that is known."""
    devices = Device.objects.visible_to(member).in_use().exclude(default_kind="")
    return {str(key): kind for key, kind in devices.values_list("pk", "default_kind")}


def _ensure_manages(by: Member, clinic_id: Any) -> None:
    if by.clinic_id != clinic_id or not may_manage_devices(by):
        raise PermissionDenied(_("Only dermatologists and managers can change the clinic's devices."))


def _ensure_name_is_free(clinic_id: Any, name: str, lens: str, *, other_than: Device | None = None) -> None:
    same = Device.objects.filter(clinic=clinic_id, name__iexact=name, lens__iexact=lens)
    if other_than is not None:
        same = same.exclude(pk=other_than.pk)
    if same.exists():
        raise DeviceNameTaken
