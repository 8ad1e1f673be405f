"""Storage errors: a full or read-only disk, recognised from its error, with a message for people."""

import errno
import sqlite3

from django.utils.translation import gettext_lazy as _

from dermascan.core.database_errors import sqlstate_of, with_causes

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT}
_NOT_WRITABLE = {errno.EROFS, errno.EIO}
# SQLite's primary result codes, and PostgreSQL's SQLSTATEs.
_SQLITE_NO_ROOM, _SQLITE_NOT_WRITABLE = {sqlite3.SQLITE_FULL}, {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR}
_POSTGRESQL_NO_ROOM, _POSTGRESQL_NOT_WRITABLE = {"53100"}, {"25006", "58030"}


class CannotBeKept(Exception):
    """Files cannot be written now; nothing was stored."""

    code = "storage-unavailable"
    status = 503
    message = _(
        "Files cannot be saved now, so nothing was saved. Tell the people who run this installation, then try again."
    )


class NoRoomLeft(CannotBeKept):
    """The disk is full."""

    code = "storage-full"
    status = 507
    message = _("Storage is full, so nothing was saved. Tell the people who run this installation, then try again.")


def cannot_write(error: BaseException) -> CannotBeKept:
    """Return the exception to raise for a file that could not be written because of ``error``."""
    return storage_fault(error) or CannotBeKept()


def storage_fault(error: BaseException | None) -> CannotBeKept | None:
    """Return the storage fault behind ``error`` or one of its causes, or None."""
    for each in with_causes(error):
        if isinstance(each, CannotBeKept):
            return each
        codes = (each.errno if isinstance(each, OSError) else None, _sqlite_code(each), sqlstate_of(each))
        if any(code in expected for code, expected in zip(codes, _ALL_NO_ROOM, strict=True)):
            return NoRoomLeft()
        if any(code in expected for code, expected in zip(codes, _ALL_NOT_WRITABLE, strict=True)):
            return CannotBeKept()
    return None


_ALL_NO_ROOM: tuple[set[int] | set[str], ...] = (_NO_ROOM, _SQLITE_NO_ROOM, _POSTGRESQL_NO_ROOM)
_ALL_NOT_WRITABLE: tuple[set[int] | set[str], ...] = (_NOT_WRITABLE, _SQLITE_NOT_WRITABLE, _POSTGRESQL_NOT_WRITABLE)


def _sqlite_code(error: BaseException) -> int | None:
    # The last byte of an extended code is the primary code.
    code = getattr(error, "sqlite_errorcode", None) if isinstance(error, sqlite3.Error) else None
    return code & 0xFF if code is not None else None
