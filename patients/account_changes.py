"""What ends with a password or an account, through whichever door either is changed."""

from typing import Any

from patients.models import User
from patients.models.api_token import ApiToken, Revocation
from patients.outbox import cancel_messages
from patients.sessions import end_sessions


def end_what_depends(*, instance: User, created: bool, raw: bool, **_signal: Any) -> None:
    """End the API tokens with the password and with the account.

    A deactivated account's sessions end for good, and what was to be mailed to it is not sent.
    """
    if created or raw:
        return
    if instance.has_new_password or not instance.is_active:
        because = Revocation.PASSWORD if instance.has_new_password else Revocation.DEACTIVATED
        ApiToken.objects.filter(member__user=instance.pk).revoke(because=because)
    if not instance.is_active:
        end_sessions(instance)
        cancel_messages(user=instance)
