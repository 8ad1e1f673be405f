"""Where a command writes to is tried before it works for hours."""

from pathlib import Path
from tempfile import TemporaryFile

from django.core.management.base import CommandError


def prepare_file(path: Path) -> None:
    """Make the folder that a file is written to. Raises ``CommandError`` if the file cannot be written there."""
    if path.is_dir():
        raise CommandError(f"{path} is a folder. Give the name of a file.")
    prepare_folder(path.parent)


def prepare_folder(path: Path) -> None:
    """Make a folder with those above it. Raises ``CommandError`` if nothing can be written to it."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise CommandError(f"Nothing can be written to {path}: {error.strerror}. Give another folder.") from error
