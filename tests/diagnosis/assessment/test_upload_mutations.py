"""Whatever bytes are sent, the answer is an answer and nothing is half-stored."""

import json

import pytest
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from diagnosis.images.models import HeatMap, Image, ImageFeatures
from tests import factories
from tests.diagnosis.photographing import bytes_of, sample, stored_files, upload_of

SEED = sample(0)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A real photograph with bytes changed, cut out, doubled, or cut off."""
    data = bytearray(SEED)
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, max(len(data) - 1, 0)))  # nothing may be left
        length = draw(st.integers(1, 400))
        what = draw(st.sampled_from(["change", "cut", "double", "end"]))
        if what == "change":
            data[at : at + length] = draw(st.binary(min_size=length, max_size=length))
        elif what == "cut":
            del data[at : at + length]
        elif what == "double":
            data[at:at] = data[at : at + length]
        else:
            del data[max(at, 1) :]
    return bytes(data)


@pytest.mark.slow
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(content=mutated())
def test_mutated_photographs_are_answered(content, tmp_path_factory, settings, db, clinic, staff_and_visit):
    client, visit, lesion = staff_and_visit
    settings.MEDIA_ROOT = tmp_path_factory.mktemp("media")

    answer = client.post(
        reverse("upload", args=[visit.pk]),
        {"lesion": lesion.pk, "files": upload_of(content)},
        headers={"Accept": "application/json"},
    )

    body = json.loads(answer.content)
    files = stored_files(settings.MEDIA_ROOT)
    if answer.status_code == 200:
        image = Image.objects.get(pk=body["id"])
        assert ImageFeatures.objects.filter(image=image).exists()
        assert bytes_of(image.original) == content
        assert len(files) == 3 + HeatMap.objects.filter(prediction__image=image).count()
        assert image.predictions.exists() == (image.verdict == "accepted")
    else:
        assert answer.status_code in {400, 409, 413, 415, 422}
        assert body["message"]
        assert not files


@pytest.fixture
def staff_and_visit(staff, patient, sign_in):
    return (
        sign_in(staff),
        factories.VisitFactory.create(patient=patient),
        factories.LesionFactory.create(patient=patient),
    )
