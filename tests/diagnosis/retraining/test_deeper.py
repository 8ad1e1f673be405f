"""The exit flow is fine-tuned: from confirmed photographs to a version that answers, and back."""

import io
from io import StringIO

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.urls import reverse
from PIL import Image as Pillow

from diagnosis.answers import Basis, Cause, Certainty
from diagnosis.models import Depth, ExitFeatures, Prediction, RunStatus, TrainingRun
from diagnosis.retraining import run as run_module
from diagnosis.services.heat_maps import heat_map_of
from diagnosis.services.images import add_image
from diagnosis.services.labels import derive_label
from diagnosis.services.overrides import override_refusal
from diagnosis.services.rescoring import rescore_archive
from diagnosis.similar.embeddings import current_space
from mlmodel.analysis import get_analyser
from mlmodel.models import StoredExit
from mlmodel.promotion import promote_version, roll_back
from mlmodel.serving import active_version
from mlmodel.stages import stage_slice
from mlmodel.taxonomy import CODES
from mlmodel.training.base_set import base_set_of
from mlmodel.training.dataset import read_dataset
from mlmodel.training.features import cached_features
from tests.candidates import candidate, louder_exit_flow
from tests.factories import LesionFactory, UserFactory, VisitFactory
from tests.mlmodel.ham10000_like import SAMPLES, sample_labels, write_table

from .cases import agreeing_patient

pytestmark = pytest.mark.django_db
LESIONS = 26
FOLDS = (0, 0, 7, 8)


def another(code: str) -> str:
    """What dermatologists here call it: another class than the network was taught, so that there is much to learn."""
    return CODES[(CODES.index(code) + 1) % len(CODES)]


def noisy(name: str, *, seed: int) -> bytes:
    """A photograph of the samples as another camera might have taken it."""
    with Pillow.open(SAMPLES / f"{name}.jpg") as file:
        pixels = np.asarray(file.convert("RGB"))
    changed = pixels + np.random.default_rng(seed).normal(0, 3, pixels.shape)
    out = io.BytesIO()
    Pillow.fromarray(np.clip(changed, 0, 255).astype(np.uint8)).save(out, "JPEG", quality=92)
    return out.getvalue()


@pytest.fixture(scope="session")
def base_data(tmp_path_factory):
    """A small base data set of half of the samples, with folds."""
    folder = tmp_path_factory.mktemp("base")
    (folder / "images").mkdir()
    rows = []
    for name, code in list(sample_labels().items())[::2]:
        for copy, fold in enumerate(FOLDS):
            (folder / "images" / f"{name}_{copy}.jpg").write_bytes(noisy(name, seed=copy))
            rows.append(
                {"image_id": f"{name}_{copy}", "lesion_group": f"{name}_{copy}", "dx": another(code),
                 "source": "sharp", "fold": str(fold)}
            )  # fmt: skip
    write_table(folder / "metadata.csv", rows)
    return folder


@pytest.fixture
def with_base_data(base_data, settings, monkeypatch, tmp_path):
    """The installation's base set is the small one: its photographs are there."""
    dataset, analyser = read_dataset(base_data), get_analyser()
    features = cached_features(dataset.paths, engine=analyser.engine, cache=base_data / "features")
    base = base_set_of(dataset, features, backbone_sha256=analyser.backbone_sha256)
    monkeypatch.setattr(run_module, "read_base_set", lambda: base)
    settings.RETRAINING_EXIT_EPOCHS = 2
    settings.DATA_DIR = tmp_path
    settings.RETRAINING_BASE_DATA = base_data
    settings.RETRAINING_LOCKED_SHARE = 0.0
    # So few photographs cannot tell of calibration or of a class.
    settings.RETRAINING_GATE = {"calibration_error": 1.0, "recall_floors": {}, "melanoma_change": -1.0}
    return base


def confirm(reader, *, number: int):
    """Upload a photograph of the other half of the samples, and settle its label."""
    names = list(sample_labels().items())[1::2]
    name, code = names[number % len(names)]
    patient = agreeing_patient(reader.clinic)
    image = add_image(
        visit=VisitFactory(patient=patient),
        lesion=LesionFactory(patient=patient),
        upload=SimpleUploadedFile("lesion.jpg", noisy(name, seed=100 + number)),
        by=reader,
    )
    image.reviews.create(
        reviewer=reader, answer=another(code), certainty=Certainty.CERTAIN, basis=Basis.HISTOPATHOLOGY
    )
    derive_label(image=image, cause=Cause.REVIEW)
    return image


