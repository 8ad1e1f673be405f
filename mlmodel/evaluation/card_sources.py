"""The parts of the model card that are about where photographs come from."""

from collections.abc import Mapping, Sequence
from typing import Any

from mlmodel.evaluation.by_source import COUNTS, FIGURES
from mlmodel.metrics.calibration_rules import WATCH_MELANOMA_SENSITIVITY, WATCH_SENSITIVITY
from mlmodel.metrics.performance import Estimate
from mlmodel.releases.sources import Source, source_of


def learned_from(sources: Sequence[Mapping[str, Any]]) -> str:
    """How many photographs of each source did what, and whom to name for them."""
    counts = "\n".join(
        f"| {source_of(each['name']).title} | "
        + " | ".join(_counted(each.get(part)) for part in ("trained", "chosen", "locked"))
        + " |"
        for each in sources
    )
    named = "\n".join(_named(source_of(each["name"])) for each in sources)
    return f"""
| photographs (lesions) | trained on, folds 0–6 | chosen and calibrated on, fold 7 | locked test, folds 8–9 |
|---|---:|---:|---:|
{counts}

Splits are by lesion, as far as it is known which photographs show the same one. What is locked was judged once, when
everything was final.

{named}
""".strip()


def by_source(sources: Mapping[str, Mapping[str, Any]]) -> str:
    """What to expect at each source, and where what was promised is not kept; nothing where one was judged."""
    if not sources:
        return ""
    figures = {source_of(name).title: found["figures"] for name, found in sources.items()}
    rows = "\n".join(
        f"| {title} | " + " | ".join(str(each[metric] or "–") for each in figures.values()) + " |"
        for metric, title in FIGURES.items()
    )
    counts = "\n".join(
        f"| {title} | " + " | ".join(f"{found[key]:,}" for found in sources.values()) + " |"
        for key, title in COUNTS.items()
    )
    return f"""
## By source

What to expect at a clinic depends on whose clinic it is. Each source's locked test, by lesion, single look; – where
fewer than ten lesions could tell. Areas under the curve are of equal-prior scores, calibration is judged at the
source's own class mix.

| | {" | ".join(figures)} |
|---|{"---:|" * len(figures)}
{counts}
{rows}

{_promises(figures)}
"""


# What is promised everywhere, as a share: figure, the share, and how it is said.
_PROMISED = (
    ("set_coverage", 0.90, "the 90 % sets hold the truth less often than in nine of ten lesions"),
    ("watch.sensitivity", WATCH_SENSITIVITY, f"*watch* flags less than {WATCH_SENSITIVITY:.0%} of malignant lesions"),
    (
        "watch.melanoma_sensitivity",
        WATCH_MELANOMA_SENSITIVITY,
        f"*watch* flags less than {WATCH_MELANOMA_SENSITIVITY:.0%} of melanomas",
    ),
)


def _promises(figures: Mapping[str, Mapping[str, Estimate | None]]) -> str:
    """Say where a promise is not kept on the locked test, whatever the interval."""
    broken = [
        f"- {said}: {', '.join(where)}."
        for figure, share, said in _PROMISED
        if (
            where := [
                f"{source} ({found.value:.1%})"
                for source, own in figures.items()
                if (found := own[figure]) and found.value < share
            ]
        )
    ]
    if not broken:
        return "Sets and *watch* keep their promises on every locked test that can tell."
    return "\n".join(["What was promised is not kept everywhere. On these locked tests", "", *broken])


# The groups that ``provenance.hardly_seen`` counts.
_GROUPS = {
    "children": "Children and adolescents, under 18",
    "skin_types_4_to_6": "Skin types IV to VI (Fitzpatrick)",
    "palms_and_soles": "Palms and soles",
    "nails": "Nails",
    "mucosa": "Genital skin and mucosa",
}


def hardly_seen(groups: Sequence[Mapping[str, Any]]) -> str:
    """How many lesions of those were seen of whom little can be said."""
    rows = "\n".join(
        f"| {_GROUPS[each['group']]} | {each['trained']:,} | {each['judged']:,} | {each['smartphone']:,} | "
        f"{each['not_recorded']:,} |"
        for each in groups
    )
    return f"""
## Groups it was hardly tested on

Lesions by what is recorded of their patients and sites. Where the locked tests hold a handful, nobody can say how well
it does. Of how many lesions trained on or locked it is not recorded stands in the last column: they may hold more.

| | trained on | locked tests | smartphone (untrained) | not recorded |
|---|---:|---:|---:|---:|
{rows}
"""


def limits(sources: Sequence[Mapping[str, Any]]) -> str:
    """What it was not made for."""
    trained_on = [source_of(each["name"]) for each in sources if "trained" in each]
    places = "; ".join(source.place or source.title for source in trained_on)
    return f"""
## Limits

- Dermatoscopic photographs from few clinics ({places}), nearly all of light skin as far as anybody can tell: it is
  not recorded.
- Smartphone photographs without a dermatoscope are accepted but were not trained on: no condition and no probability
  is stated of them.
- Seven classes. Anything else (squamous cell carcinoma, dermatitis, infections, Merkel cell carcinoma …) is forced
  into one of the seven.
- About half of HAM10000's photographs are softened copies of the originals; the first table shows the sharp ones
  apart.
- The heat map shows what moved the answer, not where disease is.
"""


def _counted(part: Mapping[str, int] | None) -> str:
    return f"{part['photographs']:,} ({part['lesions']:,})" if part else "–"


def _named(source: Source) -> str:
    if not source.credit:
        return f"- **{source.title}**: ask its owner about the terms of use."
    return f"- **{source.title}**: {source.place}. {source.credit}, <{source.link}>. {source.licence}."
