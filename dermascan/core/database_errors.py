"""Remove row values from PostgreSQL error messages, which quote patients' names and findings.

A message contains the whole row that violated a constraint, over several lines, and parts of the statement.
"""

from collections.abc import Iterator
from typing import Any


def with_causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield the error and its chain of causes."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def sqlstate_of(error: BaseException) -> str | None:
    """Return PostgreSQL's error code, or None. Reads the attribute, so that SQLite installations need no psycopg."""
    return getattr(error, "sqlstate", None)


def without_values(text: str, error: BaseException | None) -> str:
    """Return ``text`` with the messages of ``error`` and its causes replaced by PostgreSQL's error codes."""
    for each in with_causes(error):
        if sqlstate_of(each) and str(each):
            codes = _codes(each)
            # Django's own exception repeats the message of its cause.
            text = text.replace(str(each), codes).replace(repr(str(each)), repr(codes))
    return text


def _codes(error: Any) -> str:
    names = (error.diag.constraint_name, error.diag.table_name, error.diag.column_name)
    return " ".join([f"SQLSTATE {error.sqlstate}", *(name for name in names if name)])
