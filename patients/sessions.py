"""Ending a user's sessions."""

from typing import TYPE_CHECKING

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.utils import timezone

if TYPE_CHECKING:
    from patients.models import User


def end_sessions(user: "User") -> int:
    """Delete every session in which ``user`` is signed in and return the number deleted.

    It reads all live sessions, so it is meant for rare events. Deactivation alone would suspend the sessions only
    until the account is active again.
    """
    user_key = str(user.pk)
    keys = [
        session.session_key
        for session in Session.objects.filter(expire_date__gt=timezone.now()).iterator()
        if session.get_decoded().get(SESSION_KEY) == user_key
    ]
    return Session.objects.filter(session_key__in=keys).delete()[0]
