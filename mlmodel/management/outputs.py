"""Checks that an output can be written, before a long command starts."""

from pathlib import Path
from tempfile import TemporaryFile

from django.core.management.base import CommandError


def prepare_file(path: Path) -> None:
    """Create the folder of an output file. Raises ``CommandError`` if the file cannot be written there."""
    if path.is_dir():
        raise CommandError(f"{path} is a folder. Give a file name.")
    prepare_folder(path.parent)


def prepare_folder(path: Path) -> None:
    """Create a folder with its parents. Raises ``CommandError`` if it is not writable."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise CommandError(f"{path} is not writable: {error.strerror}. Give another folder.") from error
