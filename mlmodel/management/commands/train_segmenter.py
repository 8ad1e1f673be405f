import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from mlmodel.management.outputs import prepare_file


class Command(BaseCommand):
    help = (
        "Train the network that draws the lesion's outline, on HAM10000 with its masks (metadata.csv, images/, "
        "masks/). It can be killed at any moment; --resume goes on from the last checkpoint. Needs TensorFlow."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("data", type=Path, metavar="DATA", help="The folder with metadata.csv, images/, masks/.")
        parser.add_argument("--output", type=Path, required=True, metavar="FILE", help="The ONNX file to write.")
        parser.add_argument("--run", type=Path, metavar="DIR", help="The run's folder (var/runs/segmenter).")
        parser.add_argument("--cache", type=Path, metavar="DIR", help="Where reduced photographs are kept.")
        parser.add_argument("--resume", action="store_true", help="Go on with the run in that folder.")
        parser.add_argument("--unjudged", action="store_true", help="Leave the locked folds alone; write no facts.")
        parser.add_argument("--small-steps", type=int, metavar="N", help="Steps at 64 pixels.")
        parser.add_argument("--full-steps", type=int, metavar="N", help="Steps at 128 pixels, after those.")
        parser.add_argument("--peak-rate", type=float, metavar="X")
        parser.add_argument(
            "--begin-with", type=Path, metavar="DIR", help="Begin with the weights that the run in DIR ended with."
        )
        parser.add_argument("--threads", type=int, default=0, metavar="N", help="Cores to use (all of them).")
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
            raise CommandError("--threads is 0 or more; 0 is all of them.")
        output: Path = options["output"]
        prepare_file(output)
        limit_threads(options["threads"])
        asked = ("small_steps", "full_steps", "peak_rate", "seed")
        given = {name: options[name] for name in asked if options[name] is not None}
        run = RunDirectory(options["run"] or Path(settings.DATA_DIR) / "runs" / "segmenter")
        cache = options["cache"] or Path(settings.DATA_DIR) / "segmenter"
        try:
            recipe = SegmenterRecipe(**given)
            pairs = read_pairs(options["data"], cache=cache)
            model = train_segmenter(
                pairs,
                recipe=recipe,
                run=run,
                resume=options["resume"],
                say=self._say,
                begin_with=RunDirectory(options["begin_with"]) if options["begin_with"] else None,
            )
        except (DataError, RunError) as error:
            raise CommandError(str(error)) from error
        export_segmenter(model, output)
        self._say(f"Written to {output}.")
        if options["unjudged"]:
            return
        from mlmodel.training.segmenter_training.judging import judge_segmenter

        try:
            report = judge_segmenter(pairs, output, training=run.configuration())
        except DataError as error:
            raise CommandError(str(error)) from error
        for line in report.lines():
            self._say(line)

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        sys.stdout.flush()
