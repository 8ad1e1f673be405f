"""Numbers from the environment with range checks: a share of 30 instead of 0.3 would silence an alarm."""

import json
import math
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from environ import Env


def whole_number(env: Env, name: str, *, default: int, least: int = 0) -> int:
    """Return a whole number of at least ``least``. Raises ImproperlyConfigured for anything else."""
    value = _read(env, name, default)
    if not value.is_integer() or value < least:
        raise ImproperlyConfigured(
            f"{name} is {env.str(name)!r}. It must be a whole number, {least} or more; {default} if it is not set."
        )
    return int(value)


def share(env: Env, name: str, *, default: float) -> float:
    """Return a share from 0 to 1. Raises ImproperlyConfigured for anything else."""
    value = _read(env, name, default)
    if not 0 <= value <= 1:
        raise ImproperlyConfigured(
            f"{name} is {env.str(name)!r}. It must be a share from 0 to 1, such as 0.3 for 30 %; {default} if it "
            "is not set."
        )
    return value


def seconds(env: Env, name: str, *, default: float) -> float:
    """Return a number of seconds above 0. Raises ImproperlyConfigured for anything else."""
    value = _read(env, name, default)
    if not 0 < value < math.inf:
        raise ImproperlyConfigured(
            f"{name} is {env.str(name)!r}. It must be a number of seconds above 0; {default} if it is not set."
        )
    return value


def json_object(env: Env, name: str) -> dict[str, Any]:
    """Return a JSON object, by default empty. Raises ImproperlyConfigured for anything else."""
    try:
        value = json.loads(env.str(name, default="{}"))
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} is not valid JSON: {error}.") from error
    if not isinstance(value, dict):
        raise ImproperlyConfigured(f'{name} must be a JSON object, such as {{"clinic_lesions": 80}}.')
    return value


def _read(env: Env, name: str, default: float) -> float:
    """Return the number, or NaN, which is in no range, if it is not a number."""
    try:
        return float(env.str(name, default=str(default)))
    except ValueError:
        return math.nan
