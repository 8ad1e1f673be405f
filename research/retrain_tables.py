"""Tables and a chart of the results of ``research.retrain``."""

from pathlib import Path
from typing import Any

import numpy as np

_OURS, _OTHER, _THIRD = "#0f766e", "#94a3b8", "#b45309"
_DRAWN = ("balanced accuracy", "macro AUC")


def tell_waves(outcomes: list[Any], *, waves: tuple[int, ...], title: str) -> None:
    print(f"\n{title}, then confirmed uploads in four waves; held-out folds, by lesion\n")
    print(f"{'':16}{'learnt':>8}" + "".join(f"{name:>22}" for name in outcomes[0]))
    for name, learned, figures in [
        ("folds 0–2", "", outcomes[0]),
        *(
            (f"and fold {fold}", each["learned"], each["figures"])
            for fold, each in zip(waves, outcomes[1:], strict=True)
        ),
    ]:
        print(f"{name:16}{learned:>8}" + "".join(f"{_interval(each):>22}" for each in figures.values()))
    print(f"\n{'balanced accuracy':16}{'change, base test':>28}{'clinic’s test':>16}{'change, there':>28}{'s':>6}")
    for fold, each in zip(waves, outcomes[1:], strict=True):
        print(
            f"{f'and fold {fold}':16}{_change(each['change']):>29}{each['tested']:>16,}"
            f"{_change(each['clinic_change']):>28}{each['seconds']:>6.0f}"
        )
        print(f"{'':16}{each['verdict'].upper()}, {each['decision']}: {each['words']}")


def tell_unseen(outcome: Any, *, title: str) -> None:
    print(f"\n{title}\n")
    print(f"{'recall by lesion':20}{'before':>9}{'after':>9}")
    for code, (before, after) in outcome["recalls"].items():
        print(f"{code:20}{before:>9.2f}{after:>9.2f}")
    print(f"{outcome['verdict'].upper()}, {outcome['decision']}: {outcome['words']}")


def tell_hostile(found: dict[str, Any]) -> None:
    if not found:
        return
    print("\nContributions that must not pass\n")
    print(f"{'':40}{'learnt':>8}{'excluded':>10}  verdict")
    for title, outcome in found.items():
        excluded = sum(outcome["excluded"].values())
        reasons = "; ".join(f"{count} {why}" for why, count in outcome["excluded"].items())
        print(
            f"{title:40}{outcome['learned']:>8,}{excluded:>10,}  "
            f"{outcome['verdict'].upper() or 'REFUSED'}: {outcome['words']}{f' [{reasons}]' if reasons else ''}"
        )


def tell_orders(found: dict[str, Any]) -> None:
    for figure in _DRAWN:
        print(f"\nThe queue's order against random order; {figure} of the candidate, held-out folds, by lesion\n")
        print(f"{'labels':20}" + "".join(f"{count:>9}" for count, _figures in next(iter(found.values()))))
        curves = {name: _curve(each, figure) for name, each in found.items()}
        for name, curve in curves.items():
            print(f"{name:20}" + "".join(f"{value:>9.3f}" for _count, value in curve))
        randoms = [curve for name, curve in curves.items() if name.startswith("random")]
        if "queue" in curves and randoms:
            areas = ", ".join(f"{_area(curves['queue']) - _area(curve):+.4f}" for curve in randoms)
            print(f"area between the curves, mean over 0 to {curves['queue'][-1][0]} labels: {areas}")


def _curve(found: list[Any], figure: str) -> list[tuple[int, float]]:
    return [(count, figures[figure][0]) for count, figures in found]


def _area(curve: list[tuple[int, float]]) -> float:
    counts, values = zip(*curve, strict=True)
    return float(np.trapezoid(values, counts) / counts[-1])


def _interval(found: Any) -> str:
    return f"{found[0]:.3f} ({found[1]:.3f}–{found[2]:.3f})" if found else "–"


def _change(found: Any) -> str:
    return f"{found[0]:+.3f} ({found[1]:+.3f} to {found[2]:+.3f})" if found else "–"


def draw(found: dict[str, Any], path: Path, *, waves: tuple[int, ...], titles: dict[str, str]) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    orders = {name: curve for name, curve in found.items() if name.startswith(("queue", "random"))}
    curves = {
        name: [found[name][0], *(each["figures"] for each in found[name][1:])] for name in titles if name in found
    }
    figure, axes = pyplot.subplots(
        1 + bool(orders), 2, figsize=(10, 3.6 * (1 + bool(orders))), layout="constrained", squeeze=False
    )
    for axis, name in zip(axes[0], _DRAWN, strict=True):
        for shift, (network, curve) in enumerate(curves.items()):
            values = np.array([each[name] for each in curve])
            axis.errorbar(
                np.arange(len(values)) + 0.08 * shift, values[:, 0], marker="o", capsize=4, label=titles[network],
                yerr=[values[:, 0] - values[:, 1], values[:, 2] - values[:, 0]], color=(_OURS, _THIRD)[shift],
            )  # fmt: skip
        axis.set_xticks(range(1 + len(waves)), ["folds 0–2", *(f"+ fold {fold}" for fold in waves)])
        axis.set_title(f"Waves: {name}, held-out folds, 95 % intervals", fontsize=10)
        axis.grid(alpha=0.3)
        axis.legend(fontsize=8)
    for axis, name in zip(axes[1] if orders else [], _DRAWN, strict=False):
        for order, found_there in orders.items():
            is_queue = order == "queue"
            axis.plot(
                *zip(*_curve(found_there, name), strict=True), marker="o", color=_OURS if is_queue else _OTHER,
                label="the queue's order" if is_queue else f"at {order.replace('-', ', ')}",
            )  # fmt: skip
        axis.set_xlabel("labels")
        axis.set_title(f"Order of labels: {name}", fontsize=10)
        axis.grid(alpha=0.3)
        axis.legend(fontsize=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
