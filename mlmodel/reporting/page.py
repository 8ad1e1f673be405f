"""The evaluation report: one self-contained HTML page, made from the facts that are also its JSON."""

import json
import re
from collections.abc import Mapping
from html import unescape
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, UndefinedError

from mlmodel.counted import counted
from mlmodel.evaluation.by_source import COUNTS, FIGURES, LEAST
from mlmodel.evaluation.errors import EvaluationError
from mlmodel.evaluation.model_card import how_asked
from mlmodel.evaluation.subgroups import FEWEST_LESIONS, FEWEST_OF_A_KIND
from mlmodel.releases.sources import source_of
from mlmodel.reporting import charts
from mlmodel.reporting.words import HEADLINE, SUBSETS, TIERS, TRAITS, name_of, of_a_hundred, worst_source
from mlmodel.taxonomy import BY_CODE, CODES

REPORT_PAGE, REPORT_JSON = "report.html", "report.json"
STYLE = (Path(__file__).resolve().parent / "report.css").read_text(encoding="utf-8")
Facts = Mapping[str, Any]

_PICTURE = re.compile(r'<img src="(data:image/jpeg;base64,[^"]*)" alt="[^"]*, photograph ([^"]*)"')
# Facts that reports of earlier versions lack.
_LATER_FACTS = {"by_source": {}, "by_source_from_release": False}
_WORDS = {
    "BY_CODE": BY_CODE, "CODES": CODES, "COUNTS": COUNTS, "FEWEST_LESIONS": FEWEST_LESIONS,
    "FEWEST_OF_A_KIND": FEWEST_OF_A_KIND, "FIGURES": FIGURES, "HEADLINE": HEADLINE, "LEAST": LEAST,
    "STYLE": STYLE, "SUBSETS": SUBSETS, "TIERS": TIERS, "TRAITS": TRAITS,
    "counted": counted, "how_asked": how_asked, "of_a_hundred": of_a_hundred, "source_of": source_of,
    "worst_source": worst_source,
    "roc_chart": charts.roc_chart, "precision_recall_chart": charts.precision_recall_chart,
    "reliability_chart": charts.reliability_chart, "epochs_chart": charts.epochs_chart,
}  # fmt: skip


def render_page(facts: Facts) -> str:
    """Return the page of a report's facts, which may lack pictures."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).resolve().parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(_WORDS)
    environment.filters.update(
        fixed=lambda value, digits: f"{value:.{digits}f}",
        percent=lambda value, digits=0: f"{value:.{digits}%}",
        thousands=lambda value: f"{value:,}",
        capitalised=lambda text: text[:1].upper() + text[1:],
        numbered=lambda values: enumerate(values, start=1),
        name_of=name_of,
    )
    return environment.get_template("page.html").render(_LATER_FACTS | dict(facts))


def write_report(facts: Facts, folder: Path) -> tuple[Path, Path]:
    """Write ``report.html`` and ``report.json`` to a folder, creating it if needed, and return their paths.

    The JSON has everything except the pictures.
    """
    folder.mkdir(parents=True, exist_ok=True)
    page, data = folder / REPORT_PAGE, folder / REPORT_JSON
    _write(page, render_page(facts))
    _write(data, json.dumps(_without_pictures(facts), indent=1, ensure_ascii=False, allow_nan=False) + "\n")
    return page, data


def render_again(folder: Path) -> Path:
    """Write ``report.html`` again from ``report.json`` and the pictures of the present page; return its path.

    Raises:
        EvaluationError: the folder has no report of ``manage.py evaluate``.
    """
    page, data = folder / REPORT_PAGE, folder / REPORT_JSON
    try:
        facts = json.loads(data.read_text(encoding="utf-8"))
        pictures = _pictures_of(page.read_text(encoding="utf-8")) if page.is_file() else {}
        for mistake in _mistakes(facts):
            mistake["picture"] = pictures.get(mistake["image"], "")
        text = render_page(facts)
    except (OSError, ValueError, LookupError, TypeError, UndefinedError) as error:
        raise EvaluationError(f"{data} cannot be read as an evaluation report: {error}") from error
    _write(page, text)
    return page


def _pictures_of(page: str) -> dict[str, str]:
    return {unescape(image): picture for picture, image in _PICTURE.findall(page)}


def _mistakes(facts: Facts) -> list[dict[str, Any]]:
    return [each for found in facts["sets"] for kind in found["mistakes"].values() for each in kind]


def _without_pictures(facts: Facts) -> Facts:
    bare: Facts = json.loads(json.dumps(facts))
    for mistake in _mistakes(bare):
        mistake.pop("picture", None)
    return bare


def _write(path: Path, text: str) -> None:
    partial = path.with_name(f"{path.name}.partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)
