"""The one command that rebuilds what is made from the network's features."""

import io
import shutil

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command

from diagnosis.assessment.uploads import add_image
from diagnosis.images.models import ImageFeatures
from diagnosis.management.commands import rebuild_from_features
from diagnosis.similar.embeddings import current_space
from mlmodel.network.drift import read_reference
from mlmodel.releases.release import load_release
from mlmodel.releases.release_files import SHIPPED
from mlmodel.retraining import read_base_set
from mlmodel.taxonomy import CODES
from mlmodel.versions.models import ModelVersion, ModelVersionStatus
from tests.candidates import candidate
from tests.factories import LesionFactory, VisitFactory
from tests.mlmodel.ham10000_like import read_table, write_folds, write_table

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


@pytest.fixture
def image(patient, staff, photograph):
    visit, lesion = VisitFactory(patient=patient), LesionFactory(patient=patient)
    return add_image(visit=visit, lesion=lesion, upload=SimpleUploadedFile("lesion.jpg", photograph), by=staff)


@pytest.fixture
def data(tmp_path):
    """The twelve samples: three copies in fold 7, since a reference takes more than 24 photographs, one in fold 8."""
    folder = write_folds(tmp_path / "data", classes=CODES, copies=5)
    rows = read_table(folder / "metadata.csv")
    for row in rows:
        row["fold"] = {"0": "8", "1": "3"}.get(row["image_id"][-1], "7")
    write_table(folder / "metadata.csv", rows)
    return folder


@pytest.fixture
def release(tmp_path):
    """The shipped network without anything that is made from its features."""
    folder = tmp_path / "release"
    folder.mkdir()
    for name in ("backbone.onnx", "head.npz"):
        (folder / name).symlink_to(SHIPPED / name)
    for name in ("card.md", "manifest.json"):
        shutil.copy(SHIPPED / name, folder)
    return folder


def test_it_rebuilds_files_and_archive_and_earlier_answers_stay(
    data, release, tmp_path, image, monkeypatch, django_capture_on_commit_callbacks
):
    # The network in the folder is the one that serves: as if the shipped files had just been replaced.
    monkeypatch.setattr(rebuild_from_features, "SHIPPED", release)
    before = list(image.predictions.values())
    newest = candidate(leaning="nv", by=12.0)
    ModelVersion.objects.filter(status=ModelVersionStatus.ACTIVE).update(status=ModelVersionStatus.RETIRED)
    ModelVersion.objects.filter(pk=newest.pk).update(status=ModelVersionStatus.ACTIVE)
    ImageFeatures.objects.update(backbone_sha256="0" * 64, vector=b"\0\0")
    image.embedding.delete()
    said = io.StringIO()

    with django_capture_on_commit_callbacks(execute=True):
        call_command(
            "rebuild_from_features",
            data,
            release=release,
            cache=tmp_path / "cache",
            read_photographs=True,
            stdout=said,
        )

    assert len(read_base_set(release / "base_set.npz").locked) == 12
    assert read_reference(release / "reference.npz").backbone_sha256 == load_release().backbone_sha256
    assert load_release(release).sha256 == load_release().sha256
    image.refresh_from_db()
    assert image.embedding.space_sha256 == current_space()
    assert [row for row in image.predictions.values() if row["model_version_id"] != newest.pk] == before
    assert image.predictions.get(model_version=newest).was_rescored
    assert "Analysed 1 photograph again; 0 could not be read." in said.getvalue()


def test_of_a_network_that_does_not_serve_the_archive_is_left_alone(data, release, tmp_path, image):
    stored = image.embedding.embedded_at

    call_command("rebuild_from_features", data, release=release, cache=tmp_path / "cache", stdout=io.StringIO())

    image.refresh_from_db()
    assert image.embedding.embedded_at == stored
    assert read_base_set(release / "base_set.npz")
    assert image.predictions.count() == 1
