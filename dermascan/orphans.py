"""Delete orphan files: files written by a process that was killed before it committed the row that refers to them.

A file is deleted only if its name is one of ours, it is older than a day and no row refers to it. If too many files
qualify, none is deleted: the database is then probably not the one that belongs to these files.
"""

import logging
import re
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.core.files.storage import FileSystemStorage, Storage
from django.db.models import FileField
from django.utils import timezone

from dermascan.file_queue import BROKEN, TAKEN

logger = logging.getLogger(__name__)

YOUNGEST = timedelta(days=1)
Moments = tuple[datetime, datetime]
# More orphans than this, and more than this share of all files, point to a wrong database.
FEW, SHARE = 20, 0.05
# As the models name files: folder, first two digits of the row's key, key.
OUR_NAMES = re.compile(r"(images|reports|addenda|outcomes)/[0-9a-f]{2}/[0-9a-f]{32}[^/]*")
AT_ONCE = 400


class TooManyOrphans(Exception):
    """Too many files have no row: the rows are probably missing, not the files left over."""

    def __init__(self, *, orphans: int, files: int) -> None:
        super().__init__(
            f"{orphans} of {files} files have no row in the database, which is more than killed processes leave. "
            "Nothing was deleted. Is this the right database for these files, and is it complete?"
        )


@dataclass
class Swept:
    """The names of files that were, or would be, deleted."""

    files_in_all: int = 0
    stored: list[str] = field(default_factory=list)
    queue: list[str] = field(default_factory=list)
    temporary: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{len(self.stored)} of {self.files_in_all} stored files without a row, "
            f"{len(self.queue)} leftover files in the queue, {len(self.temporary)} temporary files"
        )


def delete_orphans(*, only_look: bool = False, even_many: bool = False, now: datetime | None = None) -> Swept:
    """Delete orphans that are older than a day, and return their names.

    Raises:
        TooManyOrphans: if there are too many, unless ``even_many``.
    """
    now = now or timezone.now()
    # A file dated in the future was written before the clock was set back and counts as old.
    young = (now - YOUNGEST, now + YOUNGEST)
    swept = Swept()
    orphans: list[tuple[Storage, str]] = []
    for storage, fields in _fields_by_storage().items():
        for folder in _folders_of(storage):
            names = list(_names_in(storage, folder))
            swept.files_in_all += len(names)
            orphans += [(storage, name) for name in _unreferenced(names, fields) if _is_old(storage, name, young)]
    if len(orphans) > max(FEW, SHARE * swept.files_in_all) and not even_many:
        raise TooManyOrphans(orphans=len(orphans), files=swept.files_in_all)
    swept.stored = [name for _storage, name in orphans]
    swept.queue = [str(path) for path in _old(_leftover_queue_files(), young)]
    swept.temporary = [str(path) for path in _old(_temporary_files(), young)]
    if not only_look:
        for storage, name in orphans:
            storage.delete(name)
        for path in (*swept.queue, *swept.temporary):
            Path(path).unlink(missing_ok=True)
    logger.info("Orphans %s: %s.", "found" if only_look else "deleted", swept)
    return swept


def file_fields() -> list[FileField]:
    """Return all file fields of all models."""
    return [
        each
        for model in apps.get_models(include_auto_created=True)
        for each in model._meta.local_fields
        if isinstance(each, FileField)
    ]


def _fields_by_storage() -> dict[Storage, list[FileField]]:
    by_storage: dict[Storage, list[FileField]] = defaultdict(list)
    for each in file_fields():
        by_storage[each.storage].append(each)
    return by_storage


def _folders_of(storage: Storage) -> Iterator[str]:
    for kind in ("images", "reports", "addenda", "outcomes"):
        try:
            folders, _files = storage.listdir(kind)
        except FileNotFoundError:
            continue
        yield from (f"{kind}/{folder}" for folder in sorted(folders))


def _names_in(storage: Storage, folder: str) -> Iterator[str]:
    _folders, files = storage.listdir(folder)
    return (name for name in (f"{folder}/{file}" for file in sorted(files)) if OUR_NAMES.fullmatch(name))


def _unreferenced(names: list[str], fields: Iterable[FileField]) -> list[str]:
    missing = set(names)
    for start in range(0, len(names), AT_ONCE):
        some = names[start : start + AT_ONCE]
        for each in fields:
            rows = each.model._base_manager.filter(**{f"{each.name}__in": some})
            missing.difference_update(rows.values_list(each.name, flat=True))
    return sorted(missing)


def _is_old(storage: Storage, name: str, young: Moments) -> bool:
    try:
        return not young[0] <= storage.get_modified_time(name) <= young[1]
    except FileNotFoundError:
        return False


def _leftover_queue_files() -> Iterator[Path]:
    """Yield messages that a killed worker had claimed, that are broken, or that were being written."""
    options = getattr(settings, "CELERY_BROKER_TRANSPORT_OPTIONS", {})
    for folder in {options.get("data_folder_in"), options.get("data_folder_out"), options.get("control_folder")}:
        for path in Path(folder).iterdir() if folder and Path(folder).is_dir() else ():
            if path.name.endswith((TAKEN, BROKEN)) or path.name.startswith("."):
                yield path


def _temporary_files() -> Iterator[Path]:
    """Yield the test files of the status check, and temporary files of uploads."""
    roots = {each.storage.location for each in file_fields() if isinstance(each.storage, FileSystemStorage)}
    for root in roots:
        yield from Path(root).glob(".status-*")
    yield from Path(settings.FILE_UPLOAD_TEMP_DIR or tempfile.gettempdir()).glob("tmp????????.upload*")


def _old(paths: Iterable[Path], young: Moments) -> list[Path]:
    return sorted(path for path in paths if _is_old_file(path, young))


def _is_old_file(path: Path, young: Moments) -> bool:
    try:
        state = path.lstat()
    except FileNotFoundError:
        return False
    # Claiming an old message renames it, which changes ctime but not mtime.
    changed = datetime.fromtimestamp(max(state.st_mtime, state.st_ctime), tz=UTC)
    return path.is_file() and not young[0] <= changed <= young[1]
