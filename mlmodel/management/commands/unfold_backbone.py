from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from mlmodel.management.outputs import prepare_folder
from mlmodel.releases.release import load_release
from mlmodel.releases.release_files import SHIPPED, ReleaseError

_SUFFIX = ".weights.h5"


class Command(BaseCommand):
    help = (
        "Write the backbone of a release as weights to train on from: `manage.py train --backbone-weights FILE` then "
        "begins where the release stands and not at ImageNet. Needs TensorFlow and photographs of the training folds."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("output", type=Path, metavar="FILE", help=f"What is written; its name ends in {_SUFFIX}.")
        parser.add_argument(
            "--data", type=Path, action="append", required=True, metavar="DIR",
            help="What an import wrote: photographs that are to be trained on. May be repeated.",
        )  # fmt: skip
        parser.add_argument("--release", type=Path, default=SHIPPED, metavar="DIR", help="Whose backbone it is.")
        parser.add_argument(
            "--fresh", type=Path, metavar="FILE", help="Weights whose last block takes the place of a dead one."
        )
        parser.add_argument("--photographs", type=int, default=128, metavar="N", help="How many are looked at (128).")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            from mlmodel.datasets.dataset import read_datasets
            from mlmodel.datasets.tables import DataError
            from mlmodel.training.run_folder import RunError
            from mlmodel.training.unfolded import some_photographs, unfolded
        except ImportError as error:
            raise CommandError("This command needs TensorFlow: pip install -r requirements.txt") from error
        output: Path = options["output"]
        if not output.name.endswith(_SUFFIX):
            raise CommandError(f"The file's name must end in {_SUFFIX}, or Keras does not write it.")
        if options["photographs"] < 1:
            raise CommandError("--photographs must be 1 or more.")
        if options["fresh"] and not options["fresh"].is_file():
            raise CommandError(f"There is no file {options['fresh']}.")
        try:
            release = load_release(options["release"])
            dataset, _notes = read_datasets(options["data"])
            seen = some_photographs(dataset, release.backbone, count=options["photographs"])
            base = unfolded(release.backbone, seen, fresh=options["fresh"])
        except (DataError, ReleaseError, RunError) as error:
            raise CommandError(str(error)) from error
        prepare_folder(output.parent)
        base.save_weights(output)
        self.stdout.write(
            f"Written to {output}: the backbone of {release.version}, as {len(seen)} photographs have it."
        )
