from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from mlmodel.release import SHIPPED, sha256_of


class Command(BaseCommand):
    help = "Write the backbone that the engine serves, from ImageNet weights. Needs TensorFlow."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--backbone-weights",
            type=Path,
            metavar="FILE",
            help="Keras weights of Xception without its top; by default Keras downloads its own.",
        )
        parser.add_argument("--output", type=Path, default=SHIPPED / "backbone.onnx", metavar="FILE")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            from mlmodel.training.backbone import export_backbone
        except ImportError as error:
            raise CommandError("This command needs TensorFlow: pip install -r requirements.txt") from error
        weights: Path | None = options["backbone_weights"]
        if weights is not None and not weights.is_file():
            raise CommandError(f"There is no file {weights}.")
        output: Path = options["output"]
        export_backbone(output, weights=weights)
        self.stdout.write(f"{output}: {output.stat().st_size / 1e6:.1f} MB, sha256 {sha256_of(output)}")
