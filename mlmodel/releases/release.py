"""Releases of the network: loading and verification against the manifest."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlmodel.releases.release_files import MANIFEST, SHIPPED, ReleaseError, _verified, how_to_restore, sha256_of

_REQUIRED_ROLES = ("backbone", "head", "card")


@dataclass(frozen=True)
class Release:
    """A verified release: files, hashes and settings.

    Attributes:
        head: the file, or its content for heads that are stored in the database after retraining.
    """

    backbone: Path
    backbone_sha256: str
    head: Path | bytes
    head_sha256: str
    card: str
    settings: dict[str, Any]
    # The drift reference of typical photographs, which is optional.
    reference: Path | None = None

    @property
    def sha256(self) -> str:
        """The hash of the release: of its parts' hashes and the settings."""
        settings = json.dumps(self.settings, sort_keys=True)
        parts = f"{self.backbone_sha256}{self.head_sha256}"
        return hashlib.sha256(f"{parts}{settings}".encode()).hexdigest()

    @property
    def version(self) -> str:
        """The displayed name: the architecture and the first characters of the hash."""
        return f"{self.settings['architecture']}-{self.sha256[:8]}"

    @property
    def head_file(self) -> bytes:
        """The content of the head's file."""
        return self.head if isinstance(self.head, bytes) else self.head.read_bytes()


def load_release(folder: Path = SHIPPED) -> Release:
    """Return the release in ``folder``, with all files needed for analyses verified.

    Raises:
        ReleaseError: the manifest or a file is missing or unreadable, or a hash differs from the manifest.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        files = manifest["files"]
        settings = manifest["settings"]
        # Other files in the manifest are optional and are verified when they are read.
        hashes = {role: _verified(folder / files[role]["file"], files[role]["sha256"]) for role in _REQUIRED_ROLES}
        return Release(
            backbone=folder / files["backbone"]["file"],
            backbone_sha256=hashes["backbone"],
            head=folder / files["head"]["file"],
            head_sha256=hashes["head"],
            card=(folder / files["card"]["file"]).read_text(encoding="utf-8"),
            settings=settings,
            reference=folder / files["reference"]["file"] if "reference" in files else None,
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ReleaseError(
            f"The network cannot be loaded: {error!r}. {how_to_restore(folder)}, or rebuild them with "
            "`manage.py build_release`."
        ) from error


def release_from(
    *,
    backbone: Path,
    backbone_sha256: str,
    head: bytes,
    settings: dict[str, Any],
    card: str,
    reference: Path | None = None,
) -> Release:
    """Return a release with a head from memory: a candidate, or a version from the database.

    Args:
        backbone: the backbone on whose features the head was trained.
        backbone_sha256: its hash, which the caller has verified.
        head: the content of the head's file.
        settings: as in a manifest.
        card: Markdown.
        reference: the drift reference of the backbone.
    """
    return Release(
        backbone=backbone,
        backbone_sha256=backbone_sha256,
        head=head,
        head_sha256=hashlib.sha256(head).hexdigest(),
        card=card,
        settings=settings,
        reference=reference,
    )


def write_manifest(folder: Path, *, backbone: str, head: str, card: str, settings: dict[str, Any]) -> None:
    """Write the manifest for the three named files in ``folder``, with their current hashes."""
    names = {"backbone": backbone, "head": head, "card": card}
    files = {role: {"file": name, "sha256": sha256_of(folder / name)} for role, name in names.items()}
    text = json.dumps({"files": files, "settings": settings}, indent=2, sort_keys=True)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")


def add_to_manifest(folder: Path, role: str, name: str) -> None:
    """Add a file in ``folder`` to its manifest, with its current hash. The release's own hash does not change."""
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    manifest["files"][role] = {"file": name, "sha256": sha256_of(folder / name)}
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n", encoding="utf-8")
