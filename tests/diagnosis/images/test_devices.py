"""Devices of a clinic, and the scale that their calibration gives to photographs."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from diagnosis.images.devices import calibrate_device
from diagnosis.images.models import Device, DeviceCalibration, PhotographFacts
from diagnosis.measures.facts_differ import facts_differ
from diagnosis.measures.models import PictureScale
from diagnosis.measures.scales import Scale, scale_of, with_scales
from patients.models import Role
from tests import factories
from tests.forms import posting_forms
from tests.page_forms import form_with

FRAME: dict[str, Any] = {"frame_width": 4000, "frame_height": 3000}


@pytest.fixture
def device(clinic, dermatologist):
    return factories.DeviceFactory(clinic=clinic, created_by=dermatologist)


@pytest.fixture
def calibrated(device, dermatologist):
    calibrate_device(device=device, by=dermatologist, width_mm=Decimal("14.5"), **FRAME)
    return device


def photographed(device, patient, **values):
    """A photograph taken with the device."""
    facts = {name: values.pop(name) for name in ("is_cropped", "kind", "is_polarised", "is_contact") if name in values}
    image = factories.ImageFactory(lesion__patient=patient, **values)
    PhotographFacts.objects.create(image=image, device=device, member=image.uploaded_by, **facts)
    return image


@pytest.mark.parametrize("role", [Role.MANAGER, Role.DERMATOLOGIST])
def test_a_device_is_added_calibrated_and_corrected(clinic, sign_in, role):
    member = factories.MemberFactory(clinic=clinic, role=role)
    client = sign_in(member)
    added = client.post(
        reverse("device-new"),
        {"name": "DermLite DL4", "lens": "MagnetiConnect", "default_kind": "dermoscopic", "is_polarised": "True"},
    )
    row = Device.objects.get()
    assert added.url == reverse("device", args=[row.pk])
    assert (row.clinic, row.created_by, row.default_kind) == (clinic, member, "dermoscopic")
    assert (row.is_polarised, row.is_contact) == (True, None)

    address = reverse("device-calibration", args=[row.pk])
    assert client.post(address, {"width_mm": "14.5", **FRAME}).status_code == 302
    page = client.get(reverse("device", args=[row.pk])).text
    again = form_with(page, "width_mm").data
    assert client.post(address, {**again, "width_mm": ["15"]}).status_code == 302
    assert client.post(address, {**again, "width_mm": ["16"]}).status_code == 409, "a stale page overrides nothing"
    assert [each.width_mm for each in row.calibrations.all()] == [Decimal(15), Decimal("14.5")]
    assert "15 mm wide" in client.get(reverse("devices")).text

    client.post(address, {"withdraw": "1"})
    assert next(each.width_mm for each in row.calibrations.all()) is None
    edit = form_with(client.get(reverse("device", args=[row.pk])).text, "lens").data
    assert client.post(reverse("device", args=[row.pk]), {**edit, "is_retired": ["on"]}).status_code == 302
    row.refresh_from_db()
    assert (row.is_retired, row.changed_by) == (True, member.user)


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"width_mm": "0"}, "width_mm"),
        ({"width_mm": "501"}, "width_mm"),
        ({"width_mm": "NaN"}, "width_mm"),
        ({"width_mm": ""}, "width_mm"),
        ({"frame_width": "0"}, "frame_width"),
        ({"frame_height": "99999999999999999999"}, "frame_height"),
        ({"frame_height": "\x00"}, "frame_height"),
    ],
)
def test_a_calibration_that_cannot_be_is_refused(device, dermatologist, sign_in, typed, field):
    address = reverse("device-calibration", args=[device.pk])
    answer = sign_in(dermatologist).post(address, {"width_mm": "14.5", **FRAME, **typed})
    assert answer.status_code == 422
    assert field in answer.context["calibration_form"].errors
    assert not DeviceCalibration.objects.exists()


def test_a_name_is_given_once_and_by_those_who_may(device, staff, dermatologist, stranger, sign_in):
    taken = sign_in(dermatologist).post(reverse("device-new"), {"name": device.name.upper(), "lens": device.lens})
    assert (taken.status_code, Device.objects.count()) == (422, 1)
    assert sign_in(staff).post(reverse("device-new"), {"name": "Another"}).status_code == 403
    assert not posting_forms(sign_in(staff).get(reverse("device", args=[device.pk])).text)[0].fields.get("name")
    for address in ("device", "device-calibration"):
        assert sign_in(stranger).post(reverse(address, args=[device.pk]), {"name": "Mine"}).status_code == 404
    assert Device.objects.get().name == device.name


@pytest.mark.parametrize(
    ("size", "width"),
    [
        ((4000, 3000), "14.50"),
        ((3000, 4000), "10.88"),  # upright: the frame's shorter side
        ((1600, 1200), "14.50"),
        ((1599, 1199), "14.50"),
        ((1600, 900), None),  # other proportions: a part of the frame
        ((1200, 1200), None),
        ((8000, 6000), None),  # larger than the frame: another camera, or enlarged
    ],
)
def test_a_photograph_of_the_full_frame_has_the_scale_of_its_device(calibrated, patient, size, width):
    image = photographed(calibrated, patient, width=size[0], height=size[1])
    scale = scale_of(image)
    assert (scale and scale.width_mm) == (width and Decimal(width))
    assert scale is None or scale.device == str(calibrated)


def test_what_is_stated_for_one_photograph_comes_first(calibrated, patient, dermatologist):
    image = photographed(calibrated, patient, width=4000, height=3000)
    PictureScale.objects.create(image=image, member=dermatologist, width_mm=Decimal("20.0"))
    assert scale_of(image) == Scale(Decimal("20.0"))
    cropped = photographed(calibrated, patient, width=4000, height=3000, is_cropped=True)
    assert scale_of(cropped) is None
    calibrate_device(device=calibrated, by=dermatologist, width_mm=None)
    assert scale_of(photographed(calibrated, patient, width=4000, height=3000)) is None


def test_scales_of_many_photographs_take_no_query_for_each(calibrated, patient, django_assert_num_queries):
    images = [photographed(calibrated, patient, width=4000, height=3000) for _ in range(3)]
    with django_assert_num_queries(4):
        rows = list(with_scales(type(images[0]).objects.filter(pk__in=[image.pk for image in images])))
        assert {scale_of(image) for image in rows} == {Scale(Decimal("14.50"), device=str(calibrated))}
        assert facts_differ(rows) == ["kind of photograph", "polarised light", "contact with the skin"]


def test_facts_that_differ_or_are_not_known_are_named(calibrated, patient, clinic, dermatologist):
    known = {"kind": "dermoscopic", "is_polarised": True, "is_contact": False, "width": 4000, "height": 3000}
    one, same = (photographed(calibrated, patient, **known) for _ in range(2))
    assert facts_differ([one]) == facts_differ([one, same]) == []
    other = factories.DeviceFactory(clinic=clinic, created_by=dermatologist)
    calibrate_device(device=other, by=dermatologist, width_mm=Decimal(30), **FRAME)
    differing = photographed(other, patient, **{**known, "is_polarised": False})
    assert facts_differ([one, differing]) == ["device", "polarised light", "scale"]
    unknown = factories.ImageFactory(lesion__patient=patient)
    assert facts_differ([one, same, unknown]) == [
        "kind of photograph",
        "device",
        "polarised light",
        "contact with the skin",
        "scale",
    ]


@pytest.mark.parametrize(
    "broken",
    [
        {"width_mm": Decimal(0), **FRAME},
        {"width_mm": Decimal(501), **FRAME},
        {"width_mm": Decimal(10), "frame_width": None, "frame_height": 3000},
        {"width_mm": None, **FRAME},
        {"width_mm": Decimal(10), "frame_width": 0, "frame_height": 3000},
    ],
)
def test_a_calibration_is_whole_or_withdrawn(device, dermatologist, broken):
    with pytest.raises(IntegrityError, match="calibration_is_whole_or_withdrawn"), transaction.atomic():
        DeviceCalibration.objects.create(device=device, member=dermatologist, **broken)


def test_calibrations_are_added_and_never_changed(calibrated):
    with pytest.raises(IntegrityError, match="device_calibrations_are_append_only"), transaction.atomic():
        DeviceCalibration.objects.update(width_mm=Decimal(1))


@pytest.mark.parametrize(
    ("values", "rule"),
    [({"name": ""}, "device_has_a_name"), ({"default_kind": "selfie"}, "device_default_kind_is_known")],
)
def test_a_device_has_a_name_and_a_known_kind(device, values, rule):
    with pytest.raises(IntegrityError, match=rule), transaction.atomic():
        Device.objects.filter(pk=device.pk).update(**values)


def test_two_devices_of_a_clinic_have_two_names(device):
    # SQLite names the columns, PostgreSQL the rule.
    with pytest.raises(IntegrityError, match=r"device_is_named_once_in_its_clinic|device\.name"), transaction.atomic():
        factories.DeviceFactory(clinic=device.clinic, name=device.name, lens=device.lens)
