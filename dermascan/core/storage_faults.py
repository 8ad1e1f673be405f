"""A disk that is full or may not be written: what was wrong, and what people are told of it."""

import errno
import sqlite3

from django.utils.translation import gettext_lazy as _

from dermascan.core.database_errors import sqlstate_of, with_causes

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT}
_NOT_WRITABLE = {errno.EROFS, errno.EIO}
# Of SQLite (a file of the same disk), by primary result code; of PostgreSQL, by SQLSTATE.
_SQLITE_NO_ROOM, _SQLITE_NOT_WRITABLE = {sqlite3.SQLITE_FULL}, {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR}
_POSTGRESQL_NO_ROOM, _POSTGRESQL_NOT_WRITABLE = {"53100"}, {"25006", "58030"}


class CannotBeKept(Exception):
    """Files cannot be written now. Nothing of what was to be kept is kept."""

    code = "storage-unavailable"
    status = 503
    message = _(
        "Files cannot be written now, so nothing was kept. Tell whoever runs this installation, then send it again."
    )


class NoRoomLeft(CannotBeKept):
    """The disk is full."""

    code = "storage-full"
    status = 507
    message = _(
        "There is no room left to keep anything, so nothing was kept. Tell whoever runs this installation, then send "
        "it again."
    )


def cannot_write(error: BaseException) -> CannotBeKept:
    """Return what to raise where a file could not be written because of ``error``."""
    return storage_fault(error) or CannotBeKept()


def storage_fault(error: BaseException | None) -> CannotBeKept | None:
    """Return what ``error``, or a cause of it, says of the disk; None if it is about something else."""
    for each in with_causes(error):
        if isinstance(each, CannotBeKept):
            return each
        codes = (each.errno if isinstance(each, OSError) else None, _sqlite_code(each), sqlstate_of(each))
        if any(code in known for code, known in zip(codes, _ALL_NO_ROOM, strict=True)):
            return NoRoomLeft()
        if any(code in known for code, known in zip(codes, _ALL_NOT_WRITABLE, strict=True)):
            return CannotBeKept()
    return None


_ALL_NO_ROOM: tuple[set[int] | set[str], ...] = (_NO_ROOM, _SQLITE_NO_ROOM, _POSTGRESQL_NO_ROOM)
_ALL_NOT_WRITABLE: tuple[set[int] | set[str], ...] = (_NOT_WRITABLE, _SQLITE_NOT_WRITABLE, _POSTGRESQL_NOT_WRITABLE)


def _sqlite_code(error: BaseException) -> int | None:
    # Extended codes hold the primary one in their last byte.
    code = getattr(error, "sqlite_errorcode", None) if isinstance(error, sqlite3.Error) else None
    return code & 0xFF if code is not None else None
