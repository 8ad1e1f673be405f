from typing import Any

from django.contrib.auth.models import AbstractUser


class User(AbstractUser):
    """Someone who can sign in: a member of a clinic, or a patient. What they may see hangs on which."""

    _password_was_taken_away = False

    def set_unusable_password(self) -> None:
        super().set_unusable_password()
        self._password_was_taken_away = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """End the API tokens with the password and with the account, through whichever door it is changed.

        A deactivated account's sessions end for good, and what was to be mailed to it is not sent.
        """
        from patients.models.api_token import ApiToken, Revocation
        from patients.outbox import cancel_messages
        from patients.sessions import end_sessions

        is_new = self._state.adding
        # A hash that is only renewed at sign-in leaves no password here.
        has_new_password = getattr(self, "_password", None) is not None or self._password_was_taken_away
        super().save(*args, **kwargs)
        self._password_was_taken_away = False
        if not is_new and (has_new_password or not self.is_active):
            because = Revocation.PASSWORD if has_new_password else Revocation.DEACTIVATED
            ApiToken.objects.filter(member__user=self.pk).revoke(because=because)
        if not is_new and not self.is_active:
            end_sessions(self)
            cancel_messages(user=self)
