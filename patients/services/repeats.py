"""Make it safe to send the same thing twice: a double click, or a retry after the connection broke."""

import uuid
from typing import Any, TypeVar

from django.db.models import Manager, Model

Record = TypeVar("Record", bound=Model)


def create_once(
    records: Manager[Record], *, key: uuid.UUID | None, values: dict[str, Any], given: dict[str, Any] | None = None
) -> Record:
    """Create a record whose primary key is ``key``, or return the one that an earlier attempt made of it.

    Only the same ``values`` are a repetition. Someone who went back in the browser and changed the form sends the
    same key with other values, and that is a new record. ``given`` is set but not compared.
    """
    if key is not None:
        earlier = records.filter(pk=key).first()
        if earlier is not None and all(getattr(earlier, name) == value for name, value in values.items()):
            return earlier
        if records.model._base_manager.filter(pk=key).exists():
            key = None
    return records.create(pk=key or uuid.uuid4(), **values, **(given or {}))
