"""Which of a photograph's predictions is shown: one rule for every page, list, program and count."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from diagnosis.api.results import Reader, answer_for_image
from diagnosis.assessment.uploads import add_image
from diagnosis.images.models import Image, Prediction
from diagnosis.reports.drafts import draft_report
from diagnosis.reviews.services import record_review
from mlmodel.versions.promotion import promote_version, roll_back
from mlmodel.versions.serving import active_version
from tests.candidates import candidate
from tests.factories import ImageFactory, LesionFactory, ModelVersionFactory, PredictionFactory, VisitFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def image(patient, staff, photograph):
    upload = SimpleUploadedFile("lesion.jpg", photograph)
    visit = VisitFactory(patient=patient, plan="Excision next week.")
    return add_image(visit=visit, lesion=LesionFactory(patient=patient), upload=upload, by=staff)


@pytest.fixture
def rolled_back(image, dermatologist, django_capture_on_commit_callbacks):
    """A photograph that the shipped network finds urgent; a later version, given up since, was calm."""
    shipped, later = active_version(), candidate(leaning="nv", by=12.0)
    with django_capture_on_commit_callbacks(execute=True):
        promote_version(version=later, by=dermatologist.user, reason="Better.")
    with django_capture_on_commit_callbacks(execute=True):
        roll_back(to=shipped, by=dermatologist.user, reason="Misses too much.")
    first, second = image.predictions.order_by("created_at")
    assert (first.code, first.tier, second.code, second.tier) == ("mel", "urgent", "nv", "calm")
    return image


def signed_in(member) -> Client:
    client = Client()
    client.force_login(member.user)
    return client


def keys_listed(client: Client, address: str, **query: str) -> set[str]:
    response = client.get(reverse(address), query)
    assert response.status_code == 200
    return {str(row.pk) for row in response.context["cl"].result_list}


def test_pages_and_lists_show_the_active_versions_answer(rolled_back, dermatologist, staff):
    image, client = rolled_back, signed_in(dermatologist)
    addresses = [
        reverse("image", args=[image.pk]),
        reverse("visit", args=[image.visit_id]),
        reverse("lesion", args=[image.lesion_id]),
        reverse("patient", args=[image.visit.patient_id]),
        reverse("visits"),
        reverse("admin:review-photograph", args=[image.pk]),
        reverse("visit-sign", args=[image.visit_id]),
    ]
    for address in addresses:
        page = client.get(address).content.decode()
        assert "urgent" in page, address
        assert "badge-calm" not in page.replace('badge-calm">Not waiting', ""), address
        assert "tier-calm" not in page, address


def test_the_admins_lists_and_filters_agree_with_them(rolled_back, dermatologist):
    client, key = signed_in(dermatologist), str(rolled_back.pk)
    shown = str(rolled_back.predictions.get(code="mel").pk)

    listed = client.get(reverse("admin:diagnosis_image_changelist")).content.decode()
    assert "admin-tier-urgent" in listed
    assert "admin-tier-calm" not in listed
    assert keys_listed(client, "admin:diagnosis_image_changelist", tier="urgent") == {key}
    assert keys_listed(client, "admin:diagnosis_image_changelist", tier="calm") == set()
    assert keys_listed(client, "admin:diagnosis_prediction_changelist") == {shown}
    assert keys_listed(client, "admin:diagnosis_prediction_changelist", tier__exact="calm") == set()
    every = keys_listed(client, "admin:diagnosis_prediction_changelist", shown="all")
    assert every == {str(prediction.pk) for prediction in rolled_back.predictions.all()}


def test_agreement_compares_readers_with_the_answer_that_is_shown(rolled_back, dermatologist):
    record_review(image=rolled_back, reviewer=dermatologist, answer="mel", certainty="certain")
    report = signed_in(dermatologist).get(reverse("admin:review-agreement")).context["unblinded"]
    assert [(row.overall.count, row.overall.observed) for row in report.network] == [(1, 1.0)]


def test_report_and_api_give_the_answer_that_is_shown(rolled_back):
    assessment = draft_report(visit=rolled_back.visit).content["lesions"][0]["photographs"][0]["assessment"]
    assert (assessment["code"], assessment["model_version"]) == ("mel", active_version().name)

    answer = answer_for_image(Image.objects.get(), reader=Reader("en", "patient"))
    assert (answer["predicted_code"], answer["tier"]["code"]) == ("mel", "urgent")
    assert answer["model_version"] == active_version().name


def test_without_an_answer_of_the_active_version_the_newest_is_shown(image):
    image.predictions.all().delete()
    PredictionFactory(
        image=image, model_version=ModelVersionFactory(name="v1", sha256="1" * 64), code="mel", tier="urgent"
    )
    newest = PredictionFactory(image=image, model_version=ModelVersionFactory(name="v2", sha256="2" * 64))
    assert list(Prediction.objects.shown()) == [newest]
    ours = PredictionFactory(image=image, model_version=active_version(), code="bcc", tier="urgent")
    PredictionFactory(image=image, model_version=ModelVersionFactory(name="v3", sha256="3" * 64))
    assert list(Prediction.objects.shown()) == [ours]
    assert image.shown_prediction == ours


def test_many_are_read_in_one_query():
    for _number in range(3):
        PredictionFactory(image=ImageFactory())
    ImageFactory()
    with CaptureQueriesContext(connection) as queries:
        shown = [image.shown_prediction for image in Image.objects.with_shown_prediction()]
    assert len(queries) == 2
    assert sum(prediction is not None for prediction in shown) == 3
