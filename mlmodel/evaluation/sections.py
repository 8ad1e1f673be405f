"""Report sections about one set of photographs."""

from collections.abc import Mapping
from typing import Any

from mlmodel.evaluation.markup import Child, Html, join, table, tag
from mlmodel.evaluation.report_words import HEADLINE, SUBSETS, TIERS, count, estimate, name_of, share
from mlmodel.evaluation.svg_charts import bar, precision_recall_chart, reliability_chart, roc_chart, whisker
from mlmodel.taxonomy import BY_CODE, CODES

Facts = Mapping[str, Any]


def headline(subset: Facts) -> Html:
    """Return the headline metrics, each with its definition."""
    return tag(
        "dl",
        *(
            tag(
                "div",
                tag("dt", title),
                tag("dd", estimate(subset["figures"][figure], 2 if figure == "set_size" else 3)),
                tag("dd", definition, class_="definition"),
            )
            for figure, title, definition in HEADLINE
        ),
        class_="cards",
    )


def distribution(found: Facts) -> Html:
    """Return the section on the class distribution, with notes on what was excluded."""
    most = max(each["lesions"] for each in found["classes"].values())
    rows: list[list[Child]] = [
        [
            name_of(code),
            f"{each['photographs']:,}",
            f"{each['lesions']:,}",
            f"{each['lesions'] / max(found['lesions'], 1):.1%}",
            bar(each["lesions"] / max(most, 1), f"{each['lesions']}", class_=_kind(code)),
        ]
        for code, each in found["classes"].items()
    ]
    rows.append(["All", f"{found['photographs']:,}", f"{found['lesions']:,}", "100%", None])
    return join(
        tag("h3", "Class distribution"),
        tag("p", "How often each class is in this set; red: malignant or pre-malignant.", class_="definition"),
        table(["Class", "photographs", "lesions", "share of lesions", ""], rows),
        _left_out(found),
    )


def subsets_side_by_side(found: Facts) -> Html:
    """Return the headline metrics by lesion, by photograph and for sharp photographs."""
    subsets = found["subsets"]
    head: list[Child] = [
        "",
        *(join(SUBSETS[name], tag("br"), f"n = {each['count']:,}") for name, each in subsets.items()),
    ]
    rows: list[list[Child]] = [
        [title, *(estimate(each["figures"][figure]) for each in subsets.values())] for figure, title, _ in HEADLINE
    ]
    return join(
        tag("h3", "By lesion, by photograph, and sharp photographs only"),
        tag(
            "p",
            "By lesion, the probabilities of a lesion’s photographs are averaged, so that every lesion counts once. "
            "Small numbers: 95 % intervals.",
            class_="definition",
        ),
        table(head, rows),
    )


def by_class(subset: Facts, title: str = "By class", *, level: str = "h3") -> Html:
    """Return the section on sensitivity, specificity, precision, F1 and AUC of each class, with intervals."""
    names = ("sensitivity", "specificity", "precision", "f1", "auc", "equal_prior_sensitivity")
    rows: list[list[Child]] = [
        [
            join(name_of(code), " ", tag("span", f"n = {subset['support'][code]:,}", class_="none")),
            *(estimate(subset["figures"][f"class.{code}.{name}"], 2) for name in names),
            whisker(subset["figures"][f"class.{code}.auc"], start=0.5),
        ]
        for code in CODES
    ]
    return join(
        tag(level, title),
        tag(
            "p",
            "Sensitivity: the share of a class that is recognised as this class. Specificity: the share of other "
            "lesions that is not. Precision: the share of lesions recognised as this class that belong to it. F1: the "
            "harmonic mean of precision and sensitivity. AUC: see above, for this class against the rest. All "
            "metrics are for the answer that users see, except the last sensitivity, which assumes every class "
            "equally likely, as balanced accuracy does.",
            class_="definition",
        ),
        table(
            [
                "Class",
                "sensitivity",
                "specificity",
                "precision",
                "F1",
                "AUC",
                "sensitivity, equal priors",
                "AUC, 0.5 to 1",
            ],
            rows,
        ),
    )


def confusion(subset: Facts, *, reading: str = "calibrated", level: str = "h3", title: str = "") -> Html:
    """Return the section with the confusion matrix: row shares and numbers."""
    words = {
        "calibrated": "The most probable class, as users see it.",
        "equal_prior": "With every class assumed equally likely: rare classes are predicted more often.",
    }
    rows: list[Html] = []
    for truth, numbers in zip(CODES, subset["confusion"][reading], strict=True):
        total = sum(numbers)
        cells = [
            _cell(number / total if total else 0.0, number, is_right=truth == predicted)
            for predicted, number in zip(CODES, numbers, strict=True)
        ]
        rows.append(tag("tr", tag("th", name_of(truth), scope="row"), *cells, tag("td", f"{total:,}")))
    head = tag("tr", *(tag("th", each, scope="col") for each in ("true ↓ predicted →", *CODES, "n")))
    return join(
        tag(level, title or "Confusion matrix"),
        tag(
            "p",
            f"{words[reading]} Each row is a true class; its shares add up to 100 %, with the numbers below them.",
            class_="definition",
        ),
        tag(
            "div",
            tag("table", tag("thead", head), tag("tbody", *rows), class_="matrix"),
            class_="scroll",
            tabindex="0",
            role="group",
            aria_label="Confusion matrix",
        ),
    )


