"""Log lines that nobody outside can forge, and one line for what is expected."""

import logging
import re

from dermascan.core.database_errors import without_values

# Control characters, ANSI's escape among them; the line and paragraph separators of Unicode; marks that turn the
# direction of what follows; halves of surrogate pairs.
_UNPRINTABLE = re.compile(
    r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
# A query, to the end of the line: where it is broken nobody knows where it ends.
_QUERY = re.compile(r"\?.+")


def printable(text: str) -> str:
    """Return ``text`` with every character that could begin a line, or colour or turn one, written as ``\\x0a``."""
    return _UNPRINTABLE.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


class LineFormatter(logging.Formatter):
    """One record is one line. The lines of a traceback follow it, each set in, so that none reads as a record."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # the library's name
        return printable(_without_values(super().formatMessage(record), *_errors_of(record)))

    def formatException(self, ei: object) -> str:  # noqa: N802
        return _set_in(_without_values(super().formatException(ei), ei[1]))  # type: ignore[arg-type,index]

    def formatStack(self, stack_info: str) -> str:  # noqa: N802
        return _set_in(super().formatStack(stack_info))


class ServerLineFormatter(LineFormatter):
    """What the web server says of requests, without queries: a search for a patient is a name."""

    def format(self, record: logging.LogRecord) -> str:
        return _QUERY.sub("?…", super().format(record))


class ExpectedRefusal(logging.Filter):
    """Drop the traceback of a 4xx: who asks for what they may not see, or for nothing, is no fault of ours."""

    def filter(self, record: logging.LogRecord) -> bool:
        if 400 <= getattr(record, "status_code", 0) < 500:
            record.exc_info = record.exc_text = None
        return True


def _without_values(text: str, *errors: BaseException | None) -> str:
    """Drop what PostgreSQL quotes of a row or a statement, names among it."""
    for error in errors:
        text = without_values(text, error)
    return text


def _errors_of(record: logging.LogRecord) -> list[BaseException | None]:
    """The errors that the record's message may quote."""
    arguments = record.args if isinstance(record.args, tuple) else ()
    in_hand = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
    return [in_hand, *(each for each in arguments if isinstance(each, BaseException))]


def _set_in(text: str) -> str:
    return "\n".join(f"    {printable(line)}" for line in text.split("\n"))
