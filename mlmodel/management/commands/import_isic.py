from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from mlmodel.datasets.tables import DataError


class Command(BaseCommand):
    help = (
        "Import photographs of the ISIC archive or its challenges (2016–2020, BCN20000) for training, in addition to "
        "HAM10000: check every photograph, assign labels, sources and folds, and write a manifest with the hash of "
        "every file. The photographs are not moved. Importing again changes nothing unless the files changed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, metavar="DIR", help="Photographs and tables, as published.")
        parser.add_argument("--source", default="", metavar="NAME", help="The name of the collection.")
        parser.add_argument("--licence", default="", metavar="TEXT", help="The licence, where no table states it.")
        parser.add_argument(
            "--table",
            type=Path,
            action="append",
            default=[],
            metavar="FILE",
            help="A table to read; may be repeated. By default all CSV files in the folder and one level below.",
        )
        parser.add_argument("--output", type=Path, metavar="DIR", help="The folder for the manifest.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            from mlmodel.datasets.import_isic import import_isic
            from mlmodel.management.imports import outcome_lines, with_progress
        except ImportError as error:
            raise CommandError(
                "This command needs the training requirements: pip install -r requirements.txt"
            ) from error
        folder: Path = options["folder"]
        name = options["source"] or folder.resolve().name
        output = options["output"] or Path(settings.DATA_DIR) / "datasets" / name.lower().replace("/", "-")
        try:
            imported = import_isic(
                folder,
                output,
                source=options["source"],
                licence=options["licence"],
                tables=options["table"],
                watch=with_progress,
            )
        except DataError as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"{error.strerror}: {error.filename}") from error
        for line in outcome_lines(imported):
            self.stdout.write(line)
