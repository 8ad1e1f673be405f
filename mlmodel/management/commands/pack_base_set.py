from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from mlmodel.datasets.tables import DataError
from mlmodel.releases.release_files import SHIPPED, ReleaseError
from mlmodel.training.base_set_packing import pack_base_set


class Command(BaseCommand):
    help = (
        "Write the base set of a release: features of HAM10000 with which a clinic retrains, and on which candidates "
        "are evaluated. DATA is the folder written by import_ham10000. Missing features are computed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("data", type=Path, metavar="DATA", help="The folder of HAM10000.")
        parser.add_argument(
            "--release", type=Path, default=SHIPPED, metavar="DIR", help="The release to which it belongs."
        )
        parser.add_argument("--cache", type=Path, default=Path(settings.DATA_DIR) / "features", metavar="DIR")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            path, base = pack_base_set(options["data"], cache=options["cache"], release=options["release"])
        except (DataError, ReleaseError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"Written to {path}, {path.stat().st_size / 1e6:.1f} MB: {len(base.replay):,} photographs for replay, "
            f"{len(base.calibration):,} for calibration, {len(base.locked):,} for the held-out test set."
        )
