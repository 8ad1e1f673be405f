"""What PostgreSQL says of a statement that failed, without the values in it: they are names and findings of patients.

Its words hold the whole row that broke a rule, on as many lines as were typed, and parts of the statement.
"""

from collections.abc import Iterator
from typing import Any


def with_causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield the error, what it was raised from, and so on."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def sqlstate_of(error: BaseException) -> str | None:
    """The code that PostgreSQL gave, None of any other error. Known by its attribute: SQLite needs no psycopg."""
    return getattr(error, "sqlstate", None)


def without_values(text: str, error: BaseException | None) -> str:
    """Return ``text``, which quotes ``error`` and its causes, with codes for what PostgreSQL said."""
    for each in with_causes(error):
        if sqlstate_of(each) and str(each):
            codes = _codes(each)
            # Django's error, of which this is the cause, says the same words.
            text = text.replace(str(each), codes).replace(repr(str(each)), repr(codes))
    return text


def _codes(error: Any) -> str:
    about = (error.diag.constraint_name, error.diag.table_name, error.diag.column_name)
    return " ".join([f"SQLSTATE {error.sqlstate}", *(name for name in about if name)])
