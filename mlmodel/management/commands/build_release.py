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
        "Make a release: backbone, head, calibration, operating points, judges of the photograph's kind, model card. "
        "Of a training run with --run; without it, a head is fitted on the features of the given backbone. DATA holds "
        "ham10000/ (metadata.csv and images/), phone/ and not_skin/. Computed features are kept. Needs TensorFlow."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("data", type=Path, metavar="DATA", help="The data folder.")
        parser.add_argument("--output", type=Path, default=SHIPPED, metavar="DIR", help="Where it is written.")
        parser.add_argument(
            "--collection", type=Path, action="append", default=[], metavar="DIR",
            help="Photographs of other clinics, as import_isic wrote them, to calibrate and judge with too.",
        )  # fmt: skip
        parser.add_argument("--run", type=Path, metavar="DIR", help="A run of `manage.py train`.")
        parser.add_argument("--weights", default="weights.npz", metavar="NAME", help="A weights file of that run.")
        parser.add_argument("--side", type=int, default=299, help="With --run: of the square it is shown, in pixels.")
        parser.add_argument("--detail", type=int, default=224, help="With --run: the finest detail it is shown.")
        parser.add_argument(
            "--mirrored", action="store_true", help="With --run: average over each photograph and its mirror images."
        )
        parser.add_argument("--fit-head", action="store_true", help="With --run: fit a new head on its features.")
        parser.add_argument("--backbone", type=Path, default=SHIPPED / "backbone.onnx", metavar="FILE")
        parser.add_argument("--cache", type=Path, default=Path(settings.DATA_DIR) / "features", metavar="DIR")
        parser.add_argument("--augmented-copies", type=int, default=1, metavar="N", help="For a head that is fitted.")

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
                raise CommandError(f"There is no folder {data / folder}; see docs/change/releasing.md.")
        if not options["run"] and not options["backbone"].is_file():
            raise CommandError(f"There is no {options['backbone']}; make it with `manage.py export_backbone`.")
        prepare_folder(options["output"])
        try:
            of_run = self._of_run(options) if options["run"] else {"backbone": options["backbone"]}
            inputs = BuildInputs(
                ham10000=data / "ham10000",
                smartphone=data / "phone",
                not_skin=data / "not_skin",
                cache=options["cache"],
                collections=tuple(options["collection"]),
                augmented_copies=options["augmented_copies"],
                **of_run,
            )
            facts = build_release(inputs, options["output"], verbose=2 if options["verbosity"] > 1 else 0)
        except (DataError, RunError) as error:
            raise CommandError(str(error)) from error
        for subset, found in facts.estimates.items():
            self.stdout.write(f"{subset}: " + ", ".join(f"{name} {value}" for name, value in found.items()))
        self.stdout.write(f"Written to {options['output']}; the card is card.md there.")

    def _of_run(self, options: dict[str, Any]) -> dict[str, Any]:
        from mlmodel.datasets.dataset import TRAIN_FOLDS, read_dataset
        from mlmodel.training.architectures import base_of
        from mlmodel.training.backbone import export_backbone
        from mlmodel.training.run_folder import RunDirectory
        from mlmodel.training.trained import head_of, load_trained, story_of

        if not (96 <= options["side"] <= 600 and 96 <= options["detail"] <= 600):
            raise CommandError("--side and --detail may be 96 to 600 pixels.")
        run = RunDirectory(options["run"])
        recipe, network = load_trained(run, weights=options["weights"])
        dataset = read_dataset(options["data"] / "ham10000")
        head = head_of(recipe, network, trained_labels=dataset.labels[dataset.rows(TRAIN_FOLDS)])
        shown = {name: options[name] for name in ("side", "detail", "mirrored")}
        backbone = run.path / f"backbone-{shown['side']}-{shown['detail']}{'-mirrored' * shown['mirrored']}.onnx"
        made_from = run.path / options["weights"]
        # Features are kept by the backbone's hash, and every export has another: one file does for the same weights.
        if not backbone.exists() or backbone.stat().st_mtime < made_from.stat().st_mtime:
            export_backbone(backbone, base_of(network), **shown)
        story = story_of(run, recipe, weights=options["weights"])
        return {"backbone": backbone, "head": None if options["fit_head"] else head, "training": story}
