"""What the lists filter by is calculated ahead, and never differs from what the record says."""

import datetime
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.core.exceptions import ObjectDoesNotExist
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from dermascan.core.errors import Refused
from diagnosis.assessment.exclusions import exclude_image, undo_exclusion
from diagnosis.followup.models import LesionPlan
from diagnosis.images.models import ExclusionReason
from diagnosis.outcomes.models import LesionClosure
from diagnosis.record.search import summaries
from diagnosis.record.search.choices import Answered, LabelKind, Planned
from diagnosis.record.search.forms import Wanted
from diagnosis.record.search.found import lesion_keys, lesions_of, visit_keys, visits_of
from diagnosis.record.search.summary_models import LesionSummary, StaleSummary, VisitSummary
from diagnosis.record.tasks import calculate_stale_summaries
from diagnosis.reviews.models import ConfirmedLabel
from diagnosis.reviews.services import record_review, retract_review
from mlmodel.versions.models import ModelVersion
from patients.models import Lesion, Member, Visit
from tests import factories

pytestmark = pytest.mark.django_db

EVERY_FILTER = [
    Wanted(),
    *(Wanted(tier=tier) for tier in Answered.values),
    *(Wanted(label=label) for label in [*LabelKind.values, "mel", "nv"]),
    Wanted(plan=Planned.MISSING),
    Wanted(tier="watch", label="none", plan=Planned.MISSING),
    Wanted(tier="calm", site="back"),
    Wanted(status="open"),
]


@dataclass
class Record:
    """A lesion with an urgent and a calm photograph at one visit, beside another that is calm."""

    lesion: Lesion
    other: Lesion
    visit: Visit
    dermatologist: Member

    @property
    def urgent(self) -> Any:
        return self.lesion.images.order_by("created_at").first()


@pytest.fixture
def record(patient, dermatologist) -> Record:
    visit = factories.VisitFactory(patient=patient)
    lesion, other = (factories.LesionFactory(patient=patient, body_site="back") for _number in range(2))
    for of, tier in ((lesion, "urgent"), (lesion, "calm"), (other, "calm")):
        factories.PredictionFactory(image=factories.ImageFactory(lesion=of, visit=visit), tier=tier, code="nv")
    summaries.calculate_everything_stale()
    return Record(lesion, other, visit, dermatologist)


def review(record: Record, answer: str = "nv") -> Any:
    return record_review(image=record.urgent, reviewer=record.dermatologist, answer=answer, certainty="certain")


def photograph(record: Record) -> None:
    factories.ImageFactory(lesion=record.other, visit=record.visit)


def exclude(record: Record) -> None:
    exclude_image(image=record.urgent, by=record.dermatologist, reason=ExclusionReason.UNFIT, note="Out of focus.")


def withdraw(record: Record) -> None:
    retract_review(review=record.urgent.reviews.newest_first()[0], by=record.dermatologist)


def dispute(record: Record) -> None:
    ConfirmedLabel.objects.update(state="disputed", answer="", basis="", review=None, settled_at=None)


def doubt(record: Record) -> None:
    calm = record.other.images.order_by("created_at")[0]
    record_review(image=calm, reviewer=record.dermatologist, answer="mel", certainty="unsure")


def judge_twice(record: Record) -> None:
    """A second version sees things differently, and is not the one that answers."""
    first = record.urgent.predictions.get().model_version
    ModelVersion.objects.filter(pk=first.pk).update(status="active")
    version = factories.ModelVersionFactory(name="another", sha256="d" * 64, status="candidate")
    factories.PredictionFactory(image=record.urgent, model_version=version, tier="watch", code="nv")


def switch(record: Record) -> None:
    candidate = record.urgent.predictions.exclude(model_version__status="active").get().model_version
    ModelVersion.objects.filter(status="active").update(status="retired")
    ModelVersion.objects.filter(pk=candidate.pk).update(status="active")


def plan(record: Record) -> None:
    factories.LesionPlanFactory(lesion=record.lesion)


def end_plan(record: Record) -> None:
    LesionPlan.objects.update(ended_at=timezone.now(), ended_by=record.dermatologist, ending="done")


def close(record: Record) -> None:
    LesionClosure.objects.create(lesion=record.lesion, why="gone", closed_by=record.dermatologist)


def reopen(record: Record) -> None:
    closure = LesionClosure.objects.get()
    closure.reopened_by, closure.reopened_at, closure.reopening_reason = record.dermatologist, timezone.now(), "Back."
    closure.save()


# What was done before a change of the same name.
BEFORE: dict[str, Callable[[Record], Any]] = {
    "an exclusion is undone": exclude,
    "a review is withdrawn": review,
    "a label is disputed": review,
    "another version answers": judge_twice,
    "a plan ends": plan,
    "a lesion is opened again": close,
}
# By name: what happens to the record. Some write past the services, as a correction or a repair does.
CHANGES: dict[str, Callable[[Record], Any]] = {
    "a photograph is added": photograph,
    "a photograph is judged": lambda record: factories.PredictionFactory(
        image=factories.ImageFactory(lesion=record.other, visit=record.visit), tier="watch", code="nv"
    ),
    "a photograph moves to another lesion": lambda record: record.lesion.images.filter(
        predictions__tier="urgent"
    ).update(lesion=record.other),
    "a photograph was taken with a phone": lambda record: record.other.images.update(measures={"smartphone": 1.0}),
    "a photograph is an overview": lambda record: record.other.images.update(kind="overview"),
    "a photograph is excluded": exclude,
    "an exclusion is undone": lambda record: undo_exclusion(image=record.urgent, by=record.dermatologist),
    "a label is settled": review,
    "a malignant label is settled": lambda record: review(record, "mel"),
    "a review is withdrawn": withdraw,
    "a label is disputed": dispute,
    "a reader doubts": doubt,
    "another version answers": switch,
    "a plan is stated": plan,
    "a plan ends": end_plan,
    "a lesion is closed": close,
    "a lesion is opened again": reopen,
    "a symptom is reported": lambda record: factories.LesionSymptomsFactory(
        lesion=record.other, visit=record.visit, bleeding="yes"
    ),
    "a symptom of the visit is reported": lambda record: Visit.objects.update(bleeding=True),
    "the patient had a melanoma": lambda record: factories.RiskFactFactory(
        patient=record.lesion.patient, kind="melanoma", answer="yes"
    ),
    "a visit is dated": lambda record: Visit.objects.update(date=datetime.date(2025, 5, 5)),
    "a visit is signed": lambda record: Visit.objects.update(status="signed"),
    "a visit is void": lambda record: Visit.objects.update(status="void"),
    "a lesion is added": lambda record: factories.LesionFactory(patient=record.lesion.patient),
    "a visit is added": lambda record: factories.VisitFactory(patient=record.lesion.patient),
}


