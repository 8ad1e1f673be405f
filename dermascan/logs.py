"""Log formatters that prevent forged lines and leaked patient data."""

import logging
import re

from dermascan.core.database_errors import without_values

# Control characters, including ANSI escapes; Unicode line and paragraph separators; bidirectional marks; surrogates.
_UNPRINTABLE = re.compile(
    r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
# A query string, to the end of the line: the end of a malformed one cannot be found.
_QUERY = re.compile(r"\?.+")


def printable(text: str) -> str:
    """Return ``text`` with line breaks, escapes and bidirectional marks written as ``\\x0a``."""
    return _UNPRINTABLE.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


class LineFormatter(logging.Formatter):
    """Formats a record as one line. The lines of a traceback are indented, so that none looks like a record."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # the library's name
        return printable(_without_values(super().formatMessage(record), *_errors_of(record)))

    def formatException(self, ei: object) -> str:  # noqa: N802
        return _indented(_without_values(super().formatException(ei), ei[1]))  # type: ignore[arg-type,index]

    def formatStack(self, stack_info: str) -> str:  # noqa: N802
        return _indented(super().formatStack(stack_info))


class ServerLineFormatter(LineFormatter):
    """The web server's formatter, which drops query strings: a patient search contains a name."""

    def format(self, record: logging.LogRecord) -> str:
        return _QUERY.sub("?…", super().format(record))


class ExpectedRefusal(logging.Filter):
    """Drops the traceback of a 4xx response, which is not an error of the site."""

    def filter(self, record: logging.LogRecord) -> bool:
        if 400 <= getattr(record, "status_code", 0) < 500:
            record.exc_info = record.exc_text = None
        return True


def _without_values(text: str, *errors: BaseException | None) -> str:
    """Drop the row values and statements that PostgreSQL quotes."""
    for error in errors:
        text = without_values(text, error)
    return text


def _errors_of(record: logging.LogRecord) -> list[BaseException | None]:
    """Return the errors that the record's message may quote."""
    arguments = record.args if isinstance(record.args, tuple) else ()
    current = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
    return [current, *(each for each in arguments if isinstance(each, BaseException))]


def _indented(text: str) -> str:
    return "\n".join(f"    {printable(line)}" for line in text.split("\n"))
