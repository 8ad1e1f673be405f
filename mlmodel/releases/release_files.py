"""Files of a release and their verification against the manifest."""

import hashlib
import json
import os
from pathlib import Path

WITH_THE_SOFTWARE = Path(__file__).resolve().parents[1] / "shipped"
# A custom release, written by ``build_release``, replaces the one that is shipped with the software.
SHIPPED = Path(os.environ.get("DERMASCAN_RELEASE_DIR") or WITH_THE_SOFTWARE)
MANIFEST = "manifest.json"


class ReleaseError(RuntimeError):
    """A file of the release is missing or was altered."""


def verified_file(role: str, folder: Path = SHIPPED) -> Path:
    """Return the path of one file of a release after verifying its hash.

    Raises:
        ReleaseError: it is not in the manifest, is missing or was altered.
    """
    try:
        entry = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["files"][role]
        path = folder / str(entry["file"])
        _verified(path, entry["sha256"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ReleaseError(
            f"The {role.replace('_', ' ')} cannot be read: {error!r}. {how_to_restore(folder)}."
        ) from error
    return path


def how_to_restore(folder: Path) -> str:
    """Return the instruction for restoring a missing or altered file of the release in ``folder``."""
    if folder == WITH_THE_SOFTWARE:
        return "Restore the files of mlmodel/shipped from the release (git checkout mlmodel/shipped)"
    fallback = "unset DERMASCAN_RELEASE_DIR to return to the network that is shipped with DermaScan"
    return f"Restore the files of {folder}, or {fallback}"


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _verified(path: Path, expected: str) -> str:
    actual = sha256_of(path)
    if actual != expected:
        raise ReleaseError(
            f"{path.name} was altered: its hash is {actual[:12]}…, but the manifest states {expected[:12]}…. "
            f"{how_to_restore(path.parent)}."
        )
    return actual
