import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    help = (
        "Train a network with a recipe. Training can be interrupted at any time; --resume continues from the last "
        "checkpoint, at most two minutes earlier. Needs TensorFlow."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--architecture", choices=("xception", "vgg16", "cnn8"), default="xception")
        parser.add_argument(
            "--recipe", default="best", metavar="NAME", help="A built-in recipe, or a path to a .toml file."
        )
        parser.add_argument(
            "--data",
            type=Path,
            action="append",
            metavar="DIR",
            help=(
                "A folder written by import_ham10000 (the default) or import_isic, or with metadata.csv and images/. "
                "May be repeated to train on several together."
            ),
        )
        parser.add_argument("--run", type=Path, metavar="DIR", help="The run's folder (var/runs/<recipe>).")
        parser.add_argument("--split", choices=("by-lesion", "by-image"), help="Override the recipe's split.")
        parser.add_argument(
            "--precision",
            choices=("float32", "bfloat16"),
            help="Override the recipe's numerical precision; bfloat16 is faster where the processor supports it.",
        )
        parser.add_argument("--resume", action="store_true", help="Continue the run in the folder of --run.")
        parser.add_argument(
            "--checkpoint-seconds",
            type=float,
            default=120.0,
            metavar="N",
            help="Seconds between checkpoints, at most 300.",
        )
        parser.add_argument(
            "--begin-from",
            type=Path,
            metavar="DIR",
            help="A finished run of the same network, from whose weights, including the head, training starts.",
        )
        parser.add_argument(
            "--backbone-weights", type=Path, metavar="FILE", help="Initial weights, instead of Keras's download."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            from mlmodel.datasets.dataset import read_datasets
            from mlmodel.datasets.tables import DataError
            from mlmodel.releases.release_files import ReleaseError
            from mlmodel.training.recipe import RecipeError
            from mlmodel.training.run_folder import RunDirectory, RunError
            from mlmodel.training.session import run_recipe
        except ImportError as error:
            raise CommandError("This command needs TensorFlow: pip install -r requirements.txt") from error
        data = options["data"] or [Path(settings.DATA_DIR) / "datasets" / "ham10000"]
        run = RunDirectory(options["run"] or Path(settings.DATA_DIR) / "runs" / Path(options["recipe"]).stem)
        if not 0 <= options["checkpoint_seconds"] <= 300:
            raise CommandError("--checkpoint-seconds must be 0 to 300: a run must not lose more than five minutes.")
        weights: Path | None = options["backbone_weights"]
        if weights is not None and not weights.is_file():
            raise CommandError(f"The file {weights} does not exist.")
        try:
            dataset, notes = read_datasets(data)
            for note in notes:
                self._write(note)
            report = run_recipe(
                name=options["recipe"],
                architecture=options["architecture"],
                dataset=dataset,
                run=run,
                resume=options["resume"],
                weights=weights,
                begin_from=RunDirectory(options["begin_from"]) if options["begin_from"] else None,
                split_by=options["split"],
                precision=options["precision"],
                checkpoint_seconds=options["checkpoint_seconds"],
                say=self._write,
            )
        except (DataError, RecipeError, ReleaseError, RunError) as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt as error:
            raise CommandError(
                "Stopped. Run the same command with --resume to continue from the last checkpoint."
            ) from error
        self.stdout.write(f"Done after {report['steps_taken']} steps. The results are in {run.path}.")

    def _write(self, line: str) -> None:
        self.stdout.write(line)
        sys.stdout.flush()
