"""Photographs that are sent with what is known about them, each to its own lesion."""

import datetime
import io
import json

import pytest
from django.urls import reverse
from django.utils import timezone
from PIL import Image as PillowImage

from diagnosis.assessment.exclusions import add_to_other_lesion
from diagnosis.images.models import Image, PhotographFacts
from patients.models import Lesion, VisitStatus
from tests import factories
from tests.diagnosis.photographing import sample, upload_of


@pytest.fixture
def visit(patient, staff):
    return factories.VisitFactory(patient=patient, clinician=staff)


@pytest.fixture
def lesion(patient):
    return factories.LesionFactory(patient=patient, number=1)


@pytest.fixture
def device(clinic):
    return factories.DeviceFactory(clinic=clinic, default_kind="dermoscopic", is_polarised=True)


@pytest.fixture
def client(staff, sign_in):
    return sign_in(staff)


@pytest.fixture
def send(client, visit, lesion):
    def _send(content: bytes = sample(0), **values):
        data = {"lesion": str(lesion.pk), "files": upload_of(content), **values}
        answer = client.post(reverse("upload", args=[visit.pk]), data, headers={"Accept": "application/json"})
        return answer.status_code, json.loads(answer.content)

    return _send


def taken_at(moment: str) -> bytes:
    """A photograph whose file says when it was taken."""
    picture = PillowImage.open(io.BytesIO(sample(0)))
    exif = picture.getexif()
    exif.get_ifd(0x8769)[0x9003] = moment
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=95, exif=exif)
    return file.getvalue()


def test_kind_and_device_are_stored_with_the_devices_defaults(send, device, staff):
    assert send(kind="close_up", device=str(device.pk))[0] == 200
    row = PhotographFacts.objects.get()
    assert (row.kind, row.device, row.is_polarised, row.member) == ("close_up", device, True, staff)
    assert Image.objects.get().kind == "close_up"


@pytest.mark.parametrize(("kind", "stored"), [("", "dermoscopic"), ("left_open", "")])
def test_the_kind_is_the_devices_unless_it_is_left_open(send, device, kind, stored):
    send(kind=kind, device=str(device.pk))
    assert (Image.objects.get().kind, PhotographFacts.objects.get().kind) == (stored, stored)


def test_nothing_is_stated_where_nothing_is_known(send):
    assert send()[0] == 200
    assert not PhotographFacts.objects.exists()


def test_the_file_says_when_it_was_taken_if_that_is_plausible(send):
    assert send(taken_at("2024:05:03 10:20:30"))[0] == 200
    row = PhotographFacts.objects.get()
    moment = timezone.make_aware(datetime.datetime(2024, 5, 3, 10, 20, 30))
    assert (row.taken_at, row.taken_at_source) == (moment, "file")
    assert Image.objects.get().taken_at == moment


@pytest.mark.parametrize("moment", ["1989:12:31 10:00:00", "2999:01:01 00:00:00", "0001:01:01 00:00:00"])
def test_a_time_that_is_not_plausible_is_not_believed(send, moment):
    assert send(taken_at(moment))[0] == 200
    assert Image.objects.get().taken_at is None


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"kind": "selfie"}, "Choose the kind from the list."),
        ({"device": "\x00"}, "Choose a device of your clinic that is in use."),
    ],
)
def test_what_is_not_on_the_list_is_refused_and_nothing_stored(send, values, words):
    status, answer = send(**values)
    assert (status, answer["detail"]) == (400, words)
    assert not Image.objects.exists()


def test_devices_of_others_and_retired_ones_are_not_offered(send, stranger, device):
    theirs = factories.DeviceFactory(clinic=stranger.clinic)
    device.is_retired = True
    device.save()
    for each in (theirs, device):
        assert send(device=str(each.pk))[0] == 400
    assert not Image.objects.exists()


def test_the_members_last_device_is_remembered(send, client, visit, device, dermatologist, sign_in):
    address = reverse("upload", args=[visit.pk])
    assert client.get(address).context["form"].initial["device"] is None
    send(device=str(device.pk))
    assert client.get(address).context["form"].initial["device"] == device
    assert sign_in(dermatologist).get(address).context["form"].initial["device"] is None


def test_without_the_script_one_choice_holds_for_all_and_errors_lose_nothing(client, visit, lesion, device):
    address = reverse("upload", args=[visit.pk])
    chosen = {"lesion": str(lesion.pk), "kind": "close_up", "device": str(device.pk)}
    form = client.post(address, chosen).context["form"]
    assert {name: form[name].value() for name in chosen} == chosen
    files = [upload_of(sample(0), "a.jpg"), upload_of(sample(1), "b.jpg")]
    assert client.post(address, {**chosen, "files": files}).status_code == 200
    assert set(Image.objects.values_list("kind", flat=True)) == {"close_up"}


def test_a_lesion_is_added_from_the_upload_page(client, visit, lesion, staff):
    address = reverse("upload-lesion", args=[visit.pk])
    sent = {"body_site": "back", "side": "left", "description": "below the scar", "idempotency_key": "one"}
    answers = [client.post(address, sent) for _twice in range(2)]
    added = Lesion.objects.get(number=2)
    assert answers[0].json() == answers[1].json() == {"id": str(added.pk), "name": f"{added}: below the scar"}
    assert (added.place, added.created_by) == ("left back", staff)


@pytest.mark.parametrize("sent", [{}, {"body_site": "moon", "side": "left"}, {"body_site": "back", "side": "\x00"}])
def test_a_lesion_without_a_place_is_not_added(client, visit, sent):
    answer = client.post(reverse("upload-lesion", args=[visit.pk]), sent)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert answer.json()["errors"]
    assert not Lesion.objects.exists()


def test_a_signed_visit_and_another_clinic_add_no_lesion(client, visit, stranger, sign_in):
    address, sent = reverse("upload-lesion", args=[visit.pk]), {"body_site": "back", "side": "left"}
    assert sign_in(stranger).post(address, sent).status_code == 404
    visit.status = VisitStatus.SIGNED
    visit.save()
    assert client.post(address, sent).json()["error"] == "visit_is_closed"
    assert not Lesion.objects.exists()


def test_a_photograph_keeps_its_facts_when_it_goes_to_another_lesion(send, patient, staff, device):
    send(kind="close_up", device=str(device.pk))
    other = factories.LesionFactory(patient=patient, number=2)
    moved = add_to_other_lesion(image=Image.objects.get(), lesion=other, by=staff)
    assert (moved.kind, moved.facts.get().device) == ("close_up", device)