def operating_points(subset: Facts, thresholds: Mapping[str, float], title: str) -> Html:
    """Return the section on the sensitivity, specificity and precision at the two thresholds."""
    figures = subset["figures"]
    names = ("sensitivity", "melanoma_sensitivity", "specificity", "precision", "flagged")
    rows: list[list[Child]] = [
        [
            tag("span", TIERS.get(tier, tier), class_=f"tier tier-{tier}"),
            f"{threshold:.3f}",
            *(share(figures[f"tier.{tier}.{name}"]) for name in names),
        ]
        for tier, threshold in thresholds.items()
    ]
    return join(
        tag("h3", "Operating points"),
        tag(
            "p",
            "A lesion is flagged if the probabilities of melanoma, basal cell carcinoma and actinic keratosis or "
            "Bowen’s disease add up to the threshold or more. Both thresholds were chosen in advance, on other "
            "lesions. Precision depends on how common disease is where the network is used.",
            class_="definition",
        ),
        table(
            ["Flagged as", "threshold", "sensitivity", "sensitivity for melanoma", "specificity", "precision",
             "share flagged"],
            rows,
            caption=f"{title}, n = {subset['count']:,}, {subset['malignant']:,} malignant or pre-malignant.",
        ),
    )  # fmt: skip


def curves(subset: Facts, thresholds: Mapping[str, float]) -> Html:
    """Return ROC and precision–recall curves: malignant against benign first, then each class against the rest."""
    found = subset["curves"]
    large = []
    if malignant := found["malignant"]:
        marks = [
            (1 - figures["specificity"]["value"], figures["sensitivity"]["value"], tier)
            for tier in thresholds
            if (figures := _tier_figures(subset, tier))
        ]
        large.append(
            tag(
                "figure",
                tag("strong", f"ROC, malignant against benign: AUC {malignant['auc']:.3f}"),
                roc_chart(malignant, "Malignant against benign", marks=marks),
                tag("ul", tag("li", "urgent", class_="urgent"), tag("li", "watch", class_="watch"), class_="key"),
            )
        )
    if subset["reliability"]:
        large.append(
            tag(
                "figure",
                tag("strong", "Reliability"),
                reliability_chart(subset["reliability"]),
                tag(
                    "figcaption",
                    "On the dashed line, an answer with 70 % probability is correct 7 times in 10. Lines: 95 % "
                    "intervals (Wilson).",
                ),
            )
        )
    return join(
        tag("h3", "Malignant against benign, and reliability"),
        tag("div", *large, class_="figures"),
        tag("h3", "ROC curves by class"),
        tag(
            "p",
            "Sensitivity against the false positive rate at every threshold; the dashed line is guessing.",
            class_="definition",
        ),
        _multiples(found, "auc", "AUC", roc_chart),
        tag("h3", "Precision–recall curves by class"),
        tag(
            "p",
            "Precision against sensitivity at every threshold; the dashed line is guessing, which depends on how "
            "common the class is here. AP: average precision, the area.",
            class_="definition",
        ),
        _multiples(found, "average_precision", "AP", precision_recall_chart),
    )


def _multiples(found: Facts, figure: str, short: str, draw: Any) -> Html:
    return tag(
        "div",
        *(
            tag(
                "figure", tag("strong", f"{name_of(code)}: {short} {found[code][figure]:.3f}"), draw(found[code], code)
            )
            for code in CODES
            if found[code]
        ),
        class_="multiples",
    )


def _tier_figures(subset: Facts, tier: str) -> dict[str, Any] | None:
    found = {name: subset["figures"][f"tier.{tier}.{name}"] for name in ("sensitivity", "specificity")}
    return found if all(found.values()) else None


def _cell(part: float, number: int, *, is_right: bool) -> Html:
    shade = round(part * 10)
    class_ = f"{'right' if is_right else 'wrong'}-{shade}" if shade else None
    return tag(
        "td", tag("b", _percent(part) if number else "·"), tag("span", f"{number:,}" if number else ""), class_=class_
    )


def _percent(part: float) -> str:
    return "<1%" if 0 < part < 0.005 else f"{part:.0%}"


def _left_out(found: Facts) -> Html:
    notes = list(found["notes"])
    if found["unreadable"]:
        notes.append(
            f"{count(len(found['unreadable']), 'file')} could not be read: {'; '.join(found['unreadable'][:5])}"
        )
    if found["refusals"] is not None:
        refused = ", ".join(f"{name.replace('_', ' ')} {number:,}" for name, number in found["refusals"].items())
        notes.append(
            f"The application would have refused these: {refused}. They are included here anyway."
            if refused
            else "The application would have refused none of them."
        )
    for each in found["outside"]:
        tiers = ", ".join(f"{tier} {number}" for tier, number in each["tiers"].items())
        notes.append(
            f"{name_of(each['diagnosis'])} is none of the seven classes: its "
            f"{count(each['photographs'], 'photograph')} were excluded from all results. Their tiers: "
            f"{tiers}."
        )
    return tag("ul", *(tag("li", note) for note in notes), class_="notes note") if notes else Html("")


def _kind(code: str) -> str:
    return "malignant" if BY_CODE[code].is_malignant else "main"
