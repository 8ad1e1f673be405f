from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from mlmodel.datasets.tables import DataError


class Command(BaseCommand):
    help = (
        "Import HAM10000 for training: check every photograph, merge duplicate lesions, assign folds by lesion, and "
        "write a manifest with the hash of every file. The photographs are not moved. Importing again changes nothing "
        "unless the files changed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "folder", type=Path, nargs="?", metavar="DIR", help="Kaggle's layout, or metadata.csv with images/."
        )
        parser.add_argument("--download", action="store_true", help="Download it from Kaggle first (needs kagglehub).")
        parser.add_argument("--output", type=Path, metavar="DIR", help="The folder for the manifest.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            from mlmodel.datasets.import_ham10000 import import_ham10000
            from mlmodel.management.imports import outcome_lines, with_progress
        except ImportError as error:
            raise CommandError(
                "This command needs the training requirements: pip install -r requirements.txt"
            ) from error
        if bool(options["folder"]) == options["download"]:
            raise CommandError("Give the folder of HAM10000, or --download.")
        folder = self._download() if options["download"] else options["folder"]
        output = options["output"] or Path(settings.DATA_DIR) / "datasets" / "ham10000"
        try:
            imported = import_ham10000(folder, output, watch=with_progress)
        except DataError as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"{error.strerror}: {error.filename}") from error
        for line in outcome_lines(imported):
            self.stdout.write(line)

    def _download(self) -> Path:
        try:
            import kagglehub
        except ImportError as error:
            raise CommandError("--download needs kagglehub: pip install kagglehub") from error
        from mlmodel.datasets.import_ham10000 import KAGGLE_DATASET

        self.stdout.write(f"Downloading {KAGGLE_DATASET} from Kaggle; this takes a while.")
        try:
            return Path(kagglehub.dataset_download(KAGGLE_DATASET))
        except Exception as error:  # any failure gets the same workaround
            raise CommandError(
                f"The download failed ({error}). Download {KAGGLE_DATASET} in a browser, unpack it, give the folder."
            ) from error
