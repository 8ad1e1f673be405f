from argparse import ArgumentParser, ArgumentTypeError
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from mlmodel.network.analyser import get_analyser
from mlmodel.network.isic_scores import RELIABILITY_COLUMN, Score, score_files, write_scores
from mlmodel.network.quality import Reliability
from mlmodel.pictures.picture_files import Found, find_pictures, names_without_ending, readable_name
from mlmodel.releases.release_files import ReleaseError


class Command(BaseCommand):
    help = (
        "Score photographs and write the scores in the format of the ISIC challenge (image,MEL,NV,BCC,AKIEC,BKL,DF,"
        "VASC). Scores of photographs that were taken without a dermatoscope cannot be relied on: they are listed on "
        "standard error, and marked in the table with --reliability."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("paths", nargs="+", type=_path, metavar="PATH", help="Files, or folders of photographs.")
        parser.add_argument("--csv", type=Path, metavar="FILE", help="Write to this file instead of standard output.")
        parser.add_argument(
            "--equal-prior",
            action="store_true",
            help="Write equal-prior scores, without the training class mix, instead of calibrated probabilities.",
        )
        parser.add_argument(
            "--reliability",
            action="store_true",
            help=f"Add a column {RELIABILITY_COLUMN}: “{Reliability.CALIBRATED}”, or “{Reliability.SMARTPHONE}” "
            "for a photograph without a dermatoscope.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            analyser = get_analyser()
        except ReleaseError as error:
            raise CommandError(str(error)) from error
        found, missing = self._find(options["paths"])
        has_folder = any(path.is_dir() for path in options["paths"])
        scores = score_files(
            found.pictures,
            analyser=analyser,
            equal_prior=options["equal_prior"],
            progress=lambda paths: tqdm(
                paths, unit="photograph", file=self.stderr, disable=not has_folder, leave=False
            ),
        )
        target: Path | None = options["csv"]
        try:
            with target.open("w", newline="", encoding="utf-8") if target else nullcontext(self.stdout) as file:
                outcomes = write_scores(file, scores, with_reliability=options["reliability"])  # type: ignore[arg-type]
        except OSError as error:
            raise CommandError(f"The scores could not be written: {error}") from error
        self._report_skipped_and_renamed(found)
        self._report_unreliable(outcomes)
        failed = [score for score in outcomes if score.scores is None]
        for score in failed:
            self.stderr.write(f"{readable_name(score.path)}: {score.error}")
        if failed or missing:
            unread, total = len(failed) + missing, len(found.pictures) + missing
            others = "; the others were scored" if unread < total else ""
            raise CommandError(f"{unread} of {total} could not be read{others}.")

    def _report_skipped_and_renamed(self, found: Found) -> None:
        """Report skipped files, and pictures that have another name in the table."""
        if found.skipped:
            names = [readable_name(path) for path in found.skipped]
            many = (
                "1 file is not a photograph and was"
                if len(names) == 1
                else f"{len(names):,} files are not photographs and were"
            )
            self.stderr.write(f"{many} skipped: {', '.join(names)}.")
        for path, name in zip(found.pictures, names_without_ending(found.pictures), strict=True):
            if name != path.stem:
                self.stderr.write(f"{readable_name(path)} is named {name} in the table.")

    def _report_unreliable(self, outcomes: list[Score]) -> None:
        """Report photographs whose scores cannot be relied on."""
        names = [readable_name(each.path) for each in outcomes if each.reliability is Reliability.SMARTPHONE]
        if names:
            many = "1 photograph was" if len(names) == 1 else f"{len(names):,} photographs were"
            self.stderr.write(
                f"{many} taken without a dermatoscope. Such scores cannot be relied on and rule nothing out: "
                f"{', '.join(names)}."
            )

    def _find(self, paths: list[Path]) -> tuple[Found, int]:
        """Return the pictures of all paths without duplicates, and the number of paths without pictures."""
        pictures: dict[Path, None] = {}
        skipped: list[Path] = []
        missing = 0
        for path in paths:
            try:
                inside = find_pictures(path)
            except FileNotFoundError:
                self.stderr.write(f"{readable_name(path)}: this file or folder does not exist.")
                missing += 1
                continue
            if not inside.pictures:
                self.stderr.write(f"{readable_name(path)}: this folder contains no photographs.")
                missing += 1
            pictures.update(dict.fromkeys(inside.pictures))
            skipped += inside.skipped
        return Found(list(pictures), skipped), missing


def _path(text: str) -> Path:
    """Return a path; an empty name, for example from an unset shell variable, is an error."""
    if not text:
        raise ArgumentTypeError("give a file or a folder; the name is empty")
    return Path(text)
