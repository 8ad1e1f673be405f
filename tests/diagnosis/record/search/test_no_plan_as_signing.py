"""The filter “no plan” and what signing demands are one rule: compared case by case."""

import datetime
from typing import Any

import pytest
from django.utils import timezone

from diagnosis.followup.at_signing import ensure_next_steps, next_steps_at
from diagnosis.followup.errors import NextStepMissing
from diagnosis.followup.services import state_plan
from diagnosis.outcomes.closures import close_lesion, reopen_lesion
from diagnosis.record.search.plans_missing import without_plan
from diagnosis.reports.drafts import draft_report
from diagnosis.reports.services import needing_a_step
from diagnosis.reviews.services import record_review
from patients.models import Lesion, Visit
from tests import factories
from tests.diagnosis.outcomes.records import sent

pytestmark = pytest.mark.django_db

TIERS = ("", "calm", "watch", "urgent")
# By name: answer, certainty, basis.
LABELS = {
    "none": (),
    "benign": ("nv", "certain", "dermatoscopy"),
    "proven benign": ("nv", "certain", "histopathology"),
    "malignant": ("mel", "certain", "dermatoscopy"),
    "maybe malignant": ("meltump", "certain", "histopathology"),
    "pre-malignant": ("akiec", "certain", "dermatoscopy"),
    "cannot tell": ("cannot_tell", "certain", "dermatoscopy"),
    "no lesion": ("not_a_lesion", "certain", "dermatoscopy"),
    "no lesion, proven": ("not_a_lesion", "certain", "histopathology"),
    "benign, unsure": ("nv", "unsure", "dermatoscopy"),
    "malignant, unsure": ("mel", "unsure", "dermatoscopy"),
}


def photograph(visit: Visit, lesion: Lesion, tier: str, label: str, by: Any) -> None:
    image = factories.ImageFactory(lesion=lesion, visit=visit)
    if tier:
        factories.PredictionFactory(image=image, tier=tier, code="nv" if tier == "calm" else "mel")
    if LABELS[label]:
        answer, certainty, basis = LABELS[label]
        record_review(image=image, reviewer=by, answer=answer, certainty=certainty, basis=basis)


def is_demanded(visit: Visit, lesion: Lesion) -> bool:
    """Whether signing the visit as it stands asks for a next step of the lesion."""
    visit = Visit.objects.select_related("patient__clinic", "clinician__user").get(pk=visit.pk)
    needing = needing_a_step(visit, draft_report(visit=visit).content) & {lesion.pk}
    try:
        ensure_next_steps(next_steps_at(visit), needing, visit=visit)
    except NextStepMissing:
        return True
    return False


def is_listed(lesion: Lesion) -> bool:
    return without_plan(Lesion.objects.filter(pk=lesion.pk)).exists()


@pytest.mark.slow
@pytest.mark.parametrize("label", LABELS)
def test_of_one_photograph(patient, dermatologist, label):
    said = {}
    for tier in TIERS:
        visit, lesion = factories.VisitFactory(patient=patient), factories.LesionFactory(patient=patient)
        photograph(visit, lesion, tier, label, dermatologist)
        said[tier] = (is_demanded(visit, lesion), is_listed(lesion))
    # Without an answer of the software nothing is told to the patient, and the list warns of a doubt all the same.
    listed_alone = {tier for tier, (demanded, listed) in said.items() if demanded != listed}
    assert listed_alone <= {""}, said
    assert all(listed for demanded, listed in said.values() if demanded)
    expected = {
        "none": {"watch", "urgent"}, "benign": {"urgent"}, "proven benign": set(), "no lesion": {"urgent"},
        "no lesion, proven": set(), "cannot tell": {"calm", "watch", "urgent"},
        "benign, unsure": {"calm", "watch", "urgent"}, "malignant, unsure": {"calm", "watch", "urgent"},
    }  # fmt: skip
    assert {tier for tier, (demanded, _listed) in said.items() if demanded} == expected.get(label, set(TIERS))


@pytest.mark.slow
@pytest.mark.parametrize("first", ["none", "benign", "proven benign"])
@pytest.mark.parametrize("second", ["none", "benign", "proven benign", "malignant", "malignant, unsure"])
def test_of_two_photographs(patient, dermatologist, first, second):
    for tier in ("calm", "watch"):
        for other in ("calm", "watch", "urgent"):
            visit, lesion = factories.VisitFactory(patient=patient), factories.LesionFactory(patient=patient)
            photograph(visit, lesion, tier, first, dermatologist)
            photograph(visit, lesion, other, second, dermatologist)
            assert is_demanded(visit, lesion) == is_listed(lesion), (tier, first, other, second)


@pytest.mark.slow
@pytest.mark.parametrize("plan", ["none", "see_again", "discharge here", "discharge before", "discharge between"])
@pytest.mark.parametrize("outcome", ["none", "sent", "closed", "photographed since", "reopened"])
def test_of_plans_and_outcomes(patient, dermatologist, plan, outcome):
    for tier in ("calm", "urgent"):
        lesion = factories.LesionFactory(patient=patient)
        before = factories.VisitFactory(patient=patient, date=timezone.localdate() - datetime.timedelta(days=200))
        if plan == "discharge before":
            discharge(lesion, dermatologist, before)
        visit = factories.VisitFactory(patient=patient)
        photograph(visit, lesion, tier, "none", dermatologist)
        if outcome == "sent":
            sent(lesion, dermatologist, age=0)
        elif outcome != "none":
            close_lesion(lesion=lesion, by=dermatologist, why="gone")
        if outcome == "reopened":
            reopen_lesion(lesion=lesion, by=dermatologist, reason="It is there again.")
        if plan == "see_again":
            due = timezone.localdate() + datetime.timedelta(days=200)
            state_plan(lesion=lesion, by=dermatologist, step="see_again", due_on=due)
        elif plan != "none" and plan != "discharge before":
            discharge(lesion, dermatologist, visit if plan == "discharge here" else None)
        if outcome == "photographed since":
            photograph(visit, lesion, tier, "none", dermatologist)
        assert is_demanded(visit, lesion) == is_listed(lesion), (tier, plan, outcome)
        if tier == "calm":
            assert not is_listed(lesion)


def discharge(lesion: Lesion, by: Any, visit: Visit | None) -> None:
    state_plan(lesion=lesion, by=by, step="discharge", note="It is harmless.", visit=visit)
