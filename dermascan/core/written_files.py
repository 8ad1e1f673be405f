"""Files that belong to rows: written before the rows are committed, and deleted again on rollback."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from django.core.files.base import ContentFile
from django.core.files.storage import Storage
from django.db.models.fields.files import FieldFile

from dermascan.core.storage_faults import cannot_write

logger = logging.getLogger(__name__)


class WrittenFiles:
    """Tracks the files it has written, so that they can be deleted again."""

    def __init__(self) -> None:
        self._written: list[tuple[Storage, str]] = []

    def write(self, field_file: FieldFile, content: bytes) -> None:
        """Write ``content`` to the field's file without saving the row. Raises ``CannotBeKept``."""
        # Recorded before writing, so that a partly written file is deleted too. Names contain a random key.
        self._written.append((field_file.storage, field_file.field.generate_filename(field_file.instance, "")))
        try:
            field_file.save("", ContentFile(content), save=False)
        except Exception as error:  # depends on the storage backend
            raise cannot_write(error) from error

    def undo(self) -> None:
        for storage, name in self._written:
            try:
                storage.delete(name)
            except Exception:
                # The original error is raised. A file that is left over is deleted as an orphan.
                logger.exception("%s could not be deleted.", name)


@contextmanager
def kept_only_on_success() -> Iterator[WrittenFiles]:
    """Delete every file written inside the block if the block or its transaction fails."""
    files = WrittenFiles()
    try:
        yield files
    except BaseException:
        files.undo()
        raise
