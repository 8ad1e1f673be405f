from argparse import ArgumentParser, ArgumentTypeError
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from mlmodel.analysis import get_analyser
from mlmodel.release import ReleaseError
from mlmodel.scoring import find_pictures, score_files, write_scores


class Command(BaseCommand):
    help = "Score photographs and write them in the format of the ISIC challenge (image,MEL,NV,BCC,AKIEC,BKL,DF,VASC)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("paths", nargs="+", type=_path, metavar="PATH", help="Files, or folders of photographs.")
        parser.add_argument("--csv", type=Path, metavar="FILE", help="Write here instead of to standard output.")
        parser.add_argument(
            "--equal-prior",
            action="store_true",
            help="Divide the training class mix out of the scores; by default they are calibrated probabilities.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            analyser = get_analyser()
        except ReleaseError as error:
            raise CommandError(str(error)) from error
        pictures, missing = self._find(options["paths"])
        has_folder = any(path.is_dir() for path in options["paths"])
        progress = tqdm(pictures, unit="photograph", file=self.stderr, disable=not has_folder, leave=False)
        scores = score_files(progress, analyser=analyser, equal_prior=options["equal_prior"])
        target: Path | None = options["csv"]
        try:
            with target.open("w", newline="", encoding="utf-8") if target else nullcontext(self.stdout) as file:
                failed = write_scores(file, scores)  # type: ignore[arg-type]
        except OSError as error:
            raise CommandError(f"The scores could not be written: {error}") from error
        for score in failed:
            self.stderr.write(f"{score.path}: {score.error}")
        if failed or missing:
            wrong = len(failed) + missing
            others = "; the others were scored" if wrong < len(pictures) + missing else ""
            raise CommandError(f"{wrong} of {len(pictures) + missing} could not be read{others}.")

    def _find(self, paths: list[Path]) -> tuple[list[Path], int]:
        found: list[Path] = []
        missing = 0
        for path in paths:
            try:
                inside = find_pictures(path)
            except FileNotFoundError:
                self.stderr.write(f"{path}: there is no file or folder of this name.")
                missing += 1
                continue
            if not inside:
                self.stderr.write(f"{path}: this folder holds no photographs.")
                missing += 1
            found += inside
        return found, missing


def _path(text: str) -> Path:
    """An empty name, as an unset variable of a shell leaves it, does not stand for the folder one is in."""
    if not text:
        raise ArgumentTypeError("give a file or a folder; this is empty")
    return Path(text)
