"""Optimistic locking of edits: a stale form never silently overwrites what a colleague has saved since.

A form carries a token with a digest of each value that it showed. Unlike a timestamp or version counter, two tokens
differ exactly where the record differs.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Model
from django.utils.translation import gettext as _

from dermascan.core.errors import Refused
from dermascan.core.rough_dates import RoughDate
from patients.history import keep_history
from patients.models import User
from patients.models.edited import Edited
from patients.names import clean_text

_DIGEST_LENGTH = 16


class ChangedMeanwhile(Refused):
    """Saving would overwrite a change made since the form was opened; ``record`` is the record as it is now."""

    code = "changed_meanwhile"

    def __init__(self, record: Model) -> None:
        super().__init__(_("This record was changed while you were editing it. Your changes are not saved yet."))
        self.record = record


def ensure_nothing_is_lost(record: Model, values: Mapping[str, Any], made_from: str | None) -> None:
    """Raise ``ChangedMeanwhile`` if setting ``values`` on the locked ``record`` would undo a newer change.

    ``made_from`` is the form's token; None means that the caller has just read the record itself.
    """
    if made_from is None:
        return
    stored = {name: getattr(record, name) for name in values}
    if lost_names(stored=stored, new=values, made_from=made_from):
        raise ChangedMeanwhile(record)


def change_record(
    record: Edited, values: Mapping[str, Any], *, by: User, made_from: str | None = None, reason: str = ""
) -> None:
    """Set ``values`` on the locked ``record``, to be saved by the caller, and keep its history.

    Raises ``ChangedMeanwhile``.
    """
    ensure_nothing_is_lost(record, values, made_from)
    before = {name: getattr(record, name) for name in values}
    for name, value in values.items():
        setattr(record, name, value)
    record.note_change(by=by)
    keep_history(record, before, {name: getattr(record, name) for name in values}, by=by, reason=reason)


def edit_token(values: Mapping[str, Any]) -> str:
    """Return the token of a form that shows ``values``."""
    return ",".join(f"{name}:{_digest(value)}" for name, value in sorted(values.items()))


def lost_names(*, stored: Mapping[str, Any], new: Mapping[str, Any], made_from: str) -> set[str]:
    """Return the fields that were changed since the form was made and that saving ``new`` would overwrite."""
    changed = changed_names(stored=stored, made_from=made_from)
    return {name for name in changed if name in new and comparable(new[name]) != comparable(stored[name])}


def changed_names(*, stored: Mapping[str, Any], made_from: str) -> set[str]:
    """Return the fields whose stored value differs from the one the form was made from; all without a token."""
    digests = dict(part.split(":", 1) for part in made_from.split(",") if ":" in part)
    return {name for name, value in stored.items() if digests.get(name) != _digest(value)}


def comparable(value: Any) -> Any:
    """Return ``value`` normalised, so that it compares equal whether it comes from a form, a row or a request."""
    if value is None:
        return ""
    if isinstance(value, Model):
        return str(value.pk)
    if isinstance(value, str):
        return clean_text(value).replace("\r\n", "\n").strip()
    if isinstance(value, bool):
        return value
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, RoughDate):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value.normalize())
    if isinstance(value, dict):
        return value
    if hasattr(value, "__iter__"):
        return sorted((comparable(item) for item in value), key=str)
    return str(value)


def last_change(record: Model) -> tuple[str, datetime | None]:
    """Return the name of the user who last changed ``record`` ("" if unknown), and when."""
    by, at = getattr(record, "changed_by", None), getattr(record, "changed_at", None)
    if at is None:
        kind = ContentType.objects.get_for_model(record)
        entries = LogEntry.objects.filter(content_type=kind, object_id=str(record.pk)).select_related("user")
        entry = entries.order_by("-pk").first()
        if entry is not None:
            by, at = entry.user, entry.action_time
    return (by.get_full_name() or by.get_username()) if by else "", at


def _digest(value: Any) -> str:
    text = json.dumps(comparable(value), cls=DjangoJSONEncoder, sort_keys=True)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST_LENGTH]
