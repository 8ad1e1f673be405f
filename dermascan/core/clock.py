"""The clock on the wall may be set. What lasts for seconds or minutes must neither end at once nor never then."""

import threading
import time
from datetime import datetime, timedelta

from django.utils import timezone

# More than the clocks of two machines ever differ by. What ends later than it could, by more than this, was written
# before a clock was set back.
CLOCKS_APART = timedelta(minutes=10)
# Less than this is the slow correction of a clock that runs well.
JUMP_SECONDS = 5.0


def within(age: timedelta) -> tuple[datetime, datetime]:
    """The moments that are no older than ``age``, for a query's ``__range``.

    What is dated later than any clock could be now was written before the clock was set back: nobody knows its age,
    and it is not counted as new for as long as that time has not come.
    """
    return timezone.now() - age, latest()


def around(age: timedelta) -> tuple[datetime, datetime]:
    """The moments that are no further off than ``age``, for what is thrown away once it is old.

    A time that has yet to come is as far off as one that has passed: otherwise what was written while the clock was a
    year ahead would be kept for a year.
    """
    now = timezone.now()
    return now - age, now + age


def latest() -> datetime:
    """What is dated later than this was written before the clock was set back."""
    return timezone.now() + CLOCKS_APART


def is_within(moment: datetime, age: timedelta) -> bool:
    """Whether ``moment`` is no older than ``age``, as ``within`` has it."""
    earliest, latest = within(age)
    return earliest <= moment <= latest


class ClockWatch:
    """Notices that the clock was set, by comparing it with one that nobody sets.

    A machine that slept looks alike: for its programs no time has passed.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._apart = _apart()

    def has_jumped(self) -> bool:
        """Return whether the clock was set since this was asked last, or since the process began."""
        with self._lock:
            before, self._apart = self._apart, _apart()
            return abs(self._apart - before) > JUMP_SECONDS


def _apart() -> float:
    return timezone.now().timestamp() - time.monotonic()
