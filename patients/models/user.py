from django.contrib.auth.models import AbstractUser


class User(AbstractUser):
    """Someone who can sign in: a member of a clinic, or a patient. What they may see hangs on which."""
