from typing import Any

from django.contrib.auth.models import AbstractUser


class User(AbstractUser):
    """Someone who can sign in: a member of a clinic, or a patient. What they may see depends on which.

    What a new password or a closed account ends: ``patients.account_changes``.
    """

    _password_was_taken_away = False

    @property
    def has_new_password(self) -> bool:
        """Whether saving writes another password. A hash that is only renewed at sign-in is no other password."""
        return getattr(self, "_password", None) is not None or self._password_was_taken_away

    def set_unusable_password(self) -> None:
        super().set_unusable_password()
        self._password_was_taken_away = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        super().save(*args, **kwargs)
        self._password_was_taken_away = False
