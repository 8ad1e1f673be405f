"""Report sections on prediction sets, sources, subgroups, mistakes, robustness, training, latency and method."""

from collections.abc import Mapping, Sequence
from typing import Any

from mlmodel.evaluation.by_source import COUNTS, FIGURES, LEAST
from mlmodel.evaluation.markup import Child, Html, join, table, tag
from mlmodel.evaluation.model_card import how_asked
from mlmodel.evaluation.report_words import TRAITS, enough, estimate, name_of, share
from mlmodel.evaluation.subgroups import FEWEST_LESIONS, FEWEST_OF_A_KIND
from mlmodel.evaluation.svg_charts import bar, epochs_chart, whisker
from mlmodel.releases.sources import source_of
from mlmodel.taxonomy import CODES

Facts = Mapping[str, Any]


def conformal_sets(subset: Facts) -> Html:
    """Return the section on the coverage and size of the prediction sets."""
    figures = subset["figures"]
    sizes = [(size, number) for size, number in enumerate(subset["set_sizes"], start=1) if number]
    size_text = ", ".join(f"{size}: {number / subset['count']:.0%}" for size, number in sizes)
    rows: list[list[Child]] = [
        [name, number, share(coverage), whisker(coverage)]
        for name, number, coverage in (
            ("All", f"{subset['count']:,}", figures["set_coverage"]),
            *((name_of(c), f"{subset['support'][c]:,}", figures[f"class.{c}.set_coverage"]) for c in CODES),
        )
    ]
    return join(
        tag("h3", "Conformal sets"),
        tag(
            "p",
            join(
                "In addition to the most probable class, the application states a set of classes that should contain "
                "the true class nine times in ten, for each of the seven classes. Mean size ",
                estimate(figures["set_size"], 2),
                f"; share of sets by size: {size_text}.",
            ),
            class_="definition",
        ),
        table(["Class", "n", "coverage", "0 to 1"], rows),
    )


def by_source(sources: Facts) -> Html:
    """Return the section on performance for each source of photographs, by lesion."""
    rows: list[list[Child]] = [
        [title, *(f"{found[key]:,}" for found in sources.values())] for key, title in COUNTS.items()
    ]
    rows += [
        [title.replace("*", ""), *(estimate(found["figures"][figure], 2) for found in sources.values())]
        for figure, title in FIGURES.items()
    ]
    return tag(
        "section",
        tag("h2", "By source"),
        tag(
            "p",
            "Performance differs between clinics. By lesion, with 95 % intervals; – where there are fewer than "
            f"{LEAST} lesions. Areas under the curve use scores that assume every class equally likely; calibration "
            "is measured at the source’s own class mix.",
            class_="definition",
        ),
        table(["", *(source_of(name).title for name in sources)], rows),
        class_="part",
        id="sources",
    )


def subgroups(found: Facts) -> Html:
    """Return the section on results by age, sex, site, source and skin type, by lesion."""
    if not found:
        return join(
            tag("h3", "By age, sex and body site"),
            tag("p", "This set has no records of age, sex or body site.", class_="definition"),
        )
    figures = ("accuracy", "malignant_auc", "watch_sensitivity", "watch_specificity")
    tables = []
    for trait, groups in found.items():
        rows: list[list[Child]] = [
            [
                group["group"][0].upper() + group["group"][1:],
                f"{group['lesions']:,}",
                f"{group['malignant']:,}",
                *(enough(group["figures"][name]) for name in figures),
                whisker(group["figures"]["malignant_auc"], start=0.5),
            ]
            for group in groups
        ]
        head: list[Child] = [
            TRAITS[trait], "lesions", "malignant", "accuracy", "malignant AUC", "sensitivity at watch",
            "specificity at watch", "malignant AUC, 0.5 to 1",
        ]  # fmt: skip
        tables.append(table(head, rows))
    return join(
        tag("h3", "Subgroups"),
        tag(
            "p",
            f"By lesion. A result is omitted where there are fewer than {FEWEST_LESIONS} lesions, or fewer than "
            f"{FEWEST_OF_A_KIND} malignant or benign ones. Groups differ in their mix of classes, which affects "
            "accuracy; AUC is affected less.",
            class_="definition",
        ),
        *tables,
    )


def mistakes(found: Facts) -> Html:
    """Return the section with pictures of the worst mistakes."""
    kinds = (
        (
            "missed_melanomas",
            "Missed melanomas",
            "Melanomas below the threshold for urgent, the lowest malignant probability first; one photograph per "
            "lesion.",
        ),
        (
            "confident_and_wrong",
            "Confident and wrong",
            "The most confident wrong answers; malignant lesions for which the network reported nothing alarming come "
            "first.",
        ),
    )
    parts = []
    for kind, title, definition in kinds:
        listed = found["mistakes"][kind]
        parts += [
            tag("h3", title),
            tag("p", definition if listed else "None to show.", class_="definition"),
            tag("ul", *(_mistake(each) for each in listed), class_="mistakes") if listed else Html(""),
        ]
    return join(*parts)


def robustness(found: Facts | None) -> Html:
    """Return the section on how much answers change when the photograph changes slightly."""
    if not found or not found["changes"]:
        return _part(
            "robustness",
            "Robustness",
            tag("p", "Not measured for this report. To measure it, run manage.py evaluate --robustness 40."),
        )
    rows: list[list[Child]] = [
        [
            f"{each['kind'][0].upper()}{each['kind'][1:]}, {each['name']}",
            share(each["mean_move"]),
            f"{each['move_p95']:.0%}",
            bar(each["mean_move"]["value"], f"{each['mean_move']['value']:.0%}"),
            share(each["class_changed"]),
            share(each["tier_changed"]),
            share(each["newly_refused"]),
        ]
        for each in found["changes"]
    ]
    return _part(
        "robustness",
        "Robustness",
        tag(
            "p",
            f"{found['photographs']} photographs of different lesions, drawn at random, each changed as with another "
            "camera, light or handling. The shift of an answer is the share of probability that moves to other "
            "classes: 0 % is none, 100 % all of it. Newly refused: the application would ask for another "
            "photograph.",
        ),
        table(
            ["Change", "mean shift", "95th percentile", "0 to 100 %", "different class", "different tier",
             "newly refused"],
            rows,
        ),
    )  # fmt: skip


