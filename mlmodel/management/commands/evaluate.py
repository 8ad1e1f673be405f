import sys
from argparse import ArgumentParser
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from mlmodel.datasets.tables import DataError
from mlmodel.management.outputs import prepare_folder
from mlmodel.network.analyser import Analyser
from mlmodel.releases.release import load_release
from mlmodel.releases.release_files import SHIPPED, ReleaseError

if TYPE_CHECKING:
    from mlmodel.datasets.dataset import Dataset
    from mlmodel.evaluation.answering import Answered
    from mlmodel.evaluation.test_sets import Photographs

Item = TypeVar("Item")
NEEDS = "This command needs Jinja2 and Matplotlib: pip install -r requirements.txt"


class Command(BaseCommand):
    help = (
        "Evaluate a network on labelled photographs and write a report as an HTML page and JSON. Give one or more of: "
        "HAM10000's folder (--data), a set in the ISIC format (--images and --truth), smartphone photographs "
        "(--phone) and photographs of other clinics imported by import_isic (--collection)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--release",
            type=Path,
            default=SHIPPED,
            metavar="DIR",
            help="The folder of the release to evaluate (the shipped one).",
        )
        parser.add_argument(
            "--data", type=Path, metavar="DIR", help="HAM10000's folder: a table with folds, and images/."
        )
        parser.add_argument(
            "--folds", default="8,9", metavar="LIST", help="Folds of --data (8,9: the held-out test set)."
        )
        parser.add_argument("--images", type=Path, metavar="DIR", help="The photographs of a set in the ISIC format.")
        parser.add_argument(
            "--truth", type=Path, metavar="CSV", help="Its ground truth: image,MEL,NV,BCC,AKIEC,BKL,DF,VASC."
        )
        parser.add_argument(
            "--metadata", type=Path, metavar="CSV", help="For --images: image, lesion_id, age, sex, site, skin_type."
        )
        parser.add_argument("--name", default="", help="The name of the set of --images in the report.")
        parser.add_argument("--phone", type=Path, metavar="DIR", help="Smartphone photographs with labels.csv.")
        parser.add_argument(
            "--collection",
            type=Path,
            action="append",
            default=[],
            metavar="DIR",
            help="A folder written by import_isic, evaluated by source on --folds. Also needs one of the other sets.",
        )
        parser.add_argument(
            "--run", type=Path, metavar="DIR", help="The network's training run, for the training curves."
        )
        parser.add_argument(
            "--robustness",
            type=int,
            default=0,
            metavar="N",
            help="Measure robustness on N photographs (0); 40 take minutes.",
        )
        parser.add_argument(
            "--latency", type=int, default=30, metavar="N", help="Measure the latency of N answers (30); 0 skips it."
        )
        parser.add_argument(
            "--pictures", type=int, default=12, metavar="N", help="Mistakes of each kind to show (12)."
        )
        parser.add_argument("--cache", type=Path, default=Path(settings.DATA_DIR) / "features", metavar="DIR")
        parser.add_argument(
            "--output", type=Path, default=Path("report"), metavar="DIR", help="The output folder (report)."
        )
        parser.add_argument(
            "--render",
            type=Path,
            metavar="DIR",
            help="Evaluate nothing: write the page of the report in this folder again, from its report.json.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["render"]:
            self._render(options["render"])
            return
        self._check(options)
        try:
            from mlmodel.evaluation.answering import EvaluatedNetwork
            from mlmodel.evaluation.collections import read_collections
            from mlmodel.evaluation.facts import evaluation_facts
            from mlmodel.evaluation.training_curves import training_of
            from mlmodel.reporting.page import write_report
        except ImportError as error:
            raise CommandError(NEEDS) from error
        try:
            training = training_of(options["run"]) if options["run"] else None
            sets_read = self._read(options)
            folds = self._folds(options["folds"])
            collections = read_collections(options["collection"], folds) if options["collection"] else None
            analyser = Analyser(load_release(options["release"]))
            prepare_folder(options["output"])
            sets = [self._answer_folds(options, folds, analyser)] if options["data"] else []
            sets += [self._answer(photographs, analyser) for photographs in sets_read]
            facts = evaluation_facts(
                network=EvaluatedNetwork.of(analyser),
                sets=sets,
                by_source=self._by_source(collections, analyser) if collections else None,
                released_by_source=analyser.release.settings.get("by_source"),
                training=training,
                robustness=self._robustness(sets[0], analyser, options["robustness"]),
                latency=self._latency(sets[0], analyser, options["latency"]),
                pictures=options["pictures"],
            )
            page, data = write_report(facts, options["output"])
        except (DataError, ReleaseError) as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"The report could not be written: {error}") from error
        self._summarise(facts)
        self.stdout.write(f"{page} ({page.stat().st_size / 1e6:.1f} MB), {data}")

    def _render(self, folder: Path) -> None:
        try:
            from mlmodel.reporting.page import render_again
        except ImportError as error:
            raise CommandError(NEEDS) from error
        try:
            self.stdout.write(str(render_again(folder)))
        except (DataError, OSError) as error:
            raise CommandError(str(error)) from error

    def _check(self, options: dict[str, Any]) -> None:
        if not (options["data"] or options["images"] or options["phone"]):
            raise CommandError(
                "Give photographs to evaluate on: --data DIR, or --images DIR --truth CSV, or --phone DIR."
            )
        if bool(options["images"]) != bool(options["truth"]):
            raise CommandError("--images and --truth must be given together.")
        if options["metadata"] and not options["images"]:
            raise CommandError("--metadata requires --images.")
        for name in ("robustness", "latency", "pictures"):
            if options[name] < 0:
                raise CommandError(f"--{name} must be 0 or more.")

    def _read(self, options: dict[str, Any]) -> "list[Photographs]":
        """Return the test sets, read before any analysis so that errors in tables are reported at once."""
        from mlmodel.evaluation.isic_sets import read_isic
        from mlmodel.evaluation.known_sets import read_phone

        sets = []
        if options["images"]:
            sets.append(read_isic(options["images"], options["truth"], options["metadata"], name=options["name"]))
        if options["phone"]:
            sets.append(read_phone(options["phone"]))
        return sets

    def _answer_folds(self, options: dict[str, Any], folds: tuple[int, ...], analyser: Analyser) -> "Answered":
        from mlmodel.evaluation.ham10000_answers import answer_ham10000

        return self._report_notes(answer_ham10000(options["data"], folds, analyser, options["cache"], self._progress))

    def _answer(self, photographs: "Photographs", analyser: Analyser) -> "Answered":
        from mlmodel.evaluation.answering import answer_as_served

        return self._report_notes(answer_as_served(photographs, analyser, self._progress))

    def _by_source(self, read: "tuple[Dataset, Dataset, list[str]]", analyser: Analyser) -> dict[str, Any]:
        from mlmodel.evaluation.by_source import as_facts
        from mlmodel.evaluation.collections import judge_by_source

        part, whole, notes = read
        results, unreadable = judge_by_source(part, whole, analyser, self._progress)
        for line in (*notes, *unreadable):
            self.stderr.write(line)
        return as_facts(results)

    def _report_notes(self, answered: "Answered") -> "Answered":
        """Write to standard error what was excluded from a set, and why."""
        for line in (*answered.photographs.notes, *answered.unreadable):
            self.stderr.write(f"{answered.photographs.name}: {line}")
        return answered

    def _robustness(self, answered: "Answered", analyser: Analyser, count: int) -> dict[str, Any] | None:
        from mlmodel.evaluation.robustness import robustness_of

        return robustness_of(answered, analyser, count=count, progress=self._progress) if count else None

    def _latency(self, answered: "Answered", analyser: Analyser, count: int) -> dict[str, Any] | None:
        from mlmodel.evaluation.latency import latency_of

        return latency_of(answered.photographs.paths, analyser, count=count) if count else None

    def _folds(self, text: str) -> tuple[int, ...]:
        try:
            return tuple(sorted({int(part) for part in text.split(",")}))
        except ValueError as error:
            raise CommandError(f"--folds must be a list of numbers such as 8,9; it is “{text}”.") from error

    def _progress(self, items: Iterable[Item]) -> Iterable[Item]:
        return tqdm(items, unit="photograph", file=sys.stderr, disable=None, leave=False)

    def _summarise(self, facts: dict[str, Any]) -> None:
        from mlmodel.reporting.words import HEADLINE

        for found in facts["sets"]:
            self.stdout.write(f"{found['name']}: {found['photographs']} photographs, {found['lesions']} lesions")
            for figure, title, _ in HEADLINE:
                estimate = found["subsets"]["lesions"]["figures"][figure]
                text = f"{estimate['value']:.3f} ({estimate['low']:.3f}–{estimate['high']:.3f})" if estimate else "–"
                self.stdout.write(f"  {title}: {text}")
