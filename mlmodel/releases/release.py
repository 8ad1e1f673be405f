"""The shipped network: which files make it up, and proof that they are the ones that were released."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlmodel.releases.release_files import MANIFEST, SHIPPED, ReleaseError, _verified, how_to_restore, sha256_of

_ANSWERING = ("backbone", "head", "card")


@dataclass(frozen=True)
class Release:
    """A verified release: its files, their hashes, and the figures that travel with them.

    Attributes:
        head: the file, or what is in it: heads that were trained here are kept in the database.
    """

    backbone: Path
    backbone_sha256: str
    head: Path | bytes
    head_sha256: str
    card: str
    settings: dict[str, Any]
    # What ordinary photographs look like to the backbone; a release may come without it.
    reference: Path | None = None

    @property
    def sha256(self) -> str:
        """One hash for the whole: over the hashes of its parts and the settings."""
        settings = json.dumps(self.settings, sort_keys=True)
        parts = f"{self.backbone_sha256}{self.head_sha256}"
        return hashlib.sha256(f"{parts}{settings}".encode()).hexdigest()

    @property
    def version(self) -> str:
        """The name that people see: the architecture and the start of the hash."""
        return f"{self.settings['architecture']}-{self.sha256[:8]}"

    @property
    def head_file(self) -> bytes:
        """What is in the head's file."""
        return self.head if isinstance(self.head, bytes) else self.head.read_bytes()


def load_release(folder: Path = SHIPPED) -> Release:
    """Read the manifest in ``folder`` and verify every file that answers against it.

    Raises:
        ReleaseError: the manifest or a file is missing, unreadable, or has another hash than the manifest states.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        files = manifest["files"]
        settings = manifest["settings"]
        # What else the manifest names is verified by whoever reads it: the site answers without it.
        hashes = {role: _verified(folder / files[role]["file"], files[role]["sha256"]) for role in _ANSWERING}
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
    """Return the release that a head makes which is not a file: a candidate, or a version from the database.

    Args:
        backbone: the file that makes the features the head was trained on.
        backbone_sha256: its hash, verified by whoever loaded it.
        head: what is in the head's file.
        settings: as a manifest holds them.
        card: Markdown.
        reference: what drift is measured against, as it came with the backbone.
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
    """Write the manifest over the three named files of ``folder``, with their present hashes."""
    names = {"backbone": backbone, "head": head, "card": card}
    files = {role: {"file": name, "sha256": sha256_of(folder / name)} for role, name in names.items()}
    text = json.dumps({"files": files, "settings": settings}, indent=2, sort_keys=True)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")


def add_to_manifest(folder: Path, role: str, name: str) -> None:
    """Name one more file of ``folder`` in its manifest, with its present hash. The release's own hash stays."""
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    manifest["files"][role] = {"file": name, "sha256": sha256_of(folder / name)}
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n", encoding="utf-8")
