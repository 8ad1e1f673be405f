from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from mlmodel.release import SHIPPED


class Command(BaseCommand):
    help = (
        "Rebuild head, calibration, operating points and model card from a data folder: ham10000/ (metadata.csv and "
        "images/), phone/ and not_skin/. Computed features are kept, so a second run takes minutes. Needs TensorFlow."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("data", type=Path, metavar="DATA", help="The data folder.")
        parser.add_argument(
            "--output", type=Path, default=SHIPPED, metavar="DIR", help="Where the release is written."
        )
        parser.add_argument("--backbone", type=Path, default=SHIPPED / "backbone.onnx", metavar="FILE")
        parser.add_argument("--cache", type=Path, default=Path(settings.DATA_DIR) / "features", metavar="DIR")
        parser.add_argument("--augmented-copies", type=int, default=1, metavar="N")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            from mlmodel.training.build import BuildInputs, build_release
            from mlmodel.training.dataset import DatasetError
        except ImportError as error:
            raise CommandError("This command needs TensorFlow: pip install -r requirements.txt") from error
        data: Path = options["data"]
        for folder in ("ham10000", "phone", "not_skin"):
            if not (data / folder).is_dir():
                raise CommandError(f"There is no folder {data / folder}; see docs/training.md.")
        if not options["backbone"].is_file():
            raise CommandError(f"There is no {options['backbone']}; make it with `manage.py export_backbone`.")
        inputs = BuildInputs(
            ham10000=data / "ham10000",
            other_lesions=data / "phone",
            not_skin=data / "not_skin",
            backbone=options["backbone"],
            cache=options["cache"],
            augmented_copies=options["augmented_copies"],
        )
        try:
            facts = build_release(inputs, options["output"], verbose=2 if options["verbosity"] > 1 else 0)
        except DatasetError as error:
            raise CommandError(str(error)) from error
        for subset, found in facts.estimates.items():
            self.stdout.write(f"{subset}: " + ", ".join(f"{name} {value}" for name, value in found.items()))
        self.stdout.write(f"Written to {options['output']}; the card is card.md there.")
