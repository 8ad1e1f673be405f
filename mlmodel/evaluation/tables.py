"""Read tables that other people made: what is wrong with one is said with its name and what to do."""

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path

MAX_ROWS = 1_000_000
_NAMED = 5


class EvaluationError(ValueError):
    """Something that was given cannot be evaluated; the message says what is wrong and what to do."""


def read_table(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file by column name; names are in lower case, values without surrounding blanks.

    Raises:
        EvaluationError: there is no such file, it is not a CSV in UTF-8, or it has no rows.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            columns = [name.strip().lower() for name in reader.fieldnames or ()]
            if len(set(columns)) < len(columns):
                raise EvaluationError(f"{path} names a column twice. Give each column a name of its own.")
            rows: list[dict[str, str]] = []
            for record in reader:
                if len(rows) == MAX_ROWS:
                    raise EvaluationError(f"{path} has more than {MAX_ROWS:,} rows. Split it.")
                values = zip(columns, list(record.values())[: len(columns)], strict=True)
                rows.append({name: _clean(value) for name, value in values})
    except OSError as error:
        raise EvaluationError(f"{path} cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise EvaluationError(f"{path} is not UTF-8 text. Save it as a CSV in UTF-8.") from error
    except csv.Error as error:
        raise EvaluationError(f"{path} is not a CSV file: {error}.") from error
    if not rows:
        raise EvaluationError(
            f"{path} has no rows. It needs a line with the names of its columns and one a photograph."
        )
    return rows


def require_columns(path: Path, rows: list[dict[str, str]], needed: Iterable[str]) -> None:
    """Check that the columns are there.

    Raises:
        EvaluationError: naming those that are missing, and those that were found.
    """
    if missing := [name for name in needed if name not in rows[0]]:
        found = ", ".join(rows[0])
        hint = " Columns must be separated by commas." if len(rows[0]) == 1 else ""
        raise EvaluationError(f"{path} lacks the columns {', '.join(missing)}; it has: {found}.{hint}")


def first_of(row: Mapping[str, str], names: Iterable[str]) -> str:
    """Return the value of the first of the columns that the row has, or nothing."""
    return next((row[name] for name in names if row.get(name)), "")


def some(names: Iterable[str]) -> str:
    """Return the first few names, for a message."""
    listed = list(names)
    rest = len(listed) - _NAMED
    return ", ".join(listed[:_NAMED]) + (f" and {rest:,} more" if rest > 0 else "")


def _clean(value: str | None) -> str:
    # Control characters are never part of a name, and no page or terminal should have to deal with them.
    return "".join(letter for letter in (value or "") if letter.isprintable()).strip()
