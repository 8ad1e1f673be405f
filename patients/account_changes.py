"""Revocation of access when a password changes or an account is deactivated, wherever the change is made."""

from typing import Any

from patients.models import User
from patients.models.api_token import ApiToken, Revocation
from patients.outbox import cancel_messages
from patients.sessions import end_sessions


def revoke_access(*, instance: User, created: bool, raw: bool, **_signal: Any) -> None:
    """Revoke the user's API tokens when the password changes or the account is deactivated.

    Deactivation also ends all sessions permanently and cancels waiting e-mails.
    """
    if created or raw:
        return
    if instance.has_new_password or not instance.is_active:
        because = Revocation.PASSWORD if instance.has_new_password else Revocation.DEACTIVATED
        ApiToken.objects.filter(member__user=instance.pk).revoke(because=because)
    if not instance.is_active:
        end_sessions(instance)
        cancel_messages(user=instance)
