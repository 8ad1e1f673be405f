"""A circuit breaker, so that only one request waits for a service that is down."""

import threading
import time


class CircuitBreaker:
    """Tracks whether a service is up. After a failure, one caller may retry every ``rest_seconds``."""

    def __init__(self, *, rest_seconds: float) -> None:
        self._rest = rest_seconds
        self._next_try: float | None = None
        self._lock = threading.Lock()

    def may_try(self) -> bool:
        with self._lock:
            if self._next_try is None:
                return True
            now = time.monotonic()
            if now < self._next_try:
                return False
            self._next_try = now + self._rest
            return True

    def note_failure(self) -> bool:
        """Open the breaker. Return True for the first failure after a success, which is the one to log."""
        with self._lock:
            is_first = self._next_try is None
            self._next_try = time.monotonic() + self._rest
            return is_first

    def note_success(self) -> bool:
        """Close the breaker. Return True for the first success after a failure."""
        with self._lock:
            is_back, self._next_try = self._next_try is not None, None
            return is_back
