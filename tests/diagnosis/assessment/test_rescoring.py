"""After a switch the archive is read by the new version: beside what was said before, never instead of it."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from diagnosis.assessment.rescoring import rescore_archive
from diagnosis.assessment.uploads import add_image
from diagnosis.images.models import Prediction
from diagnosis.reviews.models import QueueEntry, Reason
from mlmodel.versions.promotion import promote_version, roll_back
from mlmodel.versions.serving import active_version
from tests.candidates import candidate
from tests.factories import LesionFactory, VisitFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def image(patient, staff, photograph):
    visit = VisitFactory(patient=patient)
    return add_image(
        visit=visit,
        lesion=LesionFactory(patient=patient),
        upload=SimpleUploadedFile("lesion.jpg", photograph),
        by=staff,
    )


def switch(django_capture_on_commit_callbacks, decide) -> None:
    """Decide, and let what waits for the commit happen: the worker's task runs here, as tests have it."""
    with django_capture_on_commit_callbacks(execute=True):
        decide()


def shown(image) -> Prediction:
    prediction = image.predictions.shown().first()
    assert prediction is not None
    return prediction


def test_the_new_version_reads_what_was_judged_before(image, dermatologist, django_capture_on_commit_callbacks):
    old, version = image.predictions.get(), candidate(leaning="nv", by=12.0)

    switch(
        django_capture_on_commit_callbacks,
        lambda: promote_version(version=version, by=dermatologist.user, reason="Better."),
    )

    assert set(image.predictions.values_list("model_version", flat=True)) == {old.model_version_id, version.pk}
    assert shown(image).model_version == version
    assert shown(image).code == "nv"
    old_again = image.predictions.get(pk=old.pk)
    assert old_again.tier == old.tier
    assert old_again.heat_maps.exists()


def test_a_lesion_whose_tier_changed_comes_into_the_queue(image, dermatologist, django_capture_on_commit_callbacks):
    assert image.predictions.get().tier != "calm"
    version = candidate(leaning="nv", by=12.0)

    switch(
        django_capture_on_commit_callbacks,
        lambda: promote_version(version=version, by=dermatologist.user, reason="Better."),
    )

    assert shown(image).tier == "calm"
    assert Reason.TIER_CHANGED in QueueEntry.objects.get(image=image).reasons


def test_reading_the_archive_again_adds_nothing(image, dermatologist, django_capture_on_commit_callbacks):
    version = candidate()
    switch(
        django_capture_on_commit_callbacks,
        lambda: promote_version(version=version, by=dermatologist.user, reason="Better."),
    )
    assert list(rescore_archive()) == []
    assert image.predictions.count() == 2


def test_stored_features_say_what_the_photograph_says(image, dermatologist, django_capture_on_commit_callbacks):
    """Features are kept in half precision, which is what the network reads in the first place: equal to rounding."""
    version = candidate(leaning="bkl", by=0.5)
    switch(
        django_capture_on_commit_callbacks,
        lambda: promote_version(version=version, by=dermatologist.user, reason="Better."),
    )
    from diagnosis.assessment.analysis import read_original
    from mlmodel.versions.serving import active_analyser

    fresh = read_original(image, analyser=active_analyser()).assessment.probabilities
    assert shown(image).probabilities == pytest.approx(fresh, abs=1e-5)


def test_its_heat_map_is_drawn_when_somebody_looks(image, staff, dermatologist, django_capture_on_commit_callbacks):
    version = candidate()
    switch(
        django_capture_on_commit_callbacks,
        lambda: promote_version(version=version, by=dermatologist.user, reason="Better."),
    )
    assert not shown(image).heat_maps.exists()
    client = Client()
    client.force_login(staff.user)

    response = client.get(reverse("image-file", args=[image.pk, "heat-map"]))

    assert response.status_code == 200
    assert response.getvalue().startswith(b"\x89PNG")
    assert shown(image).heat_maps.get().code == shown(image).explained_code
    assert client.get(reverse("image", args=[image.pk])).status_code == 200


def test_after_going_back_the_earlier_versions_answer_is_shown(
    image, staff, dermatologist, django_capture_on_commit_callbacks
):
    shipped, version = active_version(), candidate(leaning="nv", by=12.0)
    switch(
        django_capture_on_commit_callbacks,
        lambda: promote_version(version=version, by=dermatologist.user, reason="Better."),
    )
    switch(
        django_capture_on_commit_callbacks,
        lambda: roll_back(to=shipped, by=dermatologist.user, reason="Misses too much."),
    )

    assert image.predictions.count() == 2
    assert shown(image).model_version == shipped
    assert Reason.TIER_CHANGED not in QueueEntry.objects.get(image=image).reasons, "it is what it was"
    client = Client()
    client.force_login(staff.user)
    page = client.get(reverse("image", args=[image.pk])).content.decode()
    assert shipped.name in page
