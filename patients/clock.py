"""The clock on the wall may be set. What lasts for seconds or minutes must neither end at once nor never then."""

import threading
import time
from datetime import timedelta

from django.utils import timezone

# More than the clocks of two machines ever differ by. What ends later than it could, by more than this, was written
# before a clock was set back.
CLOCKS_APART = timedelta(minutes=10)
# Less than this is the slow correction of a clock that runs well.
JUMP_SECONDS = 5.0


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
