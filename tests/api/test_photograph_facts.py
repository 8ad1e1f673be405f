"""Facts about how photographs were taken, sent by programs."""

import datetime

import pytest
from django.utils import timezone

from diagnosis.images.models import Image, PhotographFacts
from tests import factories
from tests.api.helpers import BATCH, PREDICT, assert_problem, upload

HOUR = datetime.timedelta(hours=1)


@pytest.fixture
def lesion(patient):
    return factories.LesionFactory(patient=patient)


@pytest.fixture
def device(clinic):
    return factories.DeviceFactory(clinic=clinic)


@pytest.mark.parametrize(("address", "field"), [(PREDICT, "file"), (BATCH, "files")])
def test_facts_are_stored_and_returned(api, staff, photograph, lesion, device, address, field):
    moment = (timezone.now() - HOUR).replace(microsecond=0)
    facts = {"kind": "close_up", "device": str(device.pk), "taken_at": moment.isoformat()}
    body = api(staff).post(address, {field: upload(photograph), "lesion": str(lesion.pk), **facts}).json()
    answer = body["results"][0]["result"] if "results" in body else body
    row = PhotographFacts.objects.get()
    assert (row.kind, row.device, row.taken_at, row.member) == ("close_up", device, moment, staff)
    assert (answer["image"]["kind"], answer["image"]["taken_at"]) == ("close_up", moment.isoformat())
    assert (answer["reliability"], answer["probabilities"]) == ("smartphone_not_reliable", None)


def test_a_kind_makes_an_answer_cautious_that_is_not_stored(api, staff, photograph):
    answer = api(staff).post(PREDICT, {"file": upload(photograph), "kind": "overview"}).json()
    assert (answer["reliability"], answer["image"]) == ("smartphone_not_reliable", None)
    plain = api(staff).post(PREDICT, {"file": upload(photograph), "kind": "dermoscopic"}).json()
    assert plain["reliability"] == "calibrated"


@pytest.mark.parametrize(
    "facts",
    [
        {"kind": "selfie"},
        {"kind": "\x00"},
        {"taken_at": "1989-12-31T00:00:00Z"},
        {"taken_at": "2999-01-01T00:00:00Z"},
        {"taken_at": "yesterday"},
        {"device": ""},
        {"device": "no-uuid"},
    ],
)
def test_what_cannot_be_is_refused(api, staff, photograph, lesion, facts):
    answer = api(staff).post(PREDICT, {"file": upload(photograph), "lesion": str(lesion.pk), **facts})
    assert_problem(answer, 400, "invalid")
    assert not Image.objects.exists()


def test_devices_of_others_and_retired_ones_do_not_exist(api, staff, stranger, photograph, lesion, clinic):
    theirs = factories.DeviceFactory(clinic=stranger.clinic)
    retired = factories.DeviceFactory(clinic=clinic, is_retired=True)
    for device in (theirs, retired):
        sent = {"file": upload(photograph), "lesion": str(lesion.pk), "device": str(device.pk)}
        assert_problem(api(staff).post(PREDICT, sent), 404, "not-found")
    assert not Image.objects.exists()


@pytest.mark.parametrize("name", ["device", "taken_at"])
def test_facts_that_would_be_lost_are_refused(api, staff, photograph, device, name):
    facts = {"device": str(device.pk), "taken_at": "2024-05-03T10:20:30Z"}
    answer = api(staff).post(PREDICT, {"file": upload(photograph), name: facts[name]})
    assert_problem(answer, 400, "invalid")