def retrain(*arguments: str) -> str:
    out = StringIO()
    call_command("retrain", *arguments, stdout=out)
    return out.getvalue()


@pytest.mark.slow
def test_from_confirmed_photographs_to_an_exit_flow_that_answers_and_back(
    dermatologist, with_base_data, django_capture_on_commit_callbacks, tmp_path
):
    shipped = active_version()
    (tmp_path / "retraining" / "clinic-killed").mkdir(parents=True)
    images = [confirm(dermatologist, number=number) for number in range(LESIONS)]

    assert f"{LESIONS} photographs" in retrain("--depth", "exit", "--dry-run")
    told = retrain("--depth", "exit")

    run = TrainingRun.objects.get()
    version = run.candidate
    assert (run.status, run.depth) == (RunStatus.DONE, Depth.EXIT)
    assert version is not None
    assert version.exit is not None, "the exit flow has learnt something"
    assert "exit flow and head" in version.card
    assert version.name in told
    assert active_version() == shipped
    assert not list((tmp_path / "retraining").glob("clinic-*")), (
        "nothing of a patient's photograph is left lying about"
    )
    # It was taken because the loss fell; on so few lesions the names may all stay what they were.
    assert run.judgement["base"]["balanced_accuracy"]["change"] >= 0

    with django_capture_on_commit_callbacks(execute=True):
        promote_version(
            version=version,
            by=dermatologist.user,
            reason="It has learnt our names.",
            force=True,
            seconded_by=UserFactory(),
        )
    assert Prediction.objects.filter(model_version=version).count() == LESIONS
    assert ExitFeatures.objects.filter(exit=version.exit).count() == LESIONS
    old, new = (images[0].predictions.get(model_version=each) for each in (shipped, version))
    assert old.malignant_probability != new.malignant_probability

    later = confirm(dermatologist, number=LESIONS)
    assert later.predictions.get().model_version == version
    assert later.exit_features.get().exit == version.exit
    assert later.features.backbone_sha256 == shipped.backbone_sha256

    retrain()
    second = TrainingRun.objects.first()
    assert second is not None
    assert second.candidate is not None
    assert second.candidate.exit == version.exit, "a new head over the exit flow that answers"
    assert second.manifest.count() == LESIONS + 1

    with django_capture_on_commit_callbacks(execute=True):
        roll_back(to=shipped, by=dermatologist.user, reason="Too many alarms.")
    assert active_version() == shipped
    assert later.predictions.filter(model_version=shipped).exists(), "read from the features that were kept all along"


@pytest.mark.slow
def test_a_photograph_that_is_gone_keeps_its_answer_and_the_rest_is_read(dermatologist, caplog):
    gone, there = confirm(dermatologist, number=0), confirm(dermatologist, number=1)
    gone.original.storage.delete(gone.original.name)
    version = candidate(exit_flow=louder_exit_flow())
    promote_version(version=version, by=dermatologist.user, reason="Better.")

    assert sum(rescore_archive()) == 1

    assert there.predictions.count() == 2
    assert gone.predictions.count() == 1
    assert str(gone.pk) in caplog.text
    assert ExitFeatures.objects.get().image == there
    assert sum(rescore_archive()) == 0


@pytest.mark.slow
def test_what_the_exit_flow_has_read_is_not_read_again(dermatologist):
    image = confirm(dermatologist, number=0)
    exit_flow = louder_exit_flow()
    promote_version(version=candidate(exit_flow=exit_flow), by=dermatologist.user, reason="Better.")
    assert sum(rescore_archive()) == 1
    image.original.storage.delete(image.original.name)

    promote_version(
        version=candidate(exit_flow=exit_flow, leaning="nv"), by=dermatologist.user, reason="Better still."
    )

    assert sum(rescore_archive()) == 1
    assert image.predictions.count() == 3
    kept = np.frombuffer(image.exit_features.get().vector, "<f2")
    own = np.frombuffer(image.features.vector, "<f2")[stage_slice("block13").start :]
    assert kept.shape == own.shape
    assert not np.array_equal(kept, own)


