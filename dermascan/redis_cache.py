"""A Redis cache that falls back to each process's own memory while Redis is down."""

import logging
from functools import cache
from typing import Any

from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache as DjangoRedisCache
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from dermascan.core.circuit_breaker import CircuitBreaker

logger = logging.getLogger(__name__)

TIMEOUT_SECONDS = 0.5
REST_SECONDS = 3.0


class RedisCache(DjangoRedisCache):
    """Django's Redis cache with short timeouts, and local memory while Redis is stopped, hung or full."""

    def __init__(self, server: Any, params: dict[str, Any]) -> None:
        options = {
            "socket_connect_timeout": TIMEOUT_SECONDS,
            "socket_timeout": TIMEOUT_SECONDS,
            "retry": Retry(NoBackoff(), 0),
            **params.get("OPTIONS", {}),
        }
        super().__init__(server, {**params, "OPTIONS": options})
        memory = {name: value for name, value in params.items() if name != "OPTIONS"}
        self._breaker = _breaker_of(str(server))
        self._memory = LocMemCache(f"instead of {server}", {**memory, "OPTIONS": {"MAX_ENTRIES": 20_000}})

    def add(self, *args: Any, **kwargs: Any) -> Any:
        return self._answer("add", args, kwargs)

    def get(self, *args: Any, **kwargs: Any) -> Any:
        return self._answer("get", args, kwargs)

    def set(self, *args: Any, **kwargs: Any) -> Any:
        return self._answer("set", args, kwargs)

    def touch(self, *args: Any, **kwargs: Any) -> Any:
        return self._answer("touch", args, kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        return self._answer("delete", args, kwargs)

    def get_many(self, *args: Any, **kwargs: Any) -> Any:
        return self._answer("get_many", args, kwargs)

    def has_key(self, *args: Any, **kwargs: Any) -> Any:
        return self._answer("has_key", args, kwargs)

    def incr(self, *args: Any, **kwargs: Any) -> Any:
        return self._answer("incr", args, kwargs)

    def set_many(self, *args: Any, **kwargs: Any) -> Any:
        return self._answer("set_many", args, kwargs)

    def delete_many(self, *args: Any, **kwargs: Any) -> Any:
        return self._answer("delete_many", args, kwargs)

    def clear(self) -> Any:
        self._memory.clear()
        return self._answer("clear", (), {})

    def _answer(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if self._breaker.may_try():
            try:
                answer = getattr(super(), name)(*args, **kwargs)
            except (RedisError, OSError) as error:
                if self._breaker.note_failure():
                    # Not the message: the address may contain a password.
                    logger.error("Redis does not answer (%s): limits now count per process.", type(error).__name__)
            else:
                if self._breaker.note_success():
                    logger.warning("Redis answers again.")
                    self._memory.clear()
                return answer
        return getattr(self._memory, name)(*args, **kwargs)


@cache
def _breaker_of(_server: str) -> CircuitBreaker:
    """Return the process's breaker for a server: Django creates a cache object per thread."""
    return CircuitBreaker(rest_seconds=REST_SECONDS)
