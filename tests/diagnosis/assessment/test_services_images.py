"""Photographs are kept whole, or not at all."""

import hashlib
import io
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connections
from PIL import Image as PillowImage

from diagnosis.assessment.analysis import analyse_image, check_picture
from diagnosis.assessment.errors import AlreadyUploaded
from diagnosis.assessment.uploads import add_image
from diagnosis.images.models import Image, ImageFeatures, Prediction
from mlmodel.network.analyser import get_analyser
from mlmodel.network.stages import FEATURE_COUNT
from mlmodel.pictures.picture_errors import MAX_BYTES, NotAPicture, TooLarge
from mlmodel.versions.models import ModelVersion, ModelVersionStatus
from mlmodel.versions.serving import active_version
from patients.models import Member, Visit, VisitStatus
from patients.services import LesionOfAnotherPatient
from patients.services.visits import VisitIsClosed
from tests import factories
from tests.diagnosis.photographing import blurred, bytes_of, kept, picture_of, stored_files, upload_of, with_gps


@pytest.fixture
def visit(patient, staff):
    return factories.VisitFactory.create(patient=patient, clinician=staff)


@pytest.fixture
def lesion(patient):
    return factories.LesionFactory.create(patient=patient)


@pytest.fixture
def media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def test_a_photograph_is_kept_with_its_answer(visit, lesion, staff, photograph):
    image = kept(visit, lesion, staff, photograph)

    image = Image.objects.get(pk=image.pk)
    assert image.sha256 == hashlib.sha256(photograph).hexdigest()
    assert bytes_of(image.original) == photograph
    assert (image.media_type, image.width, image.height) == ("image/jpeg", 600, 450)
    assert image.uploaded_by == staff
    features = ImageFeatures.objects.get(image=image)
    assert features.backbone_sha256 == get_analyser().backbone_sha256
    assert np.frombuffer(features.vector, dtype="<f2").shape == (FEATURE_COUNT,)
    prediction = Prediction.objects.get(image=image)
    assert prediction.model_version == active_version()
    assert sum(prediction.probabilities.values()) == pytest.approx(1, abs=1e-3)
    assert prediction.code == max(prediction.probabilities, key=prediction.probabilities.__getitem__)
    assert prediction.duration.total_seconds() > 0
    for row in prediction.heat_maps.all():
        heat_map = picture_of(row.file)
        assert (heat_map.format, heat_map.size) == ("PNG", (384, 288))
    assert {row.code for row in prediction.heat_maps.all()} == {prediction.explained_code, prediction.code}


def test_the_answer_is_the_one_that_the_quick_check_gives(visit, lesion, staff, photograph):
    prediction = kept(visit, lesion, staff, photograph).predictions.get()

    assessment = check_picture(data=photograph).analysis.assessment

    assert assessment is not None
    assert prediction.probabilities == pytest.approx(assessment.probabilities, abs=1e-5)
    assert prediction.tier == assessment.tier


def test_the_quick_check_keeps_nothing(db, media, photograph):
    result = check_picture(data=photograph)

    assert result.display_jpeg()[:2] == b"\xff\xd8"
    assert result.analysis.assessment is not None
    assert next(iter(result.heat_map_pngs())) == result.analysis.assessment.explained_code
    assert {png[:4] for png in result.heat_map_pngs().values()} == {b"\x89PNG"}
    assert not ModelVersion.objects.exists()
    assert not Image.objects.exists()
    assert not stored_files(media)


def test_what_is_shown_is_upright_small_and_without_metadata(visit, lesion, staff, photograph):
    sent = with_gps(photograph)

    image = kept(visit, lesion, staff, sent)

    assert (image.width, image.height) == (450, 600)
    assert bytes_of(image.original) == sent
    for file, side in ((image.display, 1600), (image.thumbnail, 320)):
        shown = bytes_of(file)
        picture = PillowImage.open(io.BytesIO(shown))
        assert picture.height > picture.width
        assert max(picture.size) <= side
        assert not picture.getexif()
        assert b"SecretCamera" not in shown


def test_a_large_photograph_is_shown_smaller(visit, lesion, staff, photograph):
    file = io.BytesIO()
    PillowImage.open(io.BytesIO(photograph)).resize((2400, 1800)).save(file, "JPEG")

    image = kept(visit, lesion, staff, file.getvalue())

    assert picture_of(image.display).size == (1600, 1200)
    assert picture_of(image.thumbnail).size == (320, 240)


def test_a_refused_photograph_is_kept_without_an_answer(visit, lesion, staff, photograph):
    image = kept(visit, lesion, staff, blurred(photograph))

    assert image.verdict == "blurred"
    assert set(image.measures) >= {"sharpness", "brightness", "in_domain"}
    assert not image.predictions.exists()
    assert ImageFeatures.objects.filter(image=image).exists()


