"""Signal receivers: plans follow what happens to specimens, results, closures and decisions."""

from typing import Any

from diagnosis.followup.derived_plans import (
    await_result,
    end_wait,
    end_with_closure,
    plan_as_decided,
    stop_waiting,
    wait_again,
    withdraw_decided,
)
from diagnosis.outcomes.models import LesionClosure, PathologyResult, Specimen
from diagnosis.outcomes.pathology import result_confirmed
from diagnosis.outcomes.signals import lesion_closed, result_withdrawn, specimen_recorded, specimen_withdrawn
from diagnosis.reviews.management import management_decided, management_withdrawn
from diagnosis.reviews.models import ManagementDecision
from patients.models import Member


def connect() -> None:
    specimen_recorded.connect(_recorded, dispatch_uid="plan the wait for a result")
    specimen_withdrawn.connect(_withdrawn, dispatch_uid="take back the wait for a result")
    result_confirmed.connect(_confirmed, dispatch_uid="end the wait for a result")
    result_withdrawn.connect(_result_withdrawn, dispatch_uid="plan the wait for a result again")
    lesion_closed.connect(_closed, dispatch_uid="end the plan of a closed lesion")
    management_decided.connect(_decided, dispatch_uid="plan what was decided")
    management_withdrawn.connect(_undecided, dispatch_uid="take back what was decided")


def _recorded(*, specimen: Specimen, by: Member, **_more: Any) -> None:
    await_result(specimen=specimen, by=by)


def _withdrawn(*, specimen: Specimen, by: Member, **_more: Any) -> None:
    stop_waiting(specimen=specimen, by=by)


def _confirmed(*, result: PathologyResult, by: Member, **_more: Any) -> None:
    end_wait(result=result, by=by)


def _result_withdrawn(*, result: PathologyResult, by: Member, **_more: Any) -> None:
    wait_again(result=result, by=by)


def _closed(*, closure: LesionClosure, by: Member, **_more: Any) -> None:
    end_with_closure(closure=closure, by=by)


def _decided(*, decision: ManagementDecision, **_more: Any) -> None:
    plan_as_decided(decision=decision)


def _undecided(*, decision: ManagementDecision, **_more: Any) -> None:
    withdraw_decided(decision=decision)
