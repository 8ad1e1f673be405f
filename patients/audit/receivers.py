"""Signals that write changes, sign-ins and permissions into the audit trail, in the transaction that makes them."""

from typing import Any

from allauth.mfa.signals import authentication_failed, authenticator_added, authenticator_removed, authenticator_reset
from django.contrib.auth.models import Group
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db.models import Model
from django.db.models.signals import m2m_changed, post_save, pre_delete

from patients.audit.acting import actor_of
from patients.audit.chain import chain_of
from patients.audit.resources import RESOURCES, audited
from patients.audit.writing import note, note_change
from patients.models import (
    AccountClosure,
    ApiToken,
    AuditAction,
    AuditOutcome,
    Clinic,
    Consent,
    Lesion,
    LesionPlacement,
    LesionSymptoms,
    Member,
    OutgoingMessage,
    Patient,
    RiskFact,
    User,
    Visit,
)

# Columns of an account that say what it may do.
_RIGHTS = {"is_active", "is_staff", "is_superuser"}


def connect() -> None:
    """Register this app's records and connect the signals; called once, after the other apps registered theirs."""
    _register()
    for model in [model for model, resource in RESOURCES.items() if resource.changes]:
        post_save.connect(_saved, sender=model, dispatch_uid=f"audit {model._meta.label}")
        pre_delete.connect(_deleted, sender=model, dispatch_uid=f"audit {model._meta.label}")
    post_save.connect(_begin_chain, sender=Clinic, dispatch_uid="audit chain")
    post_save.connect(_member_saved, sender=Member, dispatch_uid="audit member")
    post_save.connect(_user_saved, sender=User, dispatch_uid="audit user")
    post_save.connect(_token_saved, sender=ApiToken, dispatch_uid="audit token")
    for through in (User.groups.through, User.user_permissions.through, Group.permissions.through):
        m2m_changed.connect(_rights_changed, sender=through, dispatch_uid=f"audit {through._meta.label}")
    user_logged_in.connect(_signed_in, dispatch_uid="audit sign-in")
    user_logged_out.connect(_signed_out, dispatch_uid="audit sign-out")
    user_login_failed.connect(_sign_in_failed, dispatch_uid="audit failed sign-in")
    authentication_failed.connect(_second_factor_failed, dispatch_uid="audit failed second factor")
    for signal, words in (
        (authenticator_added, "added"),
        (authenticator_removed, "removed"),
        (authenticator_reset, "reset"),
    ):
        signal.connect(_FACTOR_RECEIVERS[words], dispatch_uid=f"audit second factor {words}")


def _register() -> None:
    audited(Patient, patient="pk", parameter="patient_id")
    audited(Visit, patient="patient", parameter="visit_id")
    audited(Lesion, patient="patient", parameter="lesion_id")
    model: type[Model]
    for model in (Consent, RiskFact, AccountClosure):
        audited(model, patient="patient")
    for model in (LesionSymptoms, LesionPlacement):
        audited(model, patient="lesion__patient")
    # Messages are written and sent by tasks; what they tell of has entries of its own.
    audited(OutgoingMessage, patient="patient", parameter="message_id", changes=False)
    audited(Clinic, patient=None, clinic="pk")


def _saved(sender: Any, instance: Any, created: bool, raw: bool, **_: Any) -> None:
    if not raw:
        _write(AuditAction.CREATE if created else AuditAction.UPDATE, sender, instance)


def _deleted(sender: Any, instance: Any, **_: Any) -> None:
    _write(AuditAction.DELETE, sender, instance)


def _write(action: AuditAction, model: Any, row: Any) -> None:
    resource = RESOURCES[model]
    owner = resource.owner_of(row.pk)
    if owner is not None:
        reason = getattr(row, "reason", "")
        facts = {"kind": resource.kind, "record": row.pk, "reason": reason if isinstance(reason, str) else ""}
        note_change(action, patient=owner[0], clinic_id=owner[1], **facts)


def _begin_chain(instance: Clinic, created: bool, **_: Any) -> None:
    if created:
        chain_of(instance.pk)


def _member_saved(instance: Member, created: bool, update_fields: Any, **_: Any) -> None:
    if created or update_fields is None or "role" in update_fields:
        _note_right(instance.clinic_id, "member", instance.user_id, str(instance.role))


def _user_saved(instance: User, created: bool, update_fields: Any, **_: Any) -> None:
    rights = [name for name in sorted(_RIGHTS) if getattr(instance, name)]
    if created or update_fields is None or _RIGHTS & set(update_fields):
        _note_right(_clinic_of(instance), "account", instance.pk, " ".join(rights))
    if instance.has_new_password and not created:
        _note_right(_clinic_of(instance), "password", instance.pk, "")


def _token_saved(instance: ApiToken, created: bool, **_: Any) -> None:
    if created:
        _note_right(instance.clinic_id, "api token", instance.pk, "created")


def _rights_changed(sender: Any, instance: Any, action: str, **_: Any) -> None:
    if action.startswith("post_"):
        clinic_id = _clinic_of(instance) if isinstance(instance, User) else None
        _note_right(clinic_id, str(sender._meta.model_name)[:40], instance.pk, action.removeprefix("post_"))


def _note_right(clinic_id: Any, kind: str, record: Any, query: str) -> None:
    note_change(AuditAction.PERMISSION, clinic_id=clinic_id, kind=kind, record=record, query=query)


def _signed_in(user: User, **_: Any) -> None:
    note(AuditAction.SIGN_IN, actor=actor_of(user), kind="session")


def _signed_out(user: User | None, **_: Any) -> None:
    if user is not None:
        note(AuditAction.SIGN_OUT, actor=actor_of(user), kind="session")


def _sign_in_failed(credentials: dict[str, Any], **_: Any) -> None:
    """Note who was tried. What was typed is not kept: people type passwords into the wrong field."""
    from patients.guessing import account_of

    account = account_of(str(credentials.get("username") or credentials.get("email") or ""))
    _note_failed(User.objects.filter(pk=account).first() if account.isdecimal() else None, "password")


def _second_factor_failed(user: User, **_: Any) -> None:
    _note_failed(user, "second factor")


def _note_failed(user: User | None, kind: str) -> None:
    whose = {"actor": actor_of(user)} if user is not None else {}
    note(AuditAction.SIGN_IN_FAILED, kind=kind, outcome=AuditOutcome.REFUSED, **whose)


def _factor_receiver(words: str) -> Any:
    def receive(user: User, **_: Any) -> None:
        _note_right(_clinic_of(user), "second factor", user.pk, words)

    return receive


# Kept, because signals hold their receivers weakly.
_FACTOR_RECEIVERS = {words: _factor_receiver(words) for words in ("added", "removed", "reset")}


def _clinic_of(user: User) -> Any:
    return actor_of(user).clinic_id
