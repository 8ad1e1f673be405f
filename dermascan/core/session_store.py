"""Database sessions that do not last longer when the clock is set back.

Django and allauth check whether a time is far enough in the past; a future time never is.
"""

from datetime import timedelta
from typing import Any

from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.account.internal.stagekit import LOGIN_SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseSessions
from django.contrib.sessions.models import Session
from django.utils import timezone

from dermascan.core.clock import latest


class SessionStore(DatabaseSessions):
    def load(self) -> dict[str, Any]:
        return without_future_times(super().load())

    def _get_session_from_db(self) -> Session | None:
        session: Session | None = super()._get_session_from_db()  # type: ignore[misc]
        longest = timedelta(seconds=self.get_session_cookie_age())
        if session is not None and session.expire_date > latest() + longest:
            Session.objects.filter(pk=session.pk).update(expire_date=timezone.now() + longest)
        return session


def without_future_times(session: dict[str, Any]) -> dict[str, Any]:
    """Return the session without password confirmations and unfinished sign-ins that are dated in the future."""
    limit = latest().timestamp()
    for record in session.get(AUTHENTICATION_METHODS_SESSION_KEY, ()):
        if record.get("at", 0.0) > limit:
            record.pop("reauthenticated", None)
    if session.get(LOGIN_SESSION_KEY, {}).get("initiated_at", 0.0) > limit:
        del session[LOGIN_SESSION_KEY]
    return session
