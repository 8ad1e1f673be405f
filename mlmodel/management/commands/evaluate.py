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


class Command(BaseCommand):
    help = (
        "Judge a network on labelled photographs and write one HTML page and its JSON. Give HAM10000's folder "
        "(--data), any set in the ISIC format (--images and --truth), smartphone photographs (--phone), and the "
        "photographs of other clinics that import_isic wrote (--collection), or several."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--release",
            type=Path,
            default=SHIPPED,
            metavar="DIR",
            help="The network: a release's folder (the shipped).",
        )
        parser.add_argument("--data", type=Path, metavar="DIR", help="ham10000/: a table with folds, and images/.")
        parser.add_argument(
            "--folds", default="8,9", metavar="LIST", help="Which folds of --data (8,9: the locked test)."
        )
        parser.add_argument("--images", type=Path, metavar="DIR", help="Photographs of a set in the ISIC format.")
        parser.add_argument("--truth", type=Path, metavar="CSV", help="Its truth: image,MEL,NV,BCC,AKIEC,BKL,DF,VASC.")
        parser.add_argument(
            "--metadata", type=Path, metavar="CSV", help="For --images: image, lesion_id, age, sex, site, skin_type."
        )
        parser.add_argument("--name", default="", help="What the set of --images is called on the page.")
        parser.add_argument("--phone", type=Path, metavar="DIR", help="Smartphone photographs with labels.csv.")
        parser.add_argument(
            "--collection",
            type=Path,
            action="append",
            default=[],
            metavar="DIR",
            help="What import_isic wrote: judged by source, on --folds. Needs one of the others too.",
        )
        parser.add_argument("--run", type=Path, metavar="DIR", help="The training run that made it, for its curves.")
        parser.add_argument(
            "--robustness", type=int, default=0, metavar="N", help="Change N photographs; 40 take minutes (0)."
        )
        parser.add_argument("--latency", type=int, default=30, metavar="N", help="Time N answers (30); 0 to skip.")
        parser.add_argument(
            "--pictures", type=int, default=12, metavar="N", help="Mistakes of each kind to show (12); 0 shows none."
        )
        parser.add_argument("--cache", type=Path, default=Path(settings.DATA_DIR) / "features", metavar="DIR")
        parser.add_argument("--output", type=Path, default=Path("report"), metavar="DIR", help="(report)")

    def handle(self, *args: Any, **options: Any) -> None:
        self._check(options)
        try:
            from mlmodel.evaluation.answering import Judge
            from mlmodel.evaluation.collections import read_collections
            from mlmodel.evaluation.facts import evaluation_facts
            from mlmodel.evaluation.page import write_report
            from mlmodel.evaluation.training_curves import training_of
        except ImportError as error:
            raise CommandError("This command needs SciPy: pip install -r requirements.txt") from error
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
                judge=Judge.of(analyser),
                sets=sets,
                by_source=self._by_source(collections, analyser) if collections else None,
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

    def _check(self, options: dict[str, Any]) -> None:
        if not (options["data"] or options["images"] or options["phone"]):
            raise CommandError("Give photographs to judge: --data DIR, or --images DIR --truth CSV, or --phone DIR.")
        if bool(options["images"]) != bool(options["truth"]):
            raise CommandError("--images and --truth belong together: the photographs, and what they show.")
        if options["metadata"] and not options["images"]:
            raise CommandError("--metadata belongs to --images.")
        for name in ("robustness", "latency", "pictures"):
            if options[name] < 0:
                raise CommandError(f"--{name} must be 0 or more.")

    def _read(self, options: dict[str, Any]) -> "list[Photographs]":
        """Read every table before the first photograph: an error in the last one must not cost an hour."""
        from mlmodel.evaluation.isic_sets import read_isic
        from mlmodel.evaluation.known_sets import read_phone

        found = []
        if options["images"]:
            found.append(read_isic(options["images"], options["truth"], options["metadata"], name=options["name"]))
        if options["phone"]:
            found.append(read_phone(options["phone"]))
        return found

    def _answer_folds(self, options: dict[str, Any], folds: tuple[int, ...], analyser: Analyser) -> "Answered":
        from mlmodel.evaluation.ham10000_answers import answer_ham10000

        return self._told(answer_ham10000(options["data"], folds, analyser, options["cache"], self._progress))

    def _answer(self, photographs: "Photographs", analyser: Analyser) -> "Answered":
        from mlmodel.evaluation.answering import answer_as_served

        return self._told(answer_as_served(photographs, analyser, self._progress))

    def _by_source(self, read: "tuple[Dataset, Dataset, list[str]]", analyser: Analyser) -> dict[str, Any]:
        from mlmodel.evaluation.collections import judge_by_source

        part, whole, notes = read
        found, unreadable = judge_by_source(part, whole, analyser, self._progress)
        for line in (*notes, *unreadable):
            self.stderr.write(line)
        return found

    def _told(self, answered: "Answered") -> "Answered":
        """Say what was left out of a set, and why."""
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
            raise CommandError(f"--folds is a list of numbers such as 8,9; it is “{text}”.") from error

    def _progress(self, items: Iterable[Item]) -> Iterable[Item]:
        return tqdm(items, unit="photograph", file=sys.stderr, disable=None, leave=False)

    def _summarise(self, facts: dict[str, Any]) -> None:
        from mlmodel.evaluation.report_words import HEADLINE

        for found in facts["sets"]:
            self.stdout.write(f"{found['name']}: {found['photographs']} photographs, {found['lesions']} lesions")
            for figure, title, _ in HEADLINE:
                estimate = found["subsets"]["lesions"]["figures"][figure]
                said = f"{estimate['value']:.3f} ({estimate['low']:.3f}–{estimate['high']:.3f})" if estimate else "–"
                self.stdout.write(f"  {title}: {said}")
