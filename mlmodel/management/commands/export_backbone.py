from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from mlmodel.management.outputs import prepare_file
from mlmodel.releases.release_files import SHIPPED, sha256_of


class Command(BaseCommand):
    help = (
        "Export the backbone, Xception without its top, to the ONNX file that the engine loads, from a training run "
        "or with ImageNet weights. Needs TensorFlow."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--run", type=Path, metavar="DIR", help="A run of `manage.py train`.")
        parser.add_argument("--weights", default="weights.npz", metavar="NAME", help="A weights file of that run.")
        parser.add_argument(
            "--backbone-weights",
            type=Path,
            metavar="FILE",
            help="Without --run: Keras weights of Xception without its top; by default Keras downloads its own.",
        )
        parser.add_argument("--side", type=int, default=299, help="Side of the network's input, in pixels.")
        parser.add_argument("--detail", type=int, default=224, help="Larger squares are reduced to this side first.")
        parser.add_argument("--mirrored", action="store_true", help="Average over a photograph and its mirror images.")
        parser.add_argument("--output", type=Path, default=SHIPPED / "backbone.onnx", metavar="FILE")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            from mlmodel.training.architectures import base_of
            from mlmodel.training.backbone import export_backbone, xception
            from mlmodel.training.run_folder import RunDirectory, RunError
            from mlmodel.training.trained import load_trained
        except ImportError as error:
            raise CommandError("This command needs TensorFlow: pip install -r requirements.txt") from error
        weights: Path | None = options["backbone_weights"]
        if weights is not None and not weights.is_file():
            raise CommandError(f"The file {weights} does not exist.")
        if not (96 <= options["side"] <= 600 and 96 <= options["detail"] <= 600):
            raise CommandError("--side and --detail must be 96 to 600 pixels.")
        output: Path = options["output"]
        prepare_file(output)
        try:
            if options["run"]:
                base = base_of(load_trained(RunDirectory(options["run"]), weights=options["weights"])[1])
            else:
                base = xception(weights)
        except RunError as error:
            raise CommandError(str(error)) from error
        export_backbone(output, base, side=options["side"], detail=options["detail"], mirrored=options["mirrored"])
        self.stdout.write(f"{output}: {output.stat().st_size / 1e6:.1f} MB, sha256 {sha256_of(output)}")
