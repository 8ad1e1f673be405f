"""Read the tables that people keep: one reader for every command.

It takes what spreadsheets, archives and other programs write: commas, semicolons or tabs, Excel's ``sep=`` line, a
byte order mark, UTF-16, empty columns and rows at the end, and the many words for a missing value. What it leaves out
it counts.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

MAX_ROWS = 1_000_000
MAX_BYTES = 500_000_000
_NAMED = 5
_LONGEST_NAME = 80
_LOOKED_AT = 64
_DELIMITERS = (",", ";", "\t", "|")
# Excel's own files, the new ones and the old ones, whatever they are called.
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
# The longest first. Without a mark, every letter of a first line of plain letters has a zero byte beside it.
_ENCODINGS = (
    (b"\xff\xfe\0\0", "utf-32"),
    (b"\0\0\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
# What other programs write where nothing is known: R, pandas, Excel, SQL, and people.
_MISSING = frozenset(
    {"na", "n/a", "#n/a", "<na>", "n.a.", "nan", "-nan", "null", "none", "nil", "-", "--", "–", "—", "?", ".", "n.d."}
)


class DataError(ValueError):
    """Something that was given cannot be used; the message says what is wrong with it and what to do."""


class Row(dict[str, str]):
    """One row by column name: no surrounding blanks, and "" where the table has a word for a missing value."""

    line: int
    """Where the row begins in the file, from 1."""

    def __init__(self, values: Mapping[str, str], line: int) -> None:
        super().__init__(values)
        self.line = line


@dataclass(frozen=True)
class Table:
    """A table as it was read.

    Attributes:
        path: the file.
        columns: their names in lower case, with ``_`` for blanks and hyphens; at least one.
        rows: at least one.
        notes: sentences on what was left out, with how many.
    """

    path: Path
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()

    def require(self, needed: Iterable[str]) -> None:
        """Check that the columns are there.

        Raises:
            DataError: naming those that are missing, and those that were found.
        """
        if missing := [name for name in needed if name not in self.columns]:
            hint = " Columns are separated by commas, semicolons or tabs." if len(self.columns) == 1 else ""
            raise DataError(
                f"{self.path} lacks the columns {', '.join(missing)}; it has: {some(self.columns, shown=20)}.{hint}"
            )

    def require_one_of(self, names: tuple[str, ...]) -> None:
        """Check that one of several names of a column is there.

        Raises:
            DataError: asking for the first of them.
        """
        if not any(name in self.columns for name in names):
            self.require(names[:1])


def read_table(path: Path) -> Table:
    """Return a table of a text file.

    Raises:
        DataError: there is no such file, it is not a table in UTF-8 or UTF-16, a column is named twice, a row is
            longer than the first line, or there are no rows.
    """
    records = _records(path)
    header = next(records, None)
    if header is None:
        raise _without_rows(path)
    columns = tuple(_column(name) for name in header[1])
    named = [name for name in columns if name]
    if twice := sorted(name for name, count in Counter(named).items() if count > 1):
        raise DataError(f"{path} names a column twice: {some(twice)}. Give each column a name of its own.")
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
                "Put a value that holds the separator into quotes."
            )
        nameless += any(cell for name, cell in zip(columns, cells, strict=False) if not name)
        cells += [""] * (len(columns) - len(cells))
        rows.append(Row({name: cell for name, cell in zip(columns, cells, strict=False) if name}, line))
    if not rows or not named:
        raise _without_rows(path)
    return Table(path, tuple(named), tuple(rows), _notes(path, empty, nameless))


def first_of(row: Mapping[str, str], names: Iterable[str]) -> str:
    """Return the value of the first of the columns that the row has, or nothing."""
    return next((row[name] for name in names if row.get(name)), "")


def number(text: str) -> float:
    """Return a number written with a point or with a decimal comma.

    Raises:
        ValueError: it is not a finite number.
    """
    value = float(text.replace(",", ".") if text.count(",") == 1 and "." not in text else text)
    if value != value or value in (float("inf"), float("-inf")):
        raise ValueError(f"not a finite number: {text}")
    return value


def some(names: Iterable[str], *, shown: int = _NAMED) -> str:
    """Return the first few names, each cut where it is very long, for a message."""
    listed = list(names)
    rest = len(listed) - shown
    cut = (name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…" for name in listed[:shown])
    return ", ".join(cut) + (f" and {rest:,} more" if rest > 0 else "")


def _records(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the records of a file, each with the line on which it begins; the first is the header."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from error
    if len(data) > MAX_BYTES:
        raise DataError(f"{path} is larger than {MAX_BYTES / 1e6:.0f} MB. Split it.")
    if data.startswith(_WORKBOOKS):
        raise DataError(f"{path} is a workbook and no text, whatever its name says. Save it as a CSV file in UTF-8.")
    try:
        text = data.decode(_encoding_of(data))
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 text. Save it as a CSV file in UTF-8.") from error
    lines = io.StringIO(text, newline="")
    skipped = 0
    delimiter = ""
    # Excel's own first line, and empty lines before the header.
    while True:
        start = lines.tell()
        line = lines.readline()
        if (named := line.strip().strip('"')).lower().startswith("sep=") and not delimiter:
            delimiter = named[4:5] or "\t"
        elif line.strip(" ,;\t|\r\n") or not line:
            break
        skipped += 1
    lines.seek(start)
    # Strict: a quotation mark that is never closed would swallow the rows after it.
    reader = csv.reader(lines, delimiter=delimiter or _delimiter_of(line), strict=True)
    begins = skipped + 1
    try:
        for record in reader:
            yield begins, record
            begins = skipped + reader.line_num + 1
    except csv.Error as error:
        raise DataError(
            f"{path}, line {begins}: {error}. Look for a quotation mark that is not closed, or not doubled within "
            "quotes."
        ) from error


def _encoding_of(data: bytes) -> str:
    """Return how a table is written: by its byte order mark, else by where the zero bytes of its first letters lie."""
    for mark, encoding in _ENCODINGS:
        if data.startswith(mark):
            return encoding
    start = data[:_LOOKED_AT]
    even, odd = start[::2].count(0), start[1::2].count(0)
    if max(even, odd) * 4 > len(start):
        return "utf-16-be" if even > odd else "utf-16-le"
    return "utf-8-sig"


def _delimiter_of(header: str) -> str:
    """Return what separates most names in the first line."""
    outside = "".join(header.split('"')[::2])
    return max(_DELIMITERS, key=outside.count)


def _column(name: str) -> str:
    return "_".join(_printable(name).lower().replace("-", " ").split())


def _value(text: str) -> str:
    value = _printable(text)
    return "" if value.lower() in _MISSING else value


def _printable(text: str) -> str:
    # Control characters are never part of a name, and no page or terminal should have to deal with them.
    return "".join(letter if letter.isprintable() else " " * letter.isspace() for letter in text).strip()


def _notes(path: Path, empty: int, nameless: int) -> tuple[str, ...]:
    notes = []
    if empty:
        notes.append(f"{path.name}: {empty:,} empty {'row was' if empty == 1 else 'rows were'} left out.")
    if nameless:
        notes.append(f"{path.name}: what stands in columns without a name was left out ({nameless:,} rows).")
    return tuple(notes)


def _without_rows(path: Path) -> DataError:
    return DataError(f"{path} has no rows. It needs a line with the names of its columns and one row per photograph.")
