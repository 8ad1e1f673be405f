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
        "Write the backbone of a release as initial weights for training: `manage.py train --backbone-weights FILE` "
        "then starts from the release instead of ImageNet. Needs TensorFlow and photographs of the training folds."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "output", type=Path, metavar="FILE", help=f"The output file; its name must end in {_SUFFIX}."
        )
        parser.add_argument(
            "--data", type=Path, action="append", required=True, metavar="DIR",
            help="A folder written by an import, with the photographs for training. May be repeated.",
        )  # fmt: skip
        parser.add_argument(
            "--release", type=Path, default=SHIPPED, metavar="DIR", help="The release of the backbone."
        )
        parser.add_argument(
            "--fresh", type=Path, metavar="FILE", help="Weights from which a dead last block is replaced."
        )
        parser.add_argument(
            "--photographs", type=int, default=128, metavar="N", help="The number of photographs to use (128)."
        )

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
            raise CommandError(f"The file name must end in {_SUFFIX}, or Keras refuses to write it.")
        if options["photographs"] < 1:
            raise CommandError("--photographs must be 1 or more.")
        if options["fresh"] and not options["fresh"].is_file():
            raise CommandError(f"The file {options['fresh']} does not exist.")
        try:
            release = load_release(options["release"])
            dataset, _notes = read_datasets(options["data"])
            inputs = some_photographs(dataset, release.backbone, count=options["photographs"])
            base = unfolded(release.backbone, inputs, fresh=options["fresh"])
        except (DataError, ReleaseError, RunError) as error:
            raise CommandError(str(error)) from error
        prepare_folder(output.parent)
        base.save_weights(output)
        self.stdout.write(
            f"Written to {output}: the backbone of {release.version}, estimated on {len(inputs)} photographs."
        )