def training(found: Facts | None) -> Html:
    """Return the section on loss and accuracy by epoch."""
    if not found or not found["epochs"]:
        return _part(
            "training",
            "Training",
            tag(
                "p",
                "No training run was given, so there are no training curves. To add them, run manage.py evaluate "
                "--run DIR with the folder of a manage.py train run.",
            ),
        )
    epochs: Sequence[dict[str, Any]] = found["epochs"]
    recipe = f" Recipe “{found['recipe']}”." if found["recipe"] else ""
    return _part(
        "training",
        "Training",
        tag(
            "p",
            f"{len(epochs)} epochs.{recipe} The training curves are for augmented photographs, with rare classes "
            "sampled more often; the validation curves are for lesions that were not used for training. The two "
            "are not directly comparable.",
        ),
        tag(
            "div",
            tag(
                "figure",
                tag("strong", "Loss"),
                epochs_chart(epochs, [("loss", "main"), ("watched_loss", "second")], "loss"),
                _key("training", "validation"),
            ),
            tag(
                "figure",
                tag("strong", "Accuracy"),
                epochs_chart(
                    epochs,
                    [("accuracy", "main"), ("watched_accuracy", "second"), ("watched_balanced_accuracy", "third")],
                    "accuracy",
                ),
                _key("training", "validation", "validation, balanced"),
            ),
            class_="figures",
        ),
    )


def latency(found: Facts | None) -> Html:
    """Return the section on latency."""
    if not found:
        return _part("latency", "Latency", tag("p", "Not measured for this report."))
    names = (
        ("answer", "An answer: decoding, quality check, network, heat map"),
        ("network", "The network alone, one photograph"),
        ("batch", f"The network alone, a photograph in a batch of {found['batch_size']}"),
    )
    rows: list[list[Child]] = [
        [name, f"{found[key]['p50'] * 1000:.0f} ms", f"{found[key]['p95'] * 1000:.0f} ms", found[key]["count"]]
        for key, name in names
    ]
    return _part(
        "latency",
        "Latency",
        tag(
            "p",
            f"On {found['cores']} cores, {found['engine']}. Half of the answers take no longer than p50, and 95 of "
            "100 no longer than p95. Other load on the machine slows down all three.",
        ),
        table(["", "p50", "p95", "n"], rows),
    )


def method(facts: Facts) -> Html:
    """Return the section on methods and limits."""
    network = facts["network"]
    identity = (
        ("Version", network["version"]),
        ("Hash", network["sha256"]),
        ("Backbone", network["backbone_sha256"]),
        ("Head", network["head_sha256"]),
        ("Temperature", f"{network['temperature']:.3f}"),
        ("Set thresholds", ", ".join(f"{code} {network['set_thresholds'][code]:.3f}" for code in CODES)),
    )
    notes = (
        how_asked(int(network.get("views", 1))),
        "Intervals are 95 % percentile intervals from 1,000 bootstrap resamples of lesions within each class: "
        "they show the uncertainty from the random choice of lesions, not the difference to another clinic.",
        "Shares in subgroups and under robustness have Wilson intervals, as do shares that never vary in resampling.",
        "Probabilities are calibrated to the class mix of the training set; where disease is rarer or more "
        "common, they are biased accordingly, as are precision and the precision–recall curves.",
        "The network knows seven classes. Anything else is forced into one of them, unless it is refused.",
        "The photographs come from few clinics and show almost only light skin, as far as is recorded. Nothing here "
        "shows the performance on dark skin, in children, on nails or on mucosa; the model card counts such lesions.",
        "For subgroups, the interval is more informative than the point estimate. Many groups are compared, so some "
        "differ by chance.",
    )
    return _part(
        "method",
        "Method and limits",
        tag("ul", *(tag("li", note) for note in notes), class_="notes"),
        tag(
            "dl",
            *(join(tag("dt", name), tag("dd", str(value), class_="code")) for name, value in identity),
            class_="identity",
        ),
    )


def _mistake(found: Facts) -> Html:
    answer = ", ".join(f"{each['code']} {each['probability']:.0%}" for each in found["said"])
    traits = found["traits"]
    details = ", ".join(traits[name] for name in ("age", "sex", "site", "source") if name in traits)
    picture = (
        tag("img", src=found["picture"], alt=f"{name_of(found['truth'])}, photograph {found['image']}")
        if found["picture"]
        else None
    )
    return tag(
        "li",
        picture,
        tag(
            "div",
            tag("p", tag("b", f"True: {name_of(found['truth'])}")),
            tag("p", f"Answer: {answer}"),
            tag(
                "p",
                "Tier: ",
                tag("span", found["tier"], class_=f"tier tier-{found['tier']}"),
                f", malignant {found['malignant_probability']:.0%}",
            ),
            tag("p", f"{found['image']}{'; ' if details else ''}{details}", class_="soft"),
        ),
    )


def _part(where: str, title: str, *children: Child) -> Html:
    return tag("section", tag("h2", title), *children, class_="part", id=where)


def _key(*names: str) -> Html:
    classes = ("main", "second", "third")
    return tag("ul", *(tag("li", name, class_=each) for name, each in zip(names, classes, strict=False)), class_="key")
