"""Who may change the active version, and whether one person is enough: see docs/understand/retraining.md."""

from enum import Enum
from typing import Any

from django.conf import settings
from django.db import transaction

from mlmodel.retraining import Verdict
from mlmodel.versions.models import Decision, DecisionKind, ModelVersion, ModelVersionStatus
from mlmodel.versions.promotion import promote_version, roll_back
from mlmodel.versions.serving import active_version
from patients.models import Clinic, Member, Role, User


class Authority(Enum):
    """What one person may decide about one version."""

    NONE = "none"
    ALONE = "alone"
    WITH_ANOTHER_PERSON = "person"
    WITH_ANOTHER_CLINIC = "clinic"


class SecondPersonNeeded(Exception):
    """A second person has to agree; ``authority`` says which kind."""

    def __init__(self, authority: Authority) -> None:
        super().__init__(authority.value)
        self.authority = authority


def authority_of(user: User, version: ModelVersion) -> Authority:
    """Return what ``user`` may decide about ``version`` now."""
    if not may_take_part(user):
        return Authority.NONE
    if user.is_superuser:
        # Going back must stay quick. Overruling the gate takes two people, even for operators.
        is_forced = version.status == ModelVersionStatus.CANDIDATE and version.verdict == Verdict.HOLD
        return Authority.WITH_ANOTHER_PERSON if is_forced else Authority.ALONE
    if there_are_several_clinics():
        return Authority.WITH_ANOTHER_CLINIC
    return Authority.WITH_ANOTHER_PERSON if _is_against_the_gate(version) else Authority.ALONE


def may_take_part(user: User) -> bool:
    """Whether ``user`` is an operator, or a dermatologist if the settings allow dermatologists to decide."""
    if not user.is_active:
        return False
    return user.is_superuser or (not settings.OPERATORS_DECIDE_ON_VERSIONS and _is_dermatologist(user))


def decide(*, version: ModelVersion, by: User, reason: str) -> Decision:
    """Promote ``version``, or go back to it, if ``by`` may decide alone.

    Raises:
        SecondPersonNeeded: otherwise; see ``diagnosis.retraining.proposals``.
        PromotionRefused: see ``mlmodel.versions.promotion``.
    """
    with transaction.atomic():
        version = lock_versions(version)
        authority = authority_of(User.objects.get(pk=by.pk), version)
        if authority is not Authority.ALONE:
            raise SecondPersonNeeded(authority)
        return switch_to(version, by=by, reason=reason)


def switch_to(version: ModelVersion, *, by: Any, reason: str, seconded_by: Any = None) -> Decision:
    """Promote a candidate, or go back to a retired version. The caller has checked that this is allowed."""
    if version.status == ModelVersionStatus.CANDIDATE:
        force = version.verdict == Verdict.HOLD and seconded_by is not None
        return promote_version(version=version, by=by, reason=reason, force=force, seconded_by=seconded_by)
    return roll_back(to=version, by=by, reason=reason, seconded_by=seconded_by)


def lock_versions(version: ModelVersion) -> ModelVersion:
    """Lock the active version and ``version``, and return the latter from the database: decisions are serialised."""
    keys = {active_version().pk, version.pk}
    rows = ModelVersion.objects.select_for_update().filter(pk__in=keys).order_by("pk")
    return {row.pk: row for row in rows}[version.pk]


def there_are_several_clinics() -> bool:
    return Clinic.objects.count() > 1


def _is_dermatologist(user: User) -> bool:
    return Member.objects.filter(user=user, role=Role.DERMATOLOGIST).exists()


def _is_against_the_gate(version: ModelVersion) -> bool:
    """Whether the gate held it back, except for the version that the active one replaced: going back is allowed."""
    if version.verdict != Verdict.HOLD:
        return False
    newest = Decision.objects.filter(version=active_version()).first()
    is_the_way_back = (
        version.status == ModelVersionStatus.RETIRED
        and newest is not None
        and newest.kind in (DecisionKind.PROMOTE, DecisionKind.FORCE)
        and newest.replaced_id == version.pk
    )
    return not is_the_way_back
