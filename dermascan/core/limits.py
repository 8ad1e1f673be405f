"""How often something may be done in any window of time, counted in the shared cache over all processes."""

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
# Machines that share a cache may differ by this much. Anything later was counted before a clock was set back, and
# would otherwise hold until that time comes again.
CLOCK_SKEW_SECONDS = 10.0

_Entry = tuple[float, int]


@dataclass(frozen=True)
class Limit:
    """At most ``allowed`` in any ``seconds``."""

    name: str
    allowed: int
    seconds: float


def charge(limit: Limit, who: str, *, cost: int = 1, now: float | None = None) -> float:
    """Count ``cost`` against ``who`` and return 0, or return the seconds until it fits and count nothing."""
    now = time.time() if now is None else now
    key = _key(limit, who)
    with _alone(key):
        counted = _counted(key, limit, now)
        excess = sum(each for _at, each in counted) + cost - limit.allowed
        if excess <= 0:
            cache.set(key, [*counted, (now, cost)], limit.seconds)
            return 0.0
    return _seconds_until_it_fits(counted, excess, limit, now)


def refund(limit: Limit, who: str) -> None:
    """Take the newest count off again: what was charged in advance turned out to be in order."""
    key = _key(limit, who)
    with _alone(key):
        if counted := cache.get(key, ()):
            cache.set(key, list(counted)[:-1], limit.seconds)


def whole_seconds(wait: float) -> int:
    """Return the wait for people and for Retry-After: at least 1."""
    return max(1, math.ceil(wait))


def _counted(key: str, limit: Limit, now: float) -> list[_Entry]:
    since, until = now - limit.seconds, now + CLOCK_SKEW_SECONDS
    return sorted((at, each) for at, each in cache.get(key, ()) if since < at <= until)


def _seconds_until_it_fits(counted: list[_Entry], excess: int, limit: Limit, now: float) -> float:
    for at, each in counted:
        excess -= each
        if excess <= 0:
            return min(max(at + limit.seconds - now, 0.001), limit.seconds)
    # More at once than is ever allowed: no wait will do, but the answer must say something.
    return limit.seconds


def _key(limit: Limit, who: str) -> str:
    # Hashed: an address is personal, and a cache key may hold no blanks.
    return f"throttle-{limit.name}-{hashlib.sha256(who.encode()).hexdigest()[:32]}"


@contextmanager
def _alone(key: str) -> Iterator[None]:
    """Keep others, in other processes too, from counting under ``key`` meanwhile."""
    backend = caches["default"]
    if isinstance(backend, FileBasedCache):
        # Files cannot add a key in one step; the machine's own locks can.
        with _locked(Path(backend._dir)):  # type: ignore[attr-defined]
            yield
        return
    given_up = time.monotonic() + LOCK_SECONDS
    while not cache.add(f"{key}-lock", 1, LOCK_SECONDS) and time.monotonic() < given_up:
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