def stored() -> set[tuple[Any, ...]]:
    return {*LesionSummary.objects.values_list(), *VisitSummary.objects.values_list()}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_seen_at_once(record, change):
    BEFORE.get(change, lambda record: None)(record)
    summaries.calculate_everything_stale()
    before = stored()
    CHANGES[change](record)
    assert StaleSummary.objects.exists()
    lesion_keys(Wanted(), record.dermatologist)
    assert not StaleSummary.objects.exists()
    assert stored() != before
    assert summaries.differing() == 0


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_lists_stay_true_through_many_changes(record, seed):
    """Every list shows what the conditions find."""
    done = 0
    for change in random.Random(seed).sample(list(CHANGES), k=8):
        try:
            with transaction.atomic():
                BEFORE.get(change, lambda record: None)(record)
                CHANGES[change](record)
        except (
            IntegrityError,
            ObjectDoesNotExist,
            Refused,
            IndexError,
        ):  # one rules out another: a lesion has one plan
            continue
        done += 1
    assert done > 3
    for wanted in EVERY_FILTER:
        for keys, rows in ((lesion_keys, lesions_of), (visit_keys, visits_of)):
            found = keys(wanted, record.dermatologist)[:1000]
            assert len(found) == len(set(found))
            assert set(found) == set(rows(wanted, record.dermatologist).values_list("pk", flat=True)), (wanted, rows)
    assert summaries.differing() == 0


def test_many_changes_are_left_to_the_task_and_the_lists_are_right_meanwhile(record, monkeypatch):
    monkeypatch.setattr(summaries, "AT_ONCE", 0)
    before = stored()
    exclude(record)
    for keys, rows in ((lesion_keys, lesions_of), (visit_keys, visits_of)):
        for wanted in EVERY_FILTER:
            found = keys(wanted, record.dermatologist)[:1000]
            assert set(found) == set(rows(wanted, record.dermatologist).values_list("pk", flat=True))
    assert stored() == before
    calculate_stale_summaries()
    assert stored() != before
    assert summaries.differing() == 0


def test_the_order_is_the_same_with_and_without_summaries(record, monkeypatch):
    factories.LesionFactory(patient=record.lesion.patient)
    factories.ImageFactory(lesion=record.lesion, visit=factories.VisitFactory(patient=record.lesion.patient))
    for find in (lesion_keys, visit_keys):
        for wanted in (Wanted(), Wanted(q=record.lesion.patient.family_name), Wanted(site="back")):
            with_summaries = list(find(wanted, record.dermatologist)[:100])
            with monkeypatch.context() as patch:
                patch.setattr("diagnosis.record.search.found.bring_up_to_date", lambda: False)
                assert with_summaries == list(find(wanted, record.dermatologist)[:100])


def test_the_command_notices_what_differs_and_mends_it(record, capsys):
    call_command("refresh_summaries", "--check")
    LesionSummary.objects.filter(lesion=record.lesion).update(tier="calm")
    VisitSummary.objects.all().delete()
    with pytest.raises(CommandError, match="2 summaries"):
        call_command("refresh_summaries", "--check")
    call_command("refresh_summaries", "--every", "--check")
    assert LesionSummary.objects.get(lesion=record.lesion).tier == "urgent"


@pytest.mark.parametrize(
    ("model", "values", "rule"),
    [
        (LesionSummary, {"tier": "fine"}, "lesion_summary_tier_is_known"),
        (LesionSummary, {"tier": ""}, "lesion_without_photographs_says_nothing"),
        (LesionSummary, {"is_photographed": False}, "lesion_without_photographs_says_nothing"),
        (VisitSummary, {"tier": "fine"}, "visit_summary_tier_is_known"),
        (VisitSummary, {"tier": "", "needs_plan": True}, "visit_without_photographs_says_nothing"),
    ],
)
def test_a_summary_that_cannot_be_is_refused(record, model, values, rule):
    with pytest.raises(IntegrityError, match=rule), transaction.atomic():
        model.objects.update(**values)


def test_a_mark_of_an_unknown_kind_is_refused():
    with pytest.raises(IntegrityError, match="stale_kind_is_known"), transaction.atomic():
        StaleSummary.objects.create(kind="moon", key=factories.uuid.uuid4())


def test_a_filtered_list_takes_few_queries(record, sign_in, staff, django_assert_max_num_queries):
    client = sign_in(staff)
    for listing in ("lesions", "visits"):
        with django_assert_max_num_queries(24):
            client.get(reverse(listing), {"tier": "calm", "label": "none", "plan": "none"})