@pytest.mark.slow
def test_what_is_refused_keeps_its_exit_features_too_and_is_judged_over_them(dermatologist, sign_in):
    version = candidate(exit_flow=louder_exit_flow())
    promote_version(version=version, by=dermatologist.user, reason="Better.")
    patient = agreeing_patient(dermatologist.clinic)
    out = io.BytesIO()
    Pillow.new("RGB", (400, 400), (40, 90, 200)).save(out, "JPEG")
    image = add_image(
        visit=VisitFactory(patient=patient), lesion=LesionFactory(patient=patient),
        upload=SimpleUploadedFile("sky.jpg", out.getvalue()), by=dermatologist,
    )  # fmt: skip
    assert not image.is_accepted
    assert image.exit_features.get().exit == version.exit

    override_refusal(image=image, by=dermatologist, reason="It is skin, under a filter.")

    assert image.predictions.get().model_version == version
    assert image.exit_features.count() == 1
    assert sign_in(dermatologist).get(image.get_absolute_url()).status_code == 200


@pytest.mark.slow
def test_a_heat_map_of_an_answer_from_stored_features_is_drawn_over_the_exit_flow(dermatologist):
    image = confirm(dermatologist, number=0)
    version = candidate(exit_flow=louder_exit_flow())
    promote_version(version=version, by=dermatologist.user, reason="Better.")
    assert sum(rescore_archive()) == 1
    prediction = image.predictions.get(model_version=version)
    assert not prediction.heat_maps.exists()
    before = image.predictions.exclude(model_version=version).get().heat_maps.first()

    drawn = heat_map_of(prediction, code=before.code)

    assert drawn
    with drawn.file.open("rb") as new, before.file.open("rb") as old:
        assert new.read() != old.read()
    assert current_space() == image.embedding.space_sha256, "similar cases stay where they were"


def test_an_exit_flow_reads_a_photograph_once(dermatologist):
    image = confirm(dermatologist, number=0)
    kept = StoredExit.objects.create(sha256="a" * 64, backbone_sha256="b" * 64, content=b"")
    ExitFeatures.objects.create(image=image, exit=kept, vector=b"")
    with pytest.raises(IntegrityError), transaction.atomic():
        ExitFeatures.objects.create(image=image, exit=kept, vector=b"")


def test_other_photographs_than_the_base_sets_are_refused(dermatologist, with_base_data, settings, tmp_path):
    confirm(dermatologist, number=0)
    other = tmp_path / "other"
    (other / "images").mkdir(parents=True)
    (other / "images" / "one.jpg").write_bytes(noisy(next(iter(sample_labels())), seed=1))
    write_table(
        other / "metadata.csv",
        [{"image_id": "one", "lesion_group": "one", "dx": "nv", "source": "sharp", "fold": "0"}],
    )
    settings.RETRAINING_BASE_DATA = other

    with pytest.raises(CommandError, match="not those that the base set was made of"):
        retrain("--depth", "exit")

    run = TrainingRun.objects.get()
    assert run.status == RunStatus.FAILED
    assert run.candidate is None


def test_the_depth_of_a_run_is_known(dermatologist):
    with pytest.raises(IntegrityError), transaction.atomic():
        TrainingRun.objects.create(parent=active_version(), depth="deep")


def test_the_page_offers_it_where_it_can_be_done(dermatologist, sign_in, settings, base_data, tmp_path):
    confirm(dermatologist, number=0)
    client = sign_in(dermatologist)
    settings.RETRAINING_BASE_DATA = tmp_path
    assert "import_ham10000" in client.get(reverse("admin:retraining")).content.decode()
    refused = client.post(reverse("admin:retraining-start"), {"depth": "exit"}, follow=True)
    assert "import_ham10000" in refused.content.decode()
    settings.RETRAINING_BASE_DATA = base_data
    assert "import_ham10000" not in client.get(reverse("admin:retraining")).content.decode()
    unknown = client.post(reverse("admin:retraining-start"), {"depth": "deepest"}, follow=True)
    assert "Choose what is to learn" in unknown.content.decode()
    assert not TrainingRun.objects.exists()
