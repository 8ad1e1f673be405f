from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext as _

from dermascan.core.errors import Refused
from patients.edits import change_record, ensure_nothing_is_lost
from patients.history import keep_history
from patients.models import Clinic, Member, Revocation, Role, User
from patients.services.accounts import AccountRefused, ensure_address_is_free, make_user
from patients.services.same_clinic import AnotherClinic

# Roles that have access to the admin.
ADMIN_ROLES = (Role.DERMATOLOGIST, Role.MANAGER)


class ClinicExists(Refused):
    code = "clinic_exists"

    def __init__(self, name: str) -> None:
        super().__init__(_("A clinic called “%(name)s” already exists.") % {"name": name})


def create_clinic(*, name: str, manager_username: str, email: str = "") -> Member:
    """Create a clinic and its first manager, who has no password yet. For operators.

    Raises ``ClinicExists``, ``AccountRefused``.
    """
    with transaction.atomic():
        if Clinic.objects.filter(name__iexact=name).exists():
            raise ClinicExists(name)
        clinic = Clinic.objects.create(name=name)
        return enrol_member(clinic=clinic, username=manager_username, email=email, role=Role.MANAGER)


def enrol_member(
    *, clinic: Clinic, username: str, email: str, role: str, first_name: str = "", last_name: str = ""
) -> Member:
    """Create a user without a password and their membership of the clinic. Raises ``AccountRefused``."""
    with transaction.atomic():
        user = make_user(
            clinic=clinic,
            username=username,
            email=email,
            first_name=first_name,
            last_name=last_name,
            is_staff=role in ADMIN_ROLES,
        )
        return Member.objects.create(user=user, clinic=clinic, role=role)


def add_member(
    *, by: Member, username: str, email: str, role: str, first_name: str = "", last_name: str = ""
) -> Member:
    """Add a member without a password to the manager's own clinic; the caller sends a link to choose one.

    Raises ``AccountRefused``, and ``PermissionDenied`` if ``by`` is not a manager.
    """
    if not by.is_manager:
        raise PermissionDenied(_("Only a manager may add members."))
    return enrol_member(
        clinic=by.clinic, username=username, email=email, role=role, first_name=first_name, last_name=last_name
    )


def update_clinic(*, clinic: Clinic, by: User, values: dict[str, Any], made_from: str | None = None) -> Clinic:
    """Change a clinic's name, address, telephone or review rule. Raises ``ChangedMeanwhile``."""
    with transaction.atomic():
        clinic = Clinic.objects.select_for_update().get(pk=clinic.pk)
        change_record(clinic, values, by=by, made_from=made_from)
        clinic.save()
    return clinic


def update_member(
    *,
    member: Member,
    by: User,
    role: str,
    is_active: bool,
    first_name: str,
    last_name: str,
    email: str,
    made_from: str | None = None,
) -> Member:
    """Change a member's role, name or access; access to the admin follows from the role.

    ``made_from`` is the form's token; see ``patients.edits``.

    Raises ``ChangedMeanwhile`` and the exceptions of ``ensure_member_may_become``.
    """
    with transaction.atomic():
        member = (
            Member.objects.select_for_update(of=("self", "user")).select_related("clinic", "user").get(pk=member.pk)
        )
        account = {"first_name": first_name, "last_name": last_name, "email": email, "is_active": is_active}
        ensure_nothing_is_lost(member, {"role": role}, made_from)
        ensure_nothing_is_lost(member.user, account, made_from)
        ensure_member_may_become(member=member, by=by, role=role, is_active=is_active, email=email)
        user = member.user
        if member.role != role:
            member.api_tokens.all().revoke(because=Revocation.ROLE, by=by)
        change_record(member, {"role": role}, by=by)
        member.save(update_fields=["role", "changed_by", "changed_at"])
        keep_history(member, {name: getattr(user, name) for name in account}, account, by=by)
        for name, value in account.items():
            setattr(user, name, value)
        user.is_staff = role in ADMIN_ROLES or user.is_superuser
        user.save(update_fields=["first_name", "last_name", "email", "is_active", "is_staff"])
    return member


def ensure_member_may_become(*, member: Member, by: User, role: str, is_active: bool, email: str) -> None:
    """Raise unless ``by``, a manager of the clinic or a superuser, may make these changes to the member.

    Members cannot remove their own role or access. Managers cannot change a superuser's account, nor the address of a
    member who has chosen a password: they could request a password reset to their own address and sign in as that
    member. Raises ``AccountRefused``, ``PermissionDenied``.
    """
    if not by.is_superuser:
        _ensure_manager_of(member, by=by)
    if member.user == by and (role != member.role or not is_active):
        raise AccountRefused(
            _("You cannot change your own role or access. Ask another manager."), field="role", code="own_access"
        )
    if email != member.user.email and member.user.has_usable_password() and not by.is_superuser:
        raise AccountRefused(
            _("A password has been chosen for this account, so only the operator can change its e-mail address."),
            field="email",
            code="address_of_a_used_account",
        )
    ensure_address_is_free(email, clinic=member.clinic, account=member.user)


def _ensure_manager_of(member: Member, *, by: User) -> None:
    manager = Member.objects.filter(user=by, clinic=member.clinic_id, role=Role.MANAGER).first()
    if manager is None:
        raise AnotherClinic(_("Only a manager of the clinic may change its members."))
    if member.user.is_superuser:
        raise PermissionDenied(_("Only an operator can change the account of an operator."))
