from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from mlmodel.management.outputs import prepare_folder
from mlmodel.releases.release_files import SHIPPED

_FOLDERS = ("ham10000", "phone", "not_skin")


class Command(BaseCommand):
    help = (
        "Build a release: backbone, head, calibration, operating points, classifiers of the kind of photograph, and "
        "model card. With --run, it is built from a training run; otherwise a head is fitted on the features of the "
        "given backbone. DATA contains ham10000/ (metadata.csv and images/), phone/ and not_skin/. Features are "
        "cached. Needs TensorFlow."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("data", type=Path, metavar="DATA", help="The data folder.")
        parser.add_argument("--output", type=Path, default=SHIPPED, metavar="DIR", help="The output folder.")
        parser.add_argument(
            "--collection", type=Path, action="append", default=[], metavar="DIR",
            help="Photographs of other clinics, from import_isic, to use for calibration and testing too.",
        )  # fmt: skip
        parser.add_argument("--run", type=Path, metavar="DIR", help="A run of `manage.py train`.")
        parser.add_argument("--weights", default="weights.npz", metavar="NAME", help="A weights file of that run.")
        parser.add_argument(
            "--side", type=int, default=299, help="With --run: side of the network's input, in pixels."
        )
        parser.add_argument(
            "--detail", type=int, default=224, help="With --run: larger squares are reduced to this side first."
        )
        parser.add_argument(
            "--mirrored", action="store_true", help="With --run: average over each photograph and its mirror images."
        )
        parser.add_argument("--fit-head", action="store_true", help="With --run: fit a new head on its features.")
        parser.add_argument("--backbone", type=Path, default=SHIPPED / "backbone.onnx", metavar="FILE")
        parser.add_argument("--cache", type=Path, default=Path(settings.DATA_DIR) / "features", metavar="DIR")
        parser.add_argument(
            "--augmented-copies",
            type=int,
            default=1,
            metavar="N",
            help="Augmented copies per photograph, if a head is fitted.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            from mlmodel.datasets.tables import DataError
            from mlmodel.training.release_building import BuildInputs, build_release
            from mlmodel.training.run_folder import RunError
        except ImportError as error:
            raise CommandError("This command needs TensorFlow: pip install -r requirements.txt") from error
        data: Path = options["data"]
        for folder in _FOLDERS:
            if not (data / folder).is_dir():
                raise CommandError(f"The folder {data / folder} does not exist; see docs/change/training.md.")
        if not options["run"] and not options["backbone"].is_file():
            raise CommandError(f"{options['backbone']} does not exist; create it with `manage.py export_backbone`.")
        prepare_folder(options["output"])
        try:
            run_inputs = self._inputs_from_run(options) if options["run"] else {"backbone": options["backbone"]}
            inputs = BuildInputs(
                ham10000=data / "ham10000",
                smartphone=data / "phone",
                not_skin=data / "not_skin",
                cache=options["cache"],
                collections=tuple(options["collection"]),
                augmented_copies=options["augmented_copies"],
                **run_inputs,
            )
            facts = build_release(inputs, options["output"], verbose=2 if options["verbosity"] > 1 else 0)
        except (DataError, RunError) as error:
            raise CommandError(str(error)) from error
        for subset, estimates in facts.estimates.items():
            self.stdout.write(f"{subset}: " + ", ".join(f"{name} {value}" for name, value in estimates.items()))
        self.stdout.write(f"Written to {options['output']}, with the model card card.md.")

    def _inputs_from_run(self, options: dict[str, Any]) -> dict[str, Any]:
        from mlmodel.datasets.dataset import TRAIN_FOLDS, read_dataset
        from mlmodel.training.architectures import base_of
        from mlmodel.training.backbone import export_backbone
        from mlmodel.training.run_folder import RunDirectory
        from mlmodel.training.trained import head_of, load_trained, story_of

        if not (96 <= options["side"] <= 600 and 96 <= options["detail"] <= 600):
            raise CommandError("--side and --detail must be 96 to 600 pixels.")
        run = RunDirectory(options["run"])
        recipe, network = load_trained(run, weights=options["weights"])
        dataset = read_dataset(options["data"] / "ham10000")
        head = head_of(recipe, network, trained_labels=dataset.labels[dataset.rows(TRAIN_FOLDS)])
        view = {name: options[name] for name in ("side", "detail", "mirrored")}
        backbone = run.path / f"backbone-{view['side']}-{view['detail']}{'-mirrored' * view['mirrored']}.onnx"
        weights_path = run.path / options["weights"]
        # Every export has a different hash, under which features are cached: reuse an export of the same weights.
        if not backbone.exists() or backbone.stat().st_mtime < weights_path.stat().st_mtime:
            export_backbone(backbone, base_of(network), **view)
        story = story_of(run, recipe, weights=options["weights"])
        return {"backbone": backbone, "head": None if options["fit_head"] else head, "training": story}
