"""The sections of the model card about the sources of the photographs."""

from collections.abc import Mapping, Sequence
from typing import Any

from mlmodel.evaluation.by_source import COUNTS, FIGURES
from mlmodel.metrics.calibration_rules import WATCH_MELANOMA_SENSITIVITY, WATCH_SENSITIVITY
from mlmodel.metrics.performance import Estimate
from mlmodel.releases.sources import Source, source_of


def learned_from(sources: Sequence[Mapping[str, Any]]) -> str:
    """Return a table of the photographs of each source by use, with credits."""
    counts = "\n".join(
        f"| {source_of(each['name']).title} | "
        + " | ".join(_counted(each.get(part)) for part in ("trained", "chosen", "locked"))
        + " |"
        for each in sources
    )
    credit_lines = "\n".join(_credit(source_of(each["name"])) for each in sources)
    return f"""
| photographs (lesions) | training, folds 0–6 | validation and calibration, fold 7 | held-out test set, folds 8–9 |
|---|---:|---:|---:|
{counts}

Splits are by lesion, where it is known which photographs show the same lesion. The held-out test set was evaluated
once, when everything was final.

{credit_lines}
""".strip()


def by_source(sources: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the section on performance by source and unmet targets; empty if there was only one source."""
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

Performance differs between clinics. Each source's held-out test set, by lesion, one analysis per photograph; – where
there are fewer than ten lesions. Areas under the curve use equal-prior scores; calibration is measured at the source's
own class mix.

| | {" | ".join(figures)} |
|---|{"---:|" * len(figures)}
{counts}
{rows}

{_unmet_targets(figures)}
"""


# Targets for every source: metric, target share, and the sentence if it is missed.
_TARGETS = (
    ("set_coverage", 0.90, "the 90 % sets contain the true class in fewer than nine of ten lesions"),
    ("watch.sensitivity", WATCH_SENSITIVITY, f"*watch* flags less than {WATCH_SENSITIVITY:.0%} of malignant lesions"),
    (
        "watch.melanoma_sensitivity",
        WATCH_MELANOMA_SENSITIVITY,
        f"*watch* flags less than {WATCH_MELANOMA_SENSITIVITY:.0%} of melanomas",
    ),
)


def _unmet_targets(figures: Mapping[str, Mapping[str, Estimate | None]]) -> str:
    """Return the targets that are missed on the held-out test set, whatever the interval."""
    missed = [
        f"- {sentence}: {', '.join(where)}."
        for figure, share, sentence in _TARGETS
        if (
            where := [
                f"{source} ({estimate.value:.1%})"
                for source, own in figures.items()
                if (estimate := own[figure]) and estimate.value < share
            ]
        )
    ]
    if not missed:
        return "The prediction sets and *watch* meet their targets on every held-out test set that is large enough."
    return "\n".join(["Some targets are not met everywhere. On these held-out test sets", "", *missed])


# The groups that ``provenance.hardly_seen`` counts.
_GROUPS = {
    "children": "Children and adolescents, under 18",
    "skin_types_4_to_6": "Skin types IV to VI (Fitzpatrick)",
    "palms_and_soles": "Palms and soles",
    "nails": "Nails",
    "mucosa": "Genital skin and mucosa",
}


def hardly_seen(groups: Sequence[Mapping[str, Any]]) -> str:
    """Return the section on patient groups and body sites with very little data."""
    rows = "\n".join(
        f"| {_GROUPS[each['group']]} | {each['trained']:,} | {each['judged']:,} | {each['smartphone']:,} | "
        f"{each['not_recorded']:,} |"
        for each in groups
    )
    return f"""
## Groups with very little test data

Lesions by recorded patient group and body site. Where the held-out test sets contain only a handful, performance is
unknown. The last column counts training and test lesions without this record: they may include more of the group.

| | training | held-out test sets | smartphone (not in training) | not recorded |
|---|---:|---:|---:|---:|
{rows}
"""


def limits(sources: Sequence[Mapping[str, Any]]) -> str:
    """Return the section on limits."""
    trained_on = [source_of(each["name"]) for each in sources if "trained" in each]
    places = "; ".join(source.place or source.title for source in trained_on)
    return f"""
## Limits

- Dermatoscopic photographs from few clinics ({places}), nearly all apparently of light skin: skin type is not
  recorded.
- Smartphone photographs without a dermatoscope are accepted but were not used for training: no condition and no
  probability is stated for them.
- Seven classes. Anything else (squamous cell carcinoma, dermatitis, infections, Merkel cell carcinoma …) is forced
  into one of the seven.
- About half of HAM10000's photographs are softened copies of the originals; the first table shows the sharp ones
  separately.
- The heat map shows what influenced the answer, not where disease is.
"""


def _counted(part: Mapping[str, int] | None) -> str:
    return f"{part['photographs']:,} ({part['lesions']:,})" if part else "–"


def _credit(source: Source) -> str:
    if not source.credit:
        return f"- **{source.title}**: ask the owner about the terms of use."
    return f"- **{source.title}**: {source.place}. {source.credit}, <{source.link}>. {source.licence}."
