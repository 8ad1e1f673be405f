"""Picture files on the disk: which files of a folder are pictures, what to call them, and how they are read."""

import os
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from mlmodel.pictures.formats import sniff
from mlmodel.pictures.picture import Picture, decode
from mlmodel.pictures.picture_errors import MAX_BYTES, PictureError

# Endings that identifiers in tables may carry; what a file is, its bytes decide.
PICTURE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".jif", ".png", ".webp", ".tif", ".tiff", ".heic", ".heif", ".hif", ".bmp",
     ".dib", ".gif"}
)  # fmt: skip
_SNIFFED = 4096
# AppleDouble: what a Mac writes beside a photograph on a disk of another system.
_APPLE_DOUBLE = b"\x00\x05\x16\x07"
_FOLDER_NOTES = frozenset({".ds_store", "thumbs.db", "desktop.ini"})


@dataclass
class Found:
    """What a folder holds.

    Attributes:
        pictures: files to be read as pictures, sorted: their bytes begin like one, or their name ends like one.
        skipped: other files, sorted, and folders that may not be read.
    """

    pictures: list[Path] = field(default_factory=list)
    skipped: list[Path] = field(default_factory=list)


def find_pictures(path: Path) -> Found:
    """Return the pictures below a folder and the files passed over; a file stands for itself.

    A damaged picture is among the pictures, so that its reader says what is wrong with it.

    Raises:
        FileNotFoundError: there is nothing at ``path``, or neither a file nor a folder, as a pipe or a device.
    """
    if not path.is_dir():
        if not path.is_file():
            raise FileNotFoundError(path)
        return Found([path])
    found = Found()
    unreadable: list[Path] = []
    for folder, folders, names in os.walk(path, onerror=lambda error: unreadable.append(Path(error.filename))):
        folders.sort()
        for name in names:
            file = Path(folder, name)
            if name.lower() not in _FOLDER_NOTES:
                (found.pictures if _is_picture(file) else found.skipped).append(file)
    found.pictures.sort()
    found.skipped = sorted([*found.skipped, *unreadable])
    return found


def read_picture(path: Path) -> Picture:
    """Return the picture in a file, read as an upload is.

    Raises:
        PictureError: it is not a picture that can be read.
        OSError: there is no such file, or it may not be read.
    """
    return decode(read_bytes(path))


def read_bytes(path: Path) -> bytes:
    """Return what is in a file, but no more than shows that it is too large for a picture."""
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)


def why_unreadable(error: PictureError | OSError) -> str:
    """Return what a command says of a file that ``read_picture`` could not read."""
    return error.line if isinstance(error, PictureError) else error.strerror or str(error)


def readable_name(path: Path | str) -> str:
    """Return a file's name or path as text that can be written anywhere.

    Bytes that are not UTF-8 and control characters, which a terminal would obey, are written as ``\\xe9``.
    """
    text = os.fsencode(path).decode("utf-8", "backslashreplace")
    return "".join(f"\\x{ord(each):02x}" if unicodedata.category(each) == "Cc" else each for each in text)


def names_without_ending(paths: Sequence[Path]) -> list[str]:
    """Return a name for each file, none of them twice.

    A file is called by its name without ending; where several share that, by its folder too, and by its ending where
    even that is shared.
    """
    names = [readable_name(path.stem) for path in paths]
    for longer in (_with_folder, _with_folder_and_ending, _whole):
        counts = Counter(names)
        names = [longer(path) if counts[name] > 1 else name for path, name in zip(paths, names, strict=True)]
    return names


def stem_of(identifier: str) -> str:
    """Return what a table calls a photograph, without folders and without an ending that pictures have."""
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
        # Named as a picture, it is one that cannot be read: its reader says why.
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
