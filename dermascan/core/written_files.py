"""Files that belong to rows: written before the rows are committed, gone again if they are not, and read back."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from django.core.files.base import ContentFile
from django.core.files.storage import Storage
from django.db.models.fields.files import FieldFile

from dermascan.core.storage_faults import cannot_write

logger = logging.getLogger(__name__)


class WrittenFiles:
    """Remembers what it has written, so that it can be undone."""

    def __init__(self) -> None:
        self._written: list[tuple[Storage, str]] = []

    def write(self, field_file: FieldFile, content: bytes) -> None:
        """Write ``content`` where the field says, without saving the row. Raises ``CannotBeKept``."""
        # Noted before the first byte is written, so that half a file is undone too. Names hold a random key.
        self._written.append((field_file.storage, field_file.field.generate_filename(field_file.instance, "")))
        try:
            field_file.save("", ContentFile(content), save=False)
        except Exception as error:  # whatever the storage in use raises: a disk's errors, an object storage's
            raise cannot_write(error) from error

    def undo(self) -> None:
        for storage, name in self._written:
            try:
                storage.delete(name)
            except Exception:
                # The first error is the one to be told of. What is left is deleted as an orphan.
                logger.exception("%s could not be deleted again.", name)


@contextmanager
def kept_only_on_success() -> Iterator[WrittenFiles]:
    """Delete every file that was written inside the block if the block, its transaction included, fails."""
    files = WrittenFiles()
    try:
        yield files
    except BaseException:
        files.undo()
        raise
