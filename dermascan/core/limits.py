"""Rate limits over a sliding window, counted in the shared cache across all processes."""

import hashlib
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.core.cache import cache, caches
from django.core.cache.backends.filebased import FileBasedCache
from django.core.files import locks

LOCK_SECONDS = 1
# Clocks of machines that share a cache may differ by this much. A later entry was counted before a clock was set
# back, and would otherwise count until that time.
CLOCK_SKEW_SECONDS = 10.0

_Entry = tuple[float, int]


@dataclass(frozen=True)
class Limit:
    """At most ``allowed`` requests in any window of ``seconds``."""

    name: str
    allowed: int
    seconds: float


def charge(limit: Limit, who: str, *, cost: int = 1, now: float | None = None) -> float:
    """Charge ``cost`` to ``who`` and return 0, or charge nothing and return the seconds until it is allowed."""
    now = time.time() if now is None else now
    key = _key(limit, who)
    with _exclusive(key):
        counted = _counted(key, limit, now)
        excess = sum(each for _at, each in counted) + cost - limit.allowed
        if excess <= 0:
            cache.set(key, [*counted, (now, cost)], limit.seconds)
            return 0.0
    return _seconds_until_it_fits(counted, excess, limit, now)


def refund(limit: Limit, who: str) -> None:
    """Remove the newest entry: what was charged in advance should not count after all."""
    key = _key(limit, who)
    with _exclusive(key):
        if counted := cache.get(key, ()):
            cache.set(key, list(counted)[:-1], limit.seconds)


def whole_seconds(wait: float) -> int:
    """Return the wait in whole seconds, at least 1, as pages and Retry-After show it."""
    return max(1, math.ceil(wait))


def _counted(key: str, limit: Limit, now: float) -> list[_Entry]:
    since, until = now - limit.seconds, now + CLOCK_SKEW_SECONDS
    return sorted((at, each) for at, each in cache.get(key, ()) if since < at <= until)


def _seconds_until_it_fits(counted: list[_Entry], excess: int, limit: Limit, now: float) -> float:
    for at, each in counted:
        excess -= each
        if excess <= 0:
            return min(max(at + limit.seconds - now, 0.001), limit.seconds)
    # More at once than is ever allowed: waiting does not help, but the response needs a number.
    return limit.seconds


def _key(limit: Limit, who: str) -> str:
    # Hashed: an address is personal data, and cache keys may not contain spaces.
    return f"throttle-{limit.name}-{hashlib.sha256(who.encode()).hexdigest()[:32]}"


@contextmanager
def _exclusive(key: str) -> Iterator[None]:
    """Hold a lock on ``key`` across all processes."""
    backend = caches["default"]
    if isinstance(backend, FileBasedCache):
        # The file cache has no atomic add; file locks are atomic.
        with _locked(Path(backend._dir)):  # type: ignore[attr-defined]
            yield
        return
    deadline = time.monotonic() + LOCK_SECONDS
    while not cache.add(f"{key}-lock", 1, LOCK_SECONDS) and time.monotonic() < deadline:
        time.sleep(0.002)
    try:
        yield
    finally:
        cache.delete(f"{key}-lock")


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / "throttle.lock").open("a") as file:
        locks.lock(file, locks.LOCK_EX)
        try:
            yield
        finally:
            locks.unlock(file)
