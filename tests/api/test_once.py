"""``Idempotency-Key``: a batch whose answer was lost is sent again."""

import pytest

from dermascan.core.submission import Submission
from diagnosis.images.models import Image
from tests import factories
from tests.api.helpers import BATCH, PREDICT, assert_problem, sample, upload

pytestmark = pytest.mark.django_db


@pytest.fixture
def lesion(patient):
    return factories.LesionFactory(patient=patient)


def batch(client, lesion, numbers=(0, 1), key="lost-answer"):
    form = {"files": [upload(sample(number), f"{number}.jpg") for number in numbers]}
    if lesion:
        form["lesion"] = lesion.pk
    return client.post(BATCH, form, headers={"Idempotency-Key": key})


def test_a_batch_sent_again_is_answered_as_before(api, staff, lesion):
    first, second = (batch(api(staff), lesion) for _ in range(2))
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.json() == second.json()
    assert "Idempotency-Replayed" not in first
    assert second["Idempotency-Replayed"] == "true"
    assert Image.objects.count() == 2


def test_a_photograph_too(api, staff, lesion):
    answers = [
        api(staff).post(PREDICT, {"file": upload(sample(0)), "lesion": lesion.pk}, headers={"Idempotency-Key": "k"})
        for _ in range(2)
    ]
    assert answers[0].json() == answers[1].json()
    assert Image.objects.count() == 1


def test_a_key_is_for_one_request(api, staff, lesion):
    batch(api(staff), lesion)
    assert_problem(batch(api(staff), lesion, numbers=(2,)), 422, "key-reused")
    assert Image.objects.count() == 2


def test_answers_about_photographs_that_are_not_kept_are_not_kept(api, staff):
    for _ in range(2):
        assert batch(api(staff), None, numbers=(0,)).status_code == 200
    assert not Submission.objects.exists()


def test_a_key_that_is_too_long_is_refused(api, staff, lesion):
    assert_problem(batch(api(staff), lesion, key="x" * 256), 400, "malformed")
    assert not Image.objects.exists()
