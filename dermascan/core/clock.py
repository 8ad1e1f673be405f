"""Time comparisons that stay correct when the system clock is set forward or back."""

import threading
import time
from datetime import datetime, timedelta

from django.utils import timezone

# More than the clocks of two machines ever differ by. A timestamp further in the future than this was written before
# a clock was set back.
CLOCKS_APART = timedelta(minutes=10)
# Smaller differences are normal clock corrections.
JUMP_SECONDS = 5.0


def within(age: timedelta) -> tuple[datetime, datetime]:
    """Return the range of times no older than ``age``, for a query's ``__range``.

    A time too far in the future was written before the clock was set back. Its age is unknown, so it does not count
    as recent.
    """
    return timezone.now() - age, latest()


def around(age: timedelta) -> tuple[datetime, datetime]:
    """Return the range of times within ``age`` of now, in both directions, for deciding what is old enough to delete.

    Future times count as old too: otherwise data written while the clock was a year ahead would be kept for a year.
    """
    now = timezone.now()
    return now - age, now + age


def latest() -> datetime:
    """Return the latest plausible time: a later one was written before the clock was set back."""
    return timezone.now() + CLOCKS_APART


def is_within(moment: datetime, age: timedelta) -> bool:
    """Return whether ``moment`` is in the range that ``within`` returns."""
    earliest, latest = within(age)
    return earliest <= moment <= latest


class ClockWatch:
    """Detects that the system clock was set, by comparing it with the monotonic clock.

    A machine that was suspended looks the same.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._offset = _clock_offset()

    def has_jumped(self) -> bool:
        """Return whether the clock was set since the last call, or since the process started."""
        with self._lock:
            previous, self._offset = self._offset, _clock_offset()
            return abs(self._offset - previous) > JUMP_SECONDS


def _clock_offset() -> float:
    return timezone.now().timestamp() - time.monotonic()
