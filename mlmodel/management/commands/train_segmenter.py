import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from mlmodel.management.outputs import prepare_file


class Command(BaseCommand):
    help = (
        "Train the network that segments the lesion, on HAM10000 with its masks (metadata.csv, images/, masks/). "
        "Training can be interrupted at any time; --resume continues from the last checkpoint. Needs TensorFlow."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("data", type=Path, metavar="DATA", help="The folder with metadata.csv, images/, masks/.")
        parser.add_argument("--output", type=Path, required=True, metavar="FILE", help="The ONNX file to write.")
        parser.add_argument("--run", type=Path, metavar="DIR", help="The run's folder (var/runs/segmenter).")
        parser.add_argument("--cache", type=Path, metavar="DIR", help="The cache of reduced photographs.")
        parser.add_argument("--resume", action="store_true", help="Continue the run in the folder of --run.")
        parser.add_argument("--unjudged", action="store_true", help="Do not evaluate on the held-out test folds.")
        parser.add_argument("--small-steps", type=int, metavar="N", help="Steps at 64 pixels.")
        parser.add_argument("--full-steps", type=int, metavar="N", help="Subsequent steps at 128 pixels.")
        parser.add_argument("--peak-rate", type=float, metavar="X")
        parser.add_argument(
            "--begin-with", type=Path, metavar="DIR", help="Start from the final weights of the run in DIR."
        )
        parser.add_argument("--threads", type=int, default=0, metavar="N", help="Cores to use (0: all).")
        parser.add_argument("--seed", type=int, metavar="N")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            from mlmodel.datasets.tables import DataError
            from mlmodel.training.run_folder import RunDirectory, RunError
            from mlmodel.training.segmenter_training.loop import SegmenterRecipe, limit_threads, train_segmenter
            from mlmodel.training.segmenter_training.pairs import read_pairs
            from mlmodel.training.segmenter_training.unet import export_segmenter
        except ImportError as error:
            raise CommandError("This command needs TensorFlow: pip install -r requirements.txt") from error
        if options["threads"] < 0:
            raise CommandError("--threads must be 0 or more; 0 uses all cores.")
        output: Path = options["output"]
        prepare_file(output)
        limit_threads(options["threads"])
        names = ("small_steps", "full_steps", "peak_rate", "seed")
        overrides = {name: options[name] for name in names if options[name] is not None}
        run = RunDirectory(options["run"] or Path(settings.DATA_DIR) / "runs" / "segmenter")
        cache = options["cache"] or Path(settings.DATA_DIR) / "segmenter"
        try:
            recipe = SegmenterRecipe(**overrides)
            pairs = read_pairs(options["data"], cache=cache)
            model = train_segmenter(
                pairs,
                recipe=recipe,
                run=run,
                resume=options["resume"],
                say=self._write,
                begin_with=RunDirectory(options["begin_with"]) if options["begin_with"] else None,
            )
        except (DataError, RunError) as error:
            raise CommandError(str(error)) from error
        export_segmenter(model, output)
        self._write(f"Written to {output}.")
        if options["unjudged"]:
            return
        from mlmodel.training.segmenter_training.judging import judge_segmenter

        try:
            report = judge_segmenter(pairs, output, training=run.configuration())
        except DataError as error:
            raise CommandError(str(error)) from error
        for line in report.lines():
            self._write(line)

    def _write(self, line: str) -> None:
        self.stdout.write(line)
        sys.stdout.flush()
