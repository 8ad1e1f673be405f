"""A file-based cache shared by the processes of one machine, whose entries expire even if the clock is set back."""

import os
import time
from pathlib import Path
from typing import IO, Any

from django.core.cache.backends.filebased import FileBasedCache

# More than a file system rounds by. All writers are on this machine and share its clock.
ROUNDING_SECONDS = 10.0


class FileCache(FileBasedCache):
    """Django's file-based cache; entries dated in the future count as expired."""

    def _is_expired(self, file: IO[bytes]) -> bool:
        if os.fstat(file.fileno()).st_mtime > time.time() + ROUNDING_SECONDS:
            file.close()
            Path(file.name).unlink(missing_ok=True)
            return True
        expired: Any = super()._is_expired(file)  # type: ignore[misc]
        return bool(expired)
