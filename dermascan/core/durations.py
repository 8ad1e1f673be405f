"""Durations in words, for pages and e-mails."""

from datetime import timedelta

from django.utils.translation import ngettext

_DAY, _HOUR, _MINUTE = 86_400, 3_600, 60


def in_words(length: timedelta | float) -> str:
    """Return “3 days”, “12 hours”, “90 minutes” or “30 seconds”, in the largest unit that is exact.

    Other durations are rounded down to whole minutes, or to seconds below one minute, so that none is overstated.
    """
    seconds = int(length.total_seconds() if isinstance(length, timedelta) else length)
    if seconds >= _DAY and seconds % _DAY == 0:
        return ngettext("%(count)d day", "%(count)d days", seconds // _DAY) % {"count": seconds // _DAY}
    if seconds >= _HOUR and seconds % _HOUR == 0:
        return ngettext("%(count)d hour", "%(count)d hours", seconds // _HOUR) % {"count": seconds // _HOUR}
    if seconds >= _MINUTE:
        return ngettext("%(count)d minute", "%(count)d minutes", seconds // _MINUTE) % {"count": seconds // _MINUTE}
    return ngettext("%(count)d second", "%(count)d seconds", seconds) % {"count": seconds}
