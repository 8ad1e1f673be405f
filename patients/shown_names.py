"""What a person is called on pages that more than one clinic reads: names of staff do not cross clinics."""

from django.utils.translation import gettext as _

from patients.models import Member, User


def shown_name(user: User | None, *, viewer: User | None) -> str:
    """The name of ``user`` for colleagues and operators; for another clinic what they are, and no more."""
    if user is None:
        return ""
    member, reader = _member(user), _member(viewer)
    is_colleague = member is not None and reader is not None and member.clinic_id == reader.clinic_id
    if viewer is not None and (viewer.is_superuser or viewer == user or is_colleague):
        return user.get_full_name() or user.get_username()
    if user.is_superuser or member is None:
        return _("an operator of this installation") if user.is_superuser else _("somebody of another clinic")
    if member.is_dermatologist:
        return _("a dermatologist of another clinic")
    return _("a member of another clinic")


def _member(user: User | None) -> Member | None:
    return getattr(user, "member", None) if user is not None and user.is_authenticated else None
