"""Reviews of before there were labels keep what they said, and their labels are derived as they were."""

import datetime

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from diagnosis.reviews.models import ConfirmedLabel, LabelChange, Review
from patients.models import Role
from tests import factories

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
BEFORE = [("diagnosis", "0005_measurement")]


@pytest.fixture
def migrate():
    """Return a function that takes the tables to a state and returns its models; at the end they are as they were."""

    def _migrate(targets):
        executor = MigrationExecutor(connection)
        executor.migrate(targets)
        return MigrationExecutor(connection).loader.project_state(targets).apps

    yield _migrate
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())


def test_what_was_said_is_kept_and_the_newest_that_decides_is_the_label(migrate, patient, clinic):
    reader = factories.MemberFactory(clinic=clinic, role=Role.DERMATOLOGIST)
    settled, unsure = factories.ImageFactory.create_batch(2, lesion__patient=patient)
    old = migrate(BEFORE).get_model("diagnosis", "Review")
    now = timezone.now()
    for minutes, (image, code, certainty) in enumerate(
        [
            (settled, "nv", "certain"),
            (settled, "mel", "probable"),
            (settled, "bcc", "unsure"),
            (unsure, "df", "unsure"),
        ]
    ):
        row = old.objects.create(image_id=image.pk, reviewer_id=reader.pk, code=code, certainty=certainty)
        old.objects.filter(pk=row.pk).update(created_at=now + datetime.timedelta(minutes=minutes))

    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())

    said = Review.objects.order_by("created_at").values_list("answer", "certainty", "basis")
    assert list(said) == [
        ("nv", "certain", "dermatoscopy"),
        ("mel", "probable", "dermatoscopy"),
        ("bcc", "unsure", "dermatoscopy"),
        ("df", "unsure", "dermatoscopy"),
    ]
    label, change = ConfirmedLabel.objects.get(), LabelChange.objects.get()
    assert (label.image, label.state, label.answer, label.why) == (settled, "settled", "mel", "newest_opinion")
    assert label.settled_at == change.created_at == now + datetime.timedelta(minutes=1)
    assert (change.number, change.after_answer, change.review) == (1, "mel", label.review)
