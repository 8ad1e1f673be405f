"""Send sealed entries elsewhere as JSON lines, to a file or to syslog: what left cannot be rewritten here."""

import fcntl
import json
import logging
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from logging.handlers import SysLogHandler
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings

from patients.audit.chain import content_of
from patients.models import AuditChain, AuditEntry

_AT_ONCE = 500
_SYSLOG = {"syslog": socket.SOCK_DGRAM, "syslog+tcp": socket.SOCK_STREAM}

Send = Callable[[Sequence[str]], None]


def ship_entries() -> int:
    """Send every chain's entries that were not sent yet, in order, and return their number.

    An entry may be sent twice after a crash, and is never left out. Raises ``OSError`` if the target does not take
    them; they are sent by the next call.
    """
    if not settings.AUDIT_SHIP_TO:
        return 0
    with Path(f"{settings.AUDIT_SPOOL}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return 0  # another worker is sending
        with _sender(settings.AUDIT_SHIP_TO) as send:
            return sum(_ship(chain, send) for chain in AuditChain.objects.all())


def line_of(entry: AuditEntry, clinic: str | None) -> str:
    """Return an entry as a JSON line, with its place in the chain."""
    place = {"clinic": clinic, "sequence": entry.sequence, "previous": entry.previous_hash, "hash": entry.entry_hash}
    return json.dumps({**place, **content_of(entry)})


def _ship(chain: AuditChain, send: Send) -> int:
    count, clinic = 0, str(chain.clinic_id) if chain.clinic_id else None
    while entries := list(chain.entries.filter(sequence__gt=chain.shipped).order_by("sequence")[:_AT_ONCE]):
        send([line_of(entry, clinic) for entry in entries])
        chain.shipped = entries[-1].sequence or chain.shipped
        # Not save(): meanwhile others move the head.
        AuditChain.objects.filter(pk=chain.pk).update(shipped=chain.shipped)
        count += len(entries)
    return count


@contextmanager
def _sender(target: str) -> Iterator[Send]:
    """Yield what sends lines to a file, or to ``syslog://HOST:PORT``, ``syslog+tcp://HOST:PORT``, ``syslog:///SOCKET``."""
    parts = urlsplit(target)
    if parts.scheme in _SYSLOG:
        with closing(_Syslog(parts.hostname, parts.port, parts.path, _SYSLOG[parts.scheme])) as syslog:
            yield syslog.send
    else:
        yield lambda lines: _append(Path(target), lines)


def _append(path: Path, lines: Sequence[str]) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write("".join(f"{line}\n" for line in lines))
        file.flush()
        os.fsync(file.fileno())


class _Syslog(SysLogHandler):
    """One connection. It raises what goes wrong, where its base class would print it."""

    ident = "dermascan-audit: "

    def __init__(self, host: str | None, port: int | None, path: str, kind: socket.SocketKind) -> None:
        super().__init__((host, port or 514) if host else path or "/dev/log", SysLogHandler.LOG_AUTH, kind)
        # Over TCP messages are told apart by line breaks.
        self._end = "\n" if host and kind == socket.SOCK_STREAM else ""
        self.append_nul = not self._end

    def send(self, lines: Sequence[str]) -> None:
        for line in lines:
            self.emit(logging.makeLogRecord({"msg": line + self._end, "levelno": logging.INFO, "levelname": "INFO"}))

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  # the library's name
        raise
