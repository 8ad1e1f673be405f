"""Reader for tables of labels and metadata, used by every command.

It accepts what spreadsheets, archives and other programs write: commas, semicolons or tabs, Excel's ``sep=`` line, a
byte order mark, UTF-16, empty trailing columns and rows, and the usual markers for missing values. What it skips is
counted.
"""

import csv
import io
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

MAX_ROWS = 1_000_000
MAX_BYTES = 500_000_000
_LISTED = 5
_LONGEST_NAME = 80
_SNIFFED_BYTES = 64
_DELIMITERS = (",", ";", "\t", "|")
# Signatures of Excel workbooks (.xlsx and .xls).
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
# The longest first. In UTF-16 without a mark, every ASCII letter of the first line has a zero byte next to it.
_ENCODINGS = (
    (b"\xff\xfe\0\0", "utf-32"),
    (b"\0\0\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
# Markers for missing values in R, pandas, Excel, SQL and hand-written tables.
_MISSING = frozenset(
    {"na", "n/a", "#n/a", "<na>", "n.a.", "nan", "-nan", "null", "none", "nil", "-", "--", "–", "—", "?", ".", "n.d."}
)


class DataError(ValueError):
    """The input cannot be used; the message says what is wrong and what to do."""


class Row(dict[str, str]):
    """One row by column name, without surrounding blanks; missing values are ""."""

    line: int
    """The line number on which the row begins, from 1."""

    def __init__(self, values: Mapping[str, str], line: int) -> None:
        super().__init__(values)
        self.line = line


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        path: the file.
        columns: names in lower case, with ``_`` for blanks and hyphens; at least one.
        rows: at least one.
        notes: sentences on what was skipped, with counts.
    """

    path: Path
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()

    def require(self, needed: Iterable[str]) -> None:
        """Check that the columns exist.

        Raises:
            DataError: a column is missing.
        """
        if missing := [name for name in needed if name not in self.columns]:
            hint = " Columns are separated by commas, semicolons or tabs." if len(self.columns) == 1 else ""
            raise DataError(
                f"{self.path} lacks the columns {', '.join(missing)}; it has: {some(self.columns, shown=20)}.{hint}"
            )

    def require_one_of(self, names: tuple[str, ...]) -> None:
        """Check that a column exists under one of several names.

        Raises:
            DataError: it does not; the message asks for the first name.
        """
        if not any(name in self.columns for name in names):
            self.require(names[:1])


def read_table(path: Path) -> Table:
    """Return the table in a text file.

    Raises:
        DataError: the file does not exist or is not a table in UTF-8 or UTF-16, a column name is repeated, a row is
            longer than the header, or there are no rows.
    """
    records = _records(path)
    header = next(records, None)
    if header is None:
        raise _without_rows(path)
    columns = tuple(_column(name) for name in header[1])
    column_names = [name for name in columns if name]
    if repeated := sorted(name for name, count in Counter(column_names).items() if count > 1):
        raise DataError(f"{path} repeats a column name: {some(repeated)}. Give each column its own name.")
    rows: list[Row] = []
    empty, nameless = 0, 0
    for line, values in records:
        if len(rows) == MAX_ROWS:
            raise DataError(f"{path} has more than {MAX_ROWS:,} rows. Split it.")
        cells = [_value(value) for value in values]
        if not any(cells):
            empty += 1
            continue
        if any(cells[len(columns) :]):
            raise DataError(
                f"{path}, line {line}: {len(cells)} values, but the first line names {len(columns)} columns. "
                "Put quotes around values that contain the separator."
            )
        nameless += any(cell for name, cell in zip(columns, cells, strict=False) if not name)
        cells += [""] * (len(columns) - len(cells))
        rows.append(Row({name: cell for name, cell in zip(columns, cells, strict=False) if name}, line))
    if not rows or not column_names:
        raise _without_rows(path)
    return Table(path, tuple(column_names), tuple(rows), _notes(path, empty, nameless))


def first_of(row: Mapping[str, str], names: Iterable[str]) -> str:
    """Return the first non-empty value of the named columns, or an empty string."""
    return next((row[name] for name in names if row.get(name)), "")


def number(text: str) -> float:
    """Return a number written with a point or with a decimal comma.

    Raises:
        ValueError: it is not a finite number.
    """
    value = float(text.replace(",", ".") if text.count(",") == 1 and "." not in text else text)
    if not math.isfinite(value):
        raise ValueError(f"not a finite number: {text}")
    return value


def is_whole(text: str) -> bool:
    """Return whether the text is a whole number."""
    try:
        return number(text).is_integer()
    except ValueError:
        return False


def some(names: Iterable[str], *, shown: int = _LISTED) -> str:
    """Return the first few names for a message, each shortened if it is very long."""
    listed = list(names)
    rest = len(listed) - shown
    cut = (name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…" for name in listed[:shown])
    return ", ".join(cut) + (f" and {rest:,} more" if rest > 0 else "")


def _records(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the records of a file, each with its line number; the first is the header."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from error
    if len(data) > MAX_BYTES:
        raise DataError(f"{path} is larger than {MAX_BYTES / 1e6:.0f} MB. Split it.")
    if data.startswith(_WORKBOOKS):
        raise DataError(f"{path} is a workbook, not a text file, despite its name. Save it as a CSV file in UTF-8.")
    try:
        text = data.decode(_encoding_of(data))
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 text. Save it as a CSV file in UTF-8.") from error
    lines = io.StringIO(text, newline="")
    skipped = 0
    delimiter = ""
    # Skip Excel's ``sep=`` line and empty lines before the header.
    while True:
        start = lines.tell()
        line = lines.readline()
        if (declaration := line.strip().strip('"')).lower().startswith("sep=") and not delimiter:
            delimiter = declaration[4:5] or "\t"
        elif line.strip(" ,;\t|\r\n") or not line:
            break
        skipped += 1
    lines.seek(start)
    # Strict: an unclosed quotation mark would swallow the following rows.
    reader = csv.reader(lines, delimiter=delimiter or _delimiter_of(line), strict=True)
    line_number = skipped + 1
    try:
        for record in reader:
            yield line_number, record
            line_number = skipped + reader.line_num + 1
    except csv.Error as error:
        raise DataError(
            f"{path}, line {line_number}: {error}. Look for a quotation mark that is not closed, or not doubled "
            "inside quotes."
        ) from error


def _encoding_of(data: bytes) -> str:
    """Return the encoding of a table, from its byte order mark or else from the zero bytes among its first letters."""
    for mark, encoding in _ENCODINGS:
        if data.startswith(mark):
            return encoding
    start = data[:_SNIFFED_BYTES]
    even, odd = start[::2].count(0), start[1::2].count(0)
    if max(even, odd) * 4 > len(start):
        return "utf-16-be" if even > odd else "utf-16-le"
    return "utf-8-sig"


def _delimiter_of(header: str) -> str:
    """Return the most frequent separator in the header."""
    outside = "".join(header.split('"')[::2])
    return max(_DELIMITERS, key=outside.count)


def _column(name: str) -> str:
    return "_".join(_printable(name).lower().replace("-", " ").split())


def _value(text: str) -> str:
    value = _printable(text)
    return "" if value.lower() in _MISSING else value


def _printable(text: str) -> str:
    # Control characters are never part of a name and must not reach a page or terminal.
    return "".join(letter if letter.isprintable() else " " * letter.isspace() for letter in text).strip()


def _notes(path: Path, empty: int, nameless: int) -> tuple[str, ...]:
    notes = []
    if empty:
        notes.append(f"{path.name}: {empty:,} empty {'row was' if empty == 1 else 'rows were'} skipped.")
    if nameless:
        notes.append(f"{path.name}: values in columns without a name were skipped ({nameless:,} rows).")
    return tuple(notes)


def _without_rows(path: Path) -> DataError:
    return DataError(f"{path} has no rows. It needs a header with the column names and one row per photograph.")
