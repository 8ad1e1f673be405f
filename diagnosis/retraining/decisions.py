"""Who may change which network answers, and whether one person is enough: see docs/understand/retraining.md."""

from enum import Enum
from typing import Any

from django.conf import settings
from django.db import transaction

from mlmodel.retraining import Verdict
from mlmodel.versions.models import Decision, DecisionKind, ModelVersion, ModelVersionStatus
from mlmodel.versions.promotion import promote_version, roll_back
from mlmodel.versions.serving import active_version
from patients.models import Clinic, Member, Role, User


class Say(Enum):
    """How much the word of one person counts about one version."""

    NONE = "none"
    ALONE = "alone"
    WITH_ANOTHER_PERSON = "person"
    WITH_ANOTHER_CLINIC = "clinic"


class NotAlone(Exception):
    """It takes a second person; ``say`` says whom."""

    def __init__(self, say: Say) -> None:
        super().__init__(say.value)
        self.say = say


def say_of(user: User, version: ModelVersion) -> Say:
    """What ``user`` may do about ``version`` now."""
    if not may_take_part(user):
        return Say.NONE
    if user.is_superuser:
        # To go back must stay quick; to overrule the gate takes two people, operators included.
        is_forced = version.status == ModelVersionStatus.CANDIDATE and version.verdict == Verdict.HOLD
        return Say.WITH_ANOTHER_PERSON if is_forced else Say.ALONE
    if there_are_several_clinics():
        return Say.WITH_ANOTHER_CLINIC
    return Say.WITH_ANOTHER_PERSON if _is_against_the_gate(version) else Say.ALONE


def may_take_part(user: User) -> bool:
    """Operators; dermatologists, unless the installation reserves it to operators."""
    if not user.is_active:
        return False
    return user.is_superuser or (not settings.OPERATORS_DECIDE_ON_VERSIONS and _is_dermatologist(user))


def decide(*, version: ModelVersion, by: User, reason: str) -> Decision:
    """Promote ``version``, or go back to it, where the word of ``by`` alone is enough.

    Raises:
        NotAlone: it is not; see ``diagnosis.retraining.proposals``.
        PromotionRefused: as ``mlmodel.versions.promotion`` says.
    """
    with transaction.atomic():
        version = lock_versions(version)
        say = say_of(User.objects.get(pk=by.pk), version)
        if say is not Say.ALONE:
            raise NotAlone(say)
        return execute_run(version, by=by, reason=reason)


def execute_run(version: ModelVersion, *, by: Any, reason: str, seconded_by: Any = None) -> Decision:
    """Promote a candidate, go back to what answered before. Whoever calls has made sure that they may."""
    if version.status == ModelVersionStatus.CANDIDATE:
        force = version.verdict == Verdict.HOLD and seconded_by is not None
        return promote_version(version=version, by=by, reason=reason, force=force, seconded_by=seconded_by)
    return roll_back(to=version, by=by, reason=reason, seconded_by=seconded_by)


def lock_versions(version: ModelVersion) -> ModelVersion:
    """Lock the version that answers and this one, and return this one as it is now: decisions come one by one."""
    keys = {active_version().pk, version.pk}
    rows = ModelVersion.objects.select_for_update().filter(pk__in=keys).order_by("pk")
    return {row.pk: row for row in rows}[version.pk]


def there_are_several_clinics() -> bool:
    return Clinic.objects.count() > 1


def _is_dermatologist(user: User) -> bool:
    return Member.objects.filter(user=user, role=Role.DERMATOLOGIST).exists()


def _is_against_the_gate(version: ModelVersion) -> bool:
    """Whether the gate held it back, unless it is what the present one took the place of: that is the way back."""
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
