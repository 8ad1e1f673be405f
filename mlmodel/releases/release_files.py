"""The shipped network: which files make it up, and proof that they are the ones that were released."""

import hashlib
import json
import os
from pathlib import Path

WITH_THE_SOFTWARE = Path(__file__).resolve().parents[1] / "shipped"
# A release of one's own, as ``build_release`` writes it, takes the place of the one that comes with the software.
SHIPPED = Path(os.environ.get("DERMASCAN_RELEASE_DIR") or WITH_THE_SOFTWARE)
MANIFEST = "manifest.json"


class ReleaseError(RuntimeError):
    """A file of the network is missing or is not the one that was released."""


def verified_file(role: str, folder: Path = SHIPPED) -> Path:
    """Return the path of one file of a release, once its hash is what the manifest states.

    Raises:
        ReleaseError: the manifest does not name it, or it is missing or was altered.
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
    """What to do where a file of the release in ``folder`` is missing or altered, in words."""
    if folder == WITH_THE_SOFTWARE:
        return "Restore the files of mlmodel/shipped from the release (git checkout mlmodel/shipped)"
    way_back = "unset DERMASCAN_RELEASE_DIR to go back to the network that came with DermaScan"
    return f"Restore the files of {folder}, or {way_back}"


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _verified(path: Path, expected: str) -> str:
    found = sha256_of(path)
    if found != expected:
        raise ReleaseError(
            f"{path.name} was altered: its hash is {found[:12]}…, the manifest says {expected[:12]}…. "
            f"{how_to_restore(path.parent)}."
        )
    return found
