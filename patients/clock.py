"""The clock on the wall may be set. What lasts for seconds or minutes must neither end at once nor never then."""

import threading
import time

from django.utils import timezone

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
