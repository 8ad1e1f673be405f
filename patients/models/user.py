from typing import Any

from django.contrib.auth.models import AbstractUser


class User(AbstractUser):
    """A user who can sign in: a member of a clinic or a patient, which decides what they may see.

    ``patients.account_changes`` revokes tokens and sessions when the password changes or the account is closed.
    """

    _password_was_removed = False

    @property
    def has_new_password(self) -> bool:
        """Whether saving stores a different password. Rehashing at sign-in does not count."""
        return getattr(self, "_password", None) is not None or self._password_was_removed

    def set_unusable_password(self) -> None:
        super().set_unusable_password()
        self._password_was_removed = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        super().save(*args, **kwargs)
        self._password_was_removed = False
