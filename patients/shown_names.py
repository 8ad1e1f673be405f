"""Display names on pages that several clinics read: staff names are not shown to other clinics."""

from django.utils.translation import gettext as _

from patients.models import Member, User


def shown_name(user: User | None, *, viewer: User | None) -> str:
    """Return the name of ``user`` for colleagues and operators; members of other clinics see only the role."""
    if user is None:
        return ""
    member, viewing_member = _member(user), _member(viewer)
    is_colleague = member is not None and viewing_member is not None and member.clinic_id == viewing_member.clinic_id
    if viewer is not None and (viewer.is_superuser or viewer == user or is_colleague):
        return user.get_full_name() or user.get_username()
    if user.is_superuser or member is None:
        return _("an operator of this installation") if user.is_superuser else _("a user of another clinic")
    if member.is_dermatologist:
        return _("a dermatologist of another clinic")
    return _("a member of another clinic")


def _member(user: User | None) -> Member | None:
    return getattr(user, "member", None) if user is not None and user.is_authenticated else None
