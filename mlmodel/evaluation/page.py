"""The evaluation report: one self-contained HTML page and its JSON."""

import base64
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlmodel.evaluation import more_sections, sections
from mlmodel.evaluation.markup import Html, join, tag
from mlmodel.evaluation.report_words import SUBSETS, count, of_a_hundred

REPORT_PAGE, REPORT_JSON = "report.html", "report.json"
STYLE = (Path(__file__).resolve().parent / "report.css").read_text(encoding="utf-8")
Facts = Mapping[str, Any]


def write_report(facts: Facts, folder: Path) -> tuple[Path, Path]:
    """Write ``report.html`` and ``report.json`` to a folder, creating it if needed, and return their paths.

    The JSON has everything except the pictures.
    """
    folder.mkdir(parents=True, exist_ok=True)
    page, data = folder / REPORT_PAGE, folder / REPORT_JSON
    _write(page, render_page(facts))
    _write(data, json.dumps(_without_pictures(facts), indent=1, ensure_ascii=False, allow_nan=False) + "\n")
    return page, data


def style_hash(page: str) -> str:
    """Return the hash with which a content security policy allows the page's own style only.

    Raises:
        ValueError: the page has no style of its own.
    """
    style = page.split("<style>", 1)[1].split("</style>", 1)[0] if "<style>" in page else None
    if style is None:
        raise ValueError("the page has no style of its own")
    return f"sha256-{base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()}"


def render_page(facts: Facts) -> str:
    """Return the page."""
    network = facts["network"]
    title = f"Evaluation of {network['version']}"
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="robots", content="noindex"),
        tag("title", f"{title} · DermaScan"),
        tag("style", Html(STYLE)),
    )
    body = tag("body", _top(facts, title), tag("main", *_parts(facts)), _footer(facts))
    return f"<!DOCTYPE html>\n{tag('html', head, body, lang='en-GB')}\n"


def _parts(facts: Facts) -> list[Html]:
    parts = [_set(found, facts, number) for number, found in enumerate(facts["sets"])]
    if facts.get("by_source"):
        parts.append(more_sections.by_source(facts["by_source"]))
    parts += [
        more_sections.robustness(facts["robustness"]),
        more_sections.training(facts["training"]),
        more_sections.latency(facts["latency"]),
        more_sections.method(facts),
    ]
    parts += [_appendix(found, number) for number, found in enumerate(facts["sets"]) if len(found["subsets"]) > 1]
    return parts


def _top(facts: Facts, title: str) -> Html:
    network, first = facts["network"], facts["sets"][0]
    links = [(f"set-{number}", found["name"]) for number, found in enumerate(facts["sets"])]
    links += [("sources", "By source")] if facts.get("by_source") else []
    links += [
        ("robustness", "Robustness"), ("training", "Training"), ("latency", "Latency"),
        ("method", "Method and limits"),
    ]  # fmt: skip
    return tag(
        "header",
        tag("p", "DermaScan · evaluation report", class_="eyebrow"),
        tag("h1", title),
        tag(
            "p",
            f"{count(first['photographs'], 'photograph')} of {count(first['lesions'], 'lesion')}: {first['name']}. "
            f"Generated on {facts['made_at'][:10]}.",
            class_="soft",
        ),
        tag(
            "div",
            tag(
                "p",
                tag("strong", "Decision support, not a diagnosis."),
                " The network misses cancers; the report shows how many.",
            ),
            class_="callout",
        ),
        _summary(first, network),
        tag(
            "nav",
            tag("ol", *(tag("li", tag("a", name, href=f"#{where}")) for where, name in links)),
            aria_label="Contents",
        ),
        class_="top",
    )


def _summary(found: Facts, network: Facts) -> Html:
    """Return one sentence with the clinically most relevant results."""
    subset = found["subsets"].get("sharp", found["subsets"]["lesions"])
    what = "sharp photographs" if "sharp" in found["subsets"] else "lesions"
    sentences = [
        f"“{words}” flags {of_a_hundred(subset['figures'][f'tier.{tier}.melanoma_sensitivity'])} melanomas and does "
        f"not flag {of_a_hundred(subset['figures'][f'tier.{tier}.specificity'])} benign lesions"
        for tier, words in (
            ("watch", "Have a dermatologist look at it"),
            ("urgent", "See a dermatologist within two weeks"),
        )
        if tier in network["thresholds"]
    ]
    return tag("p", f"Of {what}: " + "; ".join(sentences) + ". In brackets: 95 % intervals.", class_="lead")


def _set(found: Facts, facts: Facts, number: int) -> Html:
    thresholds = facts["network"]["thresholds"]
    by_lesion = found["subsets"]["lesions"]
    # Thresholds were chosen on sharp photographs, as cameras produce.
    points = "sharp" if "sharp" in found["subsets"] else "lesions"
    return tag(
        "section",
        tag("h2", found["name"]),
        tag("p", found["description"]) if found["description"] else None,
        sections.headline(by_lesion),
        tag("p", "By lesion, with 95 % intervals.", class_="note"),
        sections.distribution(found),
        sections.subsets_side_by_side(found),
        sections.operating_points(found["subsets"][points], thresholds, SUBSETS[points]),
        sections.by_class(by_lesion),
        sections.confusion(by_lesion),
        sections.confusion(by_lesion, reading="equal_prior", title="Confusion matrix, equal priors"),
        sections.curves(by_lesion, thresholds),
        more_sections.conformal_sets(by_lesion),
        more_sections.subgroups(found["subgroups"]),
        more_sections.mistakes(found),
        class_="set",
        id=f"set-{number}",
    )


def _appendix(found: Facts, number: int) -> Html:
    """Return the tables of the other subsets."""
    others = {name: subset for name, subset in found["subsets"].items() if name != "lesions"}
    return tag(
        "section",
        tag("h2", f"Appendix: {found['name']}, other subsets"),
        *(
            join(
                sections.by_class(subset, f"{SUBSETS[name]}: by class"),
                sections.confusion(subset, title=f"{SUBSETS[name]}: confusion matrix"),
                more_sections.conformal_sets(subset),
            )
            for name, subset in others.items()
        ),
        class_="part appendix",
        id=f"appendix-{number}",
    )


def _footer(facts: Facts) -> Html:
    credit_lines = dict.fromkeys(found["credit"] for found in facts["sets"] if found["credit"])
    return tag(
        "footer",
        tag(
            "p",
            "Generated by manage.py evaluate; no number was entered by hand. The same results are in report.json.",
        ),
        *(tag("p", each) for each in credit_lines),
    )


def _without_pictures(facts: Facts) -> dict[str, Any]:
    def bare(found: Facts) -> dict[str, Any]:
        kinds = {
            kind: [{name: value for name, value in each.items() if name != "picture"} for each in mistakes]
            for kind, mistakes in found["mistakes"].items()
        }
        return {**found, "mistakes": kinds}

    return {**facts, "sets": [bare(found) for found in facts["sets"]]}


def _write(path: Path, text: str) -> None:
    partial = path.with_name(f"{path.name}.partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)
