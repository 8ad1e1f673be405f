"""The report's page from the facts of an earlier version, and its charts."""

import json
import re
from typing import Any

import pytest

from mlmodel.evaluation.by_source import COUNTS, FIGURES
from mlmodel.releases.release_files import SHIPPED
from mlmodel.reporting.charts import epochs_chart, reliability_chart, roc_chart
from mlmodel.reporting.page import render_page

ESTIMATE = {"value": 0.875, "low": 0.8, "high": 0.95}


@pytest.fixture
def facts() -> dict[str, Any]:
    """The shipped report's facts without curves, which take long to draw."""
    facts: dict[str, Any] = json.loads((SHIPPED / "report.json").read_text(encoding="utf-8"))
    for found in facts["sets"]:
        for subset in found["subsets"].values():
            subset |= {"curves": dict.fromkeys(subset["curves"]), "reliability": []}
        for mistake in (each for kind in found["mistakes"].values() for each in kind):
            mistake["picture"] = ""
    return {**facts, "training": None}


def rows_of(page: str, section: str) -> list[list[str]]:
    """Return the text of the cells of a section's table, row by row."""
    own = page.split(f'id="{section}"', 1)[1].split("</section>", 1)[0]
    rows = re.findall(r"<tr>(.*?)</tr>", own, re.DOTALL)
    return [
        [
            " ".join(re.sub(r"<[^>]+>", "", cell).split())
            for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)
        ]
        for row in rows
    ]


def test_every_figure_by_source_is_shown_with_its_lesions(facts):
    source = {name: 1000 * place for place, name in enumerate(COUNTS, start=1)}
    behind = {name: 1100 + place for place, name in enumerate(FIGURES)}
    north = {**source, "figures": dict.fromkeys(FIGURES, ESTIMATE), "behind": behind}
    # An older release did not count the lesions of each figure.
    south: dict[str, Any] = {**source, "figures": {**dict.fromkeys(FIGURES, ESTIMATE), "melanoma_auc": None}}

    page = render_page({**facts, "by_source": {"HAM10000": north, "isic2020": south}, "by_source_from_release": True})

    head, *rows = rows_of(page, "sources")
    assert head == ["", "HAM10000", "ISIC 2020"]
    assert [row[0] for row in rows] == [title.replace("*", "") for title in (*COUNTS.values(), *FIGURES.values())]
    assert rows[1] == ["Lesions", "2,000", "2,000"]
    assert rows[4][1:] == ["0.88 0.80–0.95 n = 1,100", "–"]
    assert [row[1].split()[-1] for row in rows[4:]] == [f"{number:,}" for number in behind.values()]
    assert 'href="#sources"' in page
    assert "when the network was released" in page
    least = {**ESTIMATE, "value": 0.61}
    worse = {**south, "figures": {**south["figures"], "watch.melanoma_sensitivity": least}}
    lead = render_page({**facts, "by_source": {"HAM10000": north, "isic2020": worse}}).split("<nav", 1)[0]
    assert "At ISIC 2020" in lead
    assert "61 of 100" in lead
    alone = {name: values for name, values in facts.items() if name != "by_source"}
    assert 'id="sources"' not in render_page(alone)


def test_numbers_and_shares_are_those_of_the_facts(facts):
    numbers = facts["sets"][0]["subsets"]["lesions"]["confusion"]["calibrated"]
    page = render_page(facts)

    matrix = page.split('<table class="matrix">', 1)[1].split("</table>", 1)[0]
    shown = [int(each.replace(",", "") or 0) for each in re.findall(r"<span>([\d,]*)</span>", matrix)]
    assert shown == [number for row in numbers for number in row]
    assert rows_of(page, "latency")[1][1] == f"{facts['latency']['answer']['p50'] * 1000:.0f} ms"
    assert len(rows_of(page, "robustness")) == 1 + len(facts["robustness"]["changes"])
    for found in facts["sets"]:
        assert found["credit"] in page


def test_a_chart_has_the_colours_of_the_page_and_true_numbers_on_its_axes():
    curve = {"roc": [[0, 0], [0.123456, 0.654321], [1, 1]]}
    figures = {
        f"tier.{tier}.{name}": ESTIMATE for tier in ("urgent", "watch") for name in ("sensitivity", "specificity")
    }

    drawn = roc_chart(curve, 'A "set" & <curve>', figures=figures)

    assert re.findall(r">([\d.]+)</text>", drawn) == ["0.00", "0.25", "0.50", "0.75", "1.00"] * 2
    assert 'aria-label="A &quot;set&quot; &amp; &lt;curve&gt;"' in drawn
    assert {"accent", "soft", "line", "urgent", "watch", "surface"} == set(re.findall(r"var\(--(\w+)\)", drawn))
    # Neither colours of its own nor styles, which the content security policy would refuse.
    assert not re.search(r"style|=\"#[0-9a-f]{6}|\d\.\d\d+ ", drawn)
    plain = roc_chart(curve, "Another")
    assert not set(re.findall(r'id="([^"]+)"', drawn)) & set(re.findall(r'id="([^"]+)"', plain))


def test_what_was_not_recorded_has_no_line():
    epochs: list[dict[str, float | None]] = [
        {"loss": 1.5, "accuracy": None},
        {"loss": None, "accuracy": None},
        {"loss": 0.5, "accuracy": None},
    ]

    assert epochs_chart(epochs, ["accuracy"], "Accuracy") == ""
    assert "var(--accent)" in epochs_chart(epochs, ["loss", "watched_loss"], "Loss")
    assert "var(--watch)" not in epochs_chart(epochs, ["loss", "watched_loss"], "Loss")


def test_a_single_bin_is_drawn():
    one = {"from": 0.9, "to": 1.0, "count": 3, "confidence": 0.95, "accuracy": 1.0, "low": 0.4, "high": 1.0}
    assert reliability_chart([one], "Reliability").count("<path") > 3
