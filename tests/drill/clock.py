"""A clock that the drill sets: Django's ``now`` reads it, also where a model's default refers to the function."""

import datetime
import time
from typing import Any

import pytest
from django.utils import timezone

OPENS_AT = datetime.time(8, 30, tzinfo=datetime.UTC)


class Clock:
    """Shows the date that was set, and runs on from there."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, first: datetime.date) -> None:
        self.set(first)
        clock = self

        class AnyDatetime(type):
            def __instancecheck__(cls, value: object) -> bool:
                return isinstance(value, datetime.datetime)

        class Shown(datetime.datetime, metaclass=AnyDatetime):
            @classmethod
            def now(cls, tz: Any = None) -> Any:
                return clock.now.astimezone(tz) if tz else clock.now.replace(tzinfo=None)

        monkeypatch.setattr(timezone, "datetime", Shown)

    def set(self, day: datetime.date) -> None:
        self.today, self._set_at = day, time.monotonic()

    @property
    def now(self) -> datetime.datetime:
        passed = datetime.timedelta(seconds=time.monotonic() - self._set_at)
        return datetime.datetime.combine(self.today, OPENS_AT) + passed
