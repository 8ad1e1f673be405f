"""What tables held before a migration is there after it, in its new place."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.urls import reverse
from django.utils import timezone

from diagnosis.images.models import HeatMap, Image, Prediction
from diagnosis.retraining.models import TrainingRun
from diagnosis.reviews.models import ConfirmedLabel, QueueEntry, QueueSkip, Review
from diagnosis.reviews.queue import skip
from diagnosis.reviews.services import record_review
from mlmodel.versions.models import Decision, ModelVersion
from mlmodel.versions.serving import active_version, can_serve
from tests import factories

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def migrate() -> Iterator[Callable[[str], Any]]:
    """Return a function that takes the tables to a state and returns its models; at the end they are as they were."""

    def _migrate(name: str) -> Any:
        targets = [("diagnosis", name)]
        MigrationExecutor(connection).migrate(targets)
        return MigrationExecutor(connection).loader.project_state(targets).apps

    yield _migrate
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())


def forward() -> None:
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())


def test_a_heat_map_that_was_kept_is_the_most_probable_classs(migrate, patient, dermatologist, sign_in):
    """Also where another class explains the tier, and both ways."""
    image = factories.ImageFactory(lesion__patient=patient)
    urgent = factories.PredictionFactory(image=image, code="nv", tier="urgent", share=0.5)
    without = factories.PredictionFactory()
    file = factories.sample_file()
    old = migrate("0019_incident_messages_have_rows").get_model("diagnosis", "Prediction")
    old.objects.filter(pk=urgent.pk).update(heat_map=file)

    forward()

    kept = HeatMap.objects.get()
    assert (kept.prediction_id, kept.code, kept.file.name) == (urgent.pk, "nv", file)
    assert urgent.explained_code != "nv", "the map of the class that explains it is drawn when it is asked for"
    answer = sign_in(dermatologist).get(reverse("image-file", args=[image.pk, "heat-map-nv"]))
    with kept.file.open("rb") as kept_file:
        assert b"".join(answer.streaming_content) == kept_file.read()
    assert not without.heat_maps.exists()
    old = migrate("0019_incident_messages_have_rows").get_model("diagnosis", "Prediction")
    assert dict(old.objects.values_list("pk", "heat_map")) == {urgent.pk: file, without.pk: ""}


def test_steps_are_counted_as_dates_have_it(migrate, patient, dermatologist):
    first, second = factories.ImageFactory.create_batch(2, lesion__patient=patient)
    prediction = factories.PredictionFactory(image=first)
    review = record_review(image=first, reviewer=dermatologist, answer="mel", certainty="certain")
    skip(second, dermatologist)
    TrainingRun.objects.create(parent=prediction.model_version)
    old = migrate("0022_no_names_in_the_log_of_a_run")
    now = timezone.now()
    moments = {"QueueSkip": 1, "Review": 2, "Prediction": 3}
    for model, minutes in moments.items():
        old.get_model("diagnosis", model).objects.update(created_at=now + timedelta(minutes=minutes))
    old.get_model("diagnosis", "TrainingRun").objects.update(created_at=now + timedelta(minutes=2, seconds=1))
    old.get_model("diagnosis", "QueueEntry").objects.update(entered_at=now + timedelta(minutes=2, seconds=1))

    forward()

    steps = [QueueSkip.objects.get().step, Review.objects.get().step, Prediction.objects.get(pk=prediction.pk).step]
    assert steps == [1, 2, 3]
    assert ConfirmedLabel.objects.get(review=review).settled_after == 2
    assert QueueEntry.objects.get(image=first).entered_after == 2
    assert TrainingRun.objects.get().step == 2
    assert record_review(image=first, reviewer=dermatologist, answer="nv", certainty="certain").step == 4
    with pytest.raises(IntegrityError, match="review_is_append_only"), transaction.atomic():
        Review.objects.update(step=9)


def test_a_version_with_an_exit_flow_of_its_own_answers_nobody_and_its_answers_stay(migrate, patient):
    shipped = active_version()
    image = factories.ImageFactory(visit__patient=patient, lesion__patient=patient)
    old = migrate("0031_answer_settings")
    exit_flow = old.get_model("mlmodel", "StoredExit").objects.create(
        sha256="e" * 64, backbone_sha256=shipped.backbone_sha256, content=b"-"
    )
    versions = old.get_model("mlmodel", "ModelVersion").objects
    versions.filter(pk=shipped.pk).update(status="retired")
    fine_tuned = versions.create(
        name="deeper", sha256="d" * 64, backbone_sha256=shipped.backbone_sha256, head_sha256="f" * 64, card="#",
        status="active", parent_id=shipped.pk, judgement={"verdict": "promote"}, exit=exit_flow,
    )  # fmt: skip
    head = versions.create(
        name="head", sha256="c" * 64, backbone_sha256=shipped.backbone_sha256, head_sha256="f" * 64, card="#",
        status="retired", parent_id=shipped.pk, judgement={"verdict": "promote"},
    )  # fmt: skip

    forward()

    deeper = ModelVersion.objects.get(pk=fine_tuned.pk)
    factories.PredictionFactory(image=image, model_version=deeper)
    assert not can_serve(deeper)
    assert can_serve(ModelVersion.objects.get(pk=head.pk))
    assert active_version() == shipped
    decision = Decision.objects.get(replaced=deeper)
    assert (decision.kind, decision.version, decision.replaced) == ("ship", shipped, deeper)
    shown = Image.objects.get(pk=image.pk).shown_prediction
    assert shown
    assert shown.model_version == deeper
