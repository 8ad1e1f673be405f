"""Files as the shared cache of one machine, none of which outlasts its time where the clock is set back."""

import os
import time
from pathlib import Path
from typing import IO, Any

from django.core.cache.backends.filebased import FileBasedCache

# More than a file system rounds by. Whatever writes here is of this machine, and has its clock.
ROUNDING_SECONDS = 10.0


class FileCache(FileBasedCache):
    """Django's; what was written before the clock was set back is over."""

    def _is_expired(self, file: IO[bytes]) -> bool:
        if os.fstat(file.fileno()).st_mtime > time.time() + ROUNDING_SECONDS:
            file.close()
            Path(file.name).unlink(missing_ok=True)
            return True
        expired: Any = super()._is_expired(file)  # type: ignore[misc]
        return bool(expired)
