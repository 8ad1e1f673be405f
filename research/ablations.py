"""Ablations: the effect of each training idea alone, against the same baseline, evaluated on fold 7.

    python -m research.ablations DATA --backbone-weights FILE [--only NAME …] [--table]

DATA is the output of ``manage.py import_ham10000``. Each variant is a run under ``var/runs/ablations`` that resumes
where it was interrupted; ``--table`` prints the finished ones. The held-out test folds are not used.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.beginning import run  # noqa: E402
from mlmodel.datasets.dataset import Dataset, read_dataset  # noqa: E402
from mlmodel.metrics import performance  # noqa: E402
from mlmodel.network.calibration import softmax  # noqa: E402
from mlmodel.training.feed import batches  # noqa: E402
from mlmodel.training.recipe import Phase, Recipe, load_recipe  # noqa: E402
from mlmodel.training.run_folder import RunDirectory  # noqa: E402
from mlmodel.training.sampling import implied_log_mix  # noqa: E402
from mlmodel.training.session import split  # noqa: E402
from mlmodel.training.trainer import train  # noqa: E402

RUNS = ROOT / "var" / "runs" / "ablations"
_TRAINED_LAST, _COST = "block14", "cost.json"


def _phases(recipe: Recipe, *sides: int) -> tuple[Phase, ...]:
    """Return phases with growing image sizes, the baseline's number of epochs and a falling learning rate."""
    base = recipe.phases[0]
    epochs = base.epochs // len(sides)
    rates = np.geomspace(base.peak_rate, base.final_rate, len(sides) + 1).tolist()
    return tuple(
        replace(base, side=side, epochs=epochs, peak_rate=high, final_rate=low)
        for side, high, low in zip(sides, rates[:-1], rates[1:], strict=True)
    )


def _folder(name: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in name)


VARIANTS: dict[str, Callable[[Recipe], Recipe]] = {
    "base": lambda recipe: recipe,
    "base, another seed": lambda recipe: replace(recipe, seed=8),
    "class-balanced loss": lambda recipe: replace(recipe, loss="class-balanced"),
    "logit-adjusted loss": lambda recipe: replace(recipe, loss="logit-adjusted"),
    "square-root sampling, softness evened": lambda recipe: replace(recipe, sampling="square-root"),
    "label smoothing 0.1": lambda recipe: replace(recipe, label_smoothing=0.1),
    "mixup 0.2": lambda recipe: replace(recipe, mixup=0.2),
    "shades of grey": lambda recipe: replace(recipe, preparation="shades-of-grey"),
    "hair removal": lambda recipe: replace(recipe, preparation="hair-removal"),
    "median filter": lambda recipe: replace(recipe, preparation="median"),
    "pools of four stages": lambda recipe: replace(
        recipe, pooled_stages=("block8", "block12", "block13", _TRAINED_LAST)
    ),
    "progressive resizing 64, 128": lambda recipe: replace(recipe, phases=_phases(recipe, 64, 128)),
    "average of weights 0.995": lambda recipe: replace(recipe, average=0.995),
    "no random changes": lambda recipe: replace(recipe, changes="none"),
    "taught by three others": lambda recipe: replace(
        recipe,
        teachers=tuple(
            map(_folder, ("base, another seed", "square-root sampling, softness evened", "label smoothing 0.1"))
        ),
        teaching_share=0.7,
    ),
    "batch normalisation frozen below block 13": lambda recipe: replace(
        recipe, phases=(replace(recipe.phases[0], trainable_from="block13"),)
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--backbone-weights", type=Path)
    parser.add_argument("--only", nargs="*", choices=list(VARIANTS), default=list(VARIANTS))
    parser.add_argument("--table", action="store_true", help="Only print the finished runs.")
    options = parser.parse_args()
    dataset = read_dataset(options.data)
    base = load_recipe("ablation")
    if not options.table:
        for name in options.only:
            _run(name, VARIANTS[name](base), dataset, options.backbone_weights)
    _print_table(base, dataset)


def _run(name: str, recipe: Recipe, dataset: Dataset, weights: Path | None) -> None:
    run = _directory(name)
    if run.report():
        return
    if not (run.path / "configuration.json").exists():
        run.start({"recipe": recipe.as_dict(), "data": dataset.sha256})
    print(f"== {name}", flush=True)
    before, started = _processor_hours(run), time.process_time()
    rows = split(recipe, dataset)
    try:
        train(
            recipe=recipe, dataset=dataset, split=rows, run=run, weights=weights,
            say=lambda line: print(line, flush=True),
        )  # fmt: skip
    finally:
        # CPU time of all cores, because wall-clock time depends on other load.
        spent = (time.process_time() - started) / 3600
        run.write_json(_COST, {"processor_hours": round(before + spent, 4)})


def _processor_hours(run: RunDirectory) -> float:
    """Return the run's CPU hours so far, over all resumptions."""
    path = run.path / _COST
    return float(json.loads(path.read_text(encoding="utf-8"))["processor_hours"]) if path.exists() else 0.0


def _directory(name: str) -> RunDirectory:
    return RunDirectory(RUNS / _folder(name))


def _print_table(base: Recipe, dataset: Dataset) -> None:
    print(
        f"{'':44}{'balanced accuracy':>26}{'against base':>14}{'macro AUC':>11}{'accuracy':>10}{'processor hours':>17}"
    )
    reference = None
    for name, change in VARIANTS.items():
        run = _directory(name)
        if run.report() is None:
            continue
        for label, turns in ((name, False), *(((f"{name}, eight turns averaged", True),) if name == "base" else ())):
            answers = _answers(change(base), run, dataset, turns=turns)
            estimates = performance.estimate(
                {
                    "balanced": performance.balanced_accuracy,
                    "auc": performance.macro_auc,
                    "accuracy": performance.accuracy,
                },
                performance.by_lesion(answers),
            )
            reference = reference or estimates
            gain = estimates["balanced"].value - reference["balanced"].value
            print(
                f"{label:44}{estimates['balanced']!s:>26}{gain:>+14.3f}{estimates['auc'].value:>11.3f}"
                f"{estimates['accuracy'].value:>10.3f}{_processor_hours(run):>17.2f}"
            )


def _answers(recipe: Recipe, run: RunDirectory, dataset: Dataset, *, turns: bool) -> performance.Answers:
    from mlmodel.training.architectures import build_network

    rows = split(recipe, dataset)
    network = build_network(recipe, start="random")
    network.set_weights(run.load_weights())
    labels = dataset.labels[rows.trained]
    mix = np.bincount(labels) / len(labels)
    log_mix = implied_log_mix(labels, sampling=recipe.sampling, loss=recipe.loss)
    parts = []
    for pixels, _ in batches(
        [dataset.paths[row] for row in rows.validation], np.arange(len(rows.validation)), side=recipe.phases[-1].side,
        kind="none", preparation=recipe.preparation, chance=(), batch_size=32,
    ):  # fmt: skip
        views = [np.rot90(side, turn, axes=(1, 2)) for side in (pixels, pixels[:, :, ::-1]) for turn in range(4)]
        outputs = [
            np.asarray(network(view.astype(np.float32), training=False)) for view in (views if turns else views[:1])
        ]
        parts.append(np.mean(outputs, axis=0))
    logits = (np.concatenate(parts) - log_mix).astype(np.float32)
    return performance.Answers(
        probabilities=softmax(logits + np.log(mix)).astype(np.float32),
        scores=softmax(logits).astype(np.float32),
        labels=dataset.labels[rows.validation],
        lesions=dataset.lesions[rows.validation],
    )


if __name__ == "__main__":
    run(main)