@pytest.mark.parametrize(
    ("sent", "kept_as"),
    [
        ("../../etc/passwd.jpg", "passwd.jpg"),
        ("C:\\Users\\Ann\\mole.jpg", "mole.jpg"),
        ("a\x00b\x1b[31m\u202egpj.exe", "ab[31mgpj.exe"),
        ("é" * 300 + ".jpg", "é" * 200),
        ("\x07", "photograph"),
    ],
)
def test_the_name_is_kept_without_what_could_harm(visit, lesion, staff, photograph, sent, kept_as):
    upload = SimpleUploadedFile("placeholder.jpg", photograph)
    upload.__dict__["_name"] = sent  # what arrives in other ways than through Django's own form parser

    image = add_image(visit=visit, lesion=lesion, upload=upload, by=staff)

    assert Image.objects.get(pk=image.pk).original_name == kept_as


def test_the_same_photograph_is_kept_once(visit, lesion, staff, photograph):
    first = kept(visit, lesion, staff, photograph)

    with pytest.raises(AlreadyUploaded) as refusal:
        kept(visit, lesion, staff, photograph)

    assert refusal.value.existing == first
    other = factories.LesionFactory.create(patient=visit.patient)
    assert kept(visit, other, staff, photograph).pk != first.pk


def test_the_lesion_must_be_the_visits_patients(visit, staff, media, photograph):
    elsewhere = factories.LesionFactory.create(patient=factories.PatientFactory.create(clinic=staff.clinic))

    with pytest.raises(LesionOfAnotherPatient):
        kept(visit, elsewhere, staff, photograph)

    assert not stored_files(media)


def test_a_visit_signed_meanwhile_takes_nothing_in(visit, lesion, staff, media, photograph):
    Visit.objects.filter(pk=visit.pk).update(status=VisitStatus.SIGNED)
    assert visit.is_open, "the object in hand is stale, as it is after a slow analysis"

    with pytest.raises(VisitIsClosed):
        kept(visit, lesion, staff, photograph)

    assert not Image.objects.exists()
    assert not stored_files(media)


def test_what_is_no_picture_leaves_nothing(visit, lesion, staff, media):
    with pytest.raises(NotAPicture):
        add_image(visit=visit, lesion=lesion, upload=upload_of(b"text that calls itself a picture"), by=staff)

    assert not Image.objects.exists()
    assert not stored_files(media)


def test_no_more_is_read_than_may_be_sent(visit, lesion, staff):
    upload = upload_of(b"\xff\xd8" + bytes(MAX_BYTES + 1000))

    with pytest.raises(TooLarge):
        add_image(visit=visit, lesion=lesion, upload=upload, by=staff)

    assert upload.tell() == MAX_BYTES + 1


@pytest.mark.django_db(transaction=True)
def test_nothing_is_half_stored_when_the_transaction_fails(media, photograph):
    patient = factories.PatientFactory.create()
    visit, lesion = factories.VisitFactory.create(patient=patient), factories.LesionFactory.create(patient=patient)
    active_version()
    nobody = Member(clinic=patient.clinic, user=patient.created_by.user)  # not in the database: the commit must fail

    with pytest.raises(IntegrityError):
        kept(visit, lesion, nobody, photograph)

    assert not Image.objects.exists()
    assert not Prediction.objects.exists()
    assert not ImageFeatures.objects.exists()
    assert not stored_files(media)


def test_the_shipped_network_is_registered_once_and_is_the_active_one(db):
    earlier = ModelVersion.objects.create(
        name="xception-old", sha256="0" * 64, backbone_sha256="1" * 64, head_sha256="2" * 64, card="", status="active"
    )

    version = active_version()

    assert active_version() == version
    assert (version.sha256, version.name) == (get_analyser().sha256, get_analyser().version)
    assert version.card == get_analyser().card
    earlier.refresh_from_db()
    assert earlier.status == ModelVersionStatus.RETIRED
    assert ModelVersion.objects.filter(status=ModelVersionStatus.ACTIVE).get() == version


@pytest.mark.django_db(transaction=True)
def test_processes_that_start_together_register_it_once():
    together = threading.Barrier(4)

    def register() -> int:
        together.wait()
        try:
            return active_version().pk
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        found = {future.result() for future in [pool.submit(register) for _ in range(4)]}

    assert found == {ModelVersion.objects.get().pk}


def test_a_new_network_adds_its_answer_to_the_old_one(visit, lesion, staff, photograph):
    image = kept(visit, lesion, staff, photograph)
    old = image.predictions.get()
    ModelVersion.objects.update(name="xception-old", sha256="0" * 64, status="retired")

    new = analyse_image(image=image)

    assert set(image.predictions.all()) == {old, new}
    assert new.model_version.sha256 == get_analyser().sha256
    assert analyse_image(image=image) == new
