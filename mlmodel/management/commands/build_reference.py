"""Write the reference of typical photographs with which drift monitoring compares uploads."""

from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from mlmodel.datasets.dataset import CALIBRATION_FOLDS, read_dataset, read_photograph
from mlmodel.datasets.feature_cache import cached_features
from mlmodel.datasets.tables import DataError
from mlmodel.network.drift import MEASURES, make_reference
from mlmodel.network.engine import Engine
from mlmodel.network.quality import judge
from mlmodel.releases.release import add_to_manifest, load_release
from mlmodel.releases.release_files import SHIPPED, ReleaseError


class Command(BaseCommand):
    help = "Write the reference for drift monitoring of a release, reference.npz, from the calibration folds."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("data", type=Path, help="The folder written by import_ham10000.")
        parser.add_argument(
            "--release", type=Path, default=SHIPPED, metavar="DIR", help="The release to which it belongs."
        )
        parser.add_argument(
            "--cache", type=Path, default=Path(settings.DATA_DIR) / "features", help="The folder of cached features."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            release = load_release(options["release"])
            dataset = read_dataset(options["data"])
            cache = options["cache"] / release.backbone_sha256[:16] / "ham10000"
            features = cached_features(dataset.paths, engine=Engine(release.backbone), cache=cache)
            rows = dataset.rows(CALIBRATION_FOLDS)
            measures = _measures_of([path for path, is_in in zip(dataset.paths, rows, strict=True) if is_in])
        except (DataError, ReleaseError) as error:
            raise CommandError(str(error)) from error
        reference = make_reference(
            features[rows], dataset.lesions[rows], backbone_sha256=release.backbone_sha256, measures=measures
        )
        path = options["release"] / "reference.npz"
        reference.save(path)
        # The release's hash does not include the reference, so the version does not change.
        add_to_manifest(options["release"], "reference", path.name)
        self.stdout.write(
            f"{path.name}: {len(reference.scores):,} photographs, {path.stat().st_size / 1024:.0f} KB; "
            f"distance {reference.distance_threshold:.3f}, outlier {reference.outlier_threshold:.3f}"
        )


def _measures_of(paths: Sequence[Path]) -> dict[str, list[float]]:
    """Return the quality measures of all photographs, by name."""
    measured = [judge(read_photograph(path)).measures for path in paths]
    return {name: [each[name] for each in measured] for name in MEASURES}
