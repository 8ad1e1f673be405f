"""Picture files on disk: finding, naming and reading them."""

import os
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from mlmodel.pictures.formats import sniff
from mlmodel.pictures.picture import Picture, decode
from mlmodel.pictures.picture_errors import MAX_BYTES, PictureError

# File extensions that identifiers in tables may have; the format of a file is recognised by its content.
PICTURE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".jif", ".png", ".webp", ".tif", ".tiff", ".heic", ".heif", ".hif", ".bmp",
     ".dib", ".gif"}
)  # fmt: skip
_SNIFFED = 4096
# AppleDouble: metadata that a Mac writes next to a photograph on disks of other systems.
_APPLE_DOUBLE = b"\x00\x05\x16\x07"
_FOLDER_NOTES = frozenset({".ds_store", "thumbs.db", "desktop.ini"})


@dataclass
class Found:
    """The files in a folder.

    Attributes:
        pictures: files with the signature or the file extension of a picture, sorted.
        skipped: other files and unreadable folders, sorted.
    """

    pictures: list[Path] = field(default_factory=list)
    skipped: list[Path] = field(default_factory=list)


def find_pictures(path: Path) -> Found:
    """Return the pictures and skipped files below a folder, or a single file as a picture.

    Damaged pictures are included, so that reading them gives the reason.

    Raises:
        FileNotFoundError: ``path`` is neither a file nor a folder.
    """
    if not path.is_dir():
        if not path.is_file():
            raise FileNotFoundError(path)
        return Found([path])
    files = Found()
    unreadable: list[Path] = []
    for folder, folders, names in os.walk(path, onerror=lambda error: unreadable.append(Path(error.filename))):
        folders.sort()
        for name in names:
            file = Path(folder, name)
            if name.lower() not in _FOLDER_NOTES:
                (files.pictures if _is_picture(file) else files.skipped).append(file)
    files.pictures.sort()
    files.skipped = sorted([*files.skipped, *unreadable])
    return files


def read_picture(path: Path) -> Picture:
    """Return the picture in a file, decoded like an upload.

    Raises:
        PictureError: it is not a readable picture.
        OSError: the file does not exist or must not be read.
    """
    return decode(read_bytes(path))


def read_bytes(path: Path) -> bytes:
    """Return the content of a file, up to one byte more than the maximum size of a picture."""
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)


def why_unreadable(error: PictureError | OSError) -> str:
    """Return the reason, for command output, why ``read_picture`` could not read a file."""
    return error.line if isinstance(error, PictureError) else error.strerror or str(error)


def readable_name(path: Path | str) -> str:
    """Return a file's name or path as text that can be written anywhere.

    Bytes that are not UTF-8, and control characters, which could affect a terminal, are written as ``\\xe9``.
    """
    text = os.fsencode(path).decode("utf-8", "backslashreplace")
    return "".join(f"\\x{ord(each):02x}" if unicodedata.category(each) == "Cc" else each for each in text)


def names_without_ending(paths: Sequence[Path]) -> list[str]:
    """Return a unique name for each file.

    It is the file name without extension; if several files share it, the folder is added, and then the extension.
    """
    names = [readable_name(path.stem) for path in paths]
    for longer in (_with_folder, _with_folder_and_ending, _whole):
        counts = Counter(names)
        names = [longer(path) if counts[name] > 1 else name for path, name in zip(paths, names, strict=True)]
    return names


def stem_of(identifier: str) -> str:
    """Return the identifier of a photograph in a table, without folders and without a picture's file extension."""
    name = PurePosixPath(identifier.replace("\\", "/")).name
    stem, dot, ending = name.rpartition(".")
    return stem if dot and f".{ending.lower()}" in PICTURE_SUFFIXES else name


def _is_picture(file: Path) -> bool:
    try:
        if not file.is_file():
            return False
        with file.open("rb") as opened:
            start = opened.read(_SNIFFED)
    except OSError:
        # Unreadable files named like pictures are included, so that reading them gives the reason.
        return file.suffix.lower() in PICTURE_SUFFIXES
    if start.startswith(_APPLE_DOUBLE):
        return False
    return sniff(start) is not None or file.suffix.lower() in PICTURE_SUFFIXES


def _with_folder(path: Path) -> str:
    return readable_name(Path(path.parent.name, path.stem))


def _with_folder_and_ending(path: Path) -> str:
    return readable_name(Path(path.parent.name, path.name))


def _whole(path: Path) -> str:
    return readable_name(path)
