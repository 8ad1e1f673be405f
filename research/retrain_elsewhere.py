"""End-to-end retraining on photographs of another source: whether the network improves at a new clinic.

    python -m research.retrain_elsewhere EXTRA [--source isic2017] [--release DIR] [--waves 4]
        [--picture research/retraining_elsewhere.png]

EXTRA is the output of ``manage.py import_isic``. A clinic uploads the source's training folds through the API in
waves, its dermatologist confirms them through the review service, ``manage.py retrain`` trains and evaluates after
each, and a version with the verdict PROMOTE is promoted; nothing is forced. Every version is evaluated by lesion on a
held-out fifth of the source, which is never uploaded, and on the base held-out test set. Takes half an hour on two
cores; results are stored in ``--work`` and reused.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.beginning import run  # noqa: E402
from mlmodel.datasets.dataset import TEST_FOLDS, TRAIN_FOLDS, Dataset, read_datasets  # noqa: E402
from mlmodel.releases.release_files import SHIPPED  # noqa: E402
from mlmodel.taxonomy import CODES  # noqa: E402

_DRAWN = ("melanoma AUC", "malignant AUC", "balanced accuracy", "balanced accuracy, base test")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("extra", type=Path)
    parser.add_argument("--source", default="isic2017")
    parser.add_argument("--release", type=Path, default=SHIPPED, help="the release to start from")
    parser.add_argument("--waves", type=int, default=4)
    parser.add_argument("--at-most", type=int, help="limit the photographs to upload, for a trial run")
    parser.add_argument("--work", type=Path, default=ROOT / "var" / "retrain-elsewhere")
    parser.add_argument("--picture", type=Path, default=ROOT / "var" / "retrain-elsewhere" / "waves.png")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    dataset = _of_source(options.extra, options.source)
    if options.inside:
        print(json.dumps(_carry_out(dataset, options)))
        return
    result_file = options.work / "found.json"
    if not result_file.exists():
        shutil.rmtree(options.work, ignore_errors=True)
        options.work.mkdir(parents=True)
        environment = os.environ | {
            "DERMASCAN_RELEASE_DIR": str(options.release.resolve()),
            "DERMASCAN_DATA_DIR": str(options.work.resolve()),
            "DJANGO_SETTINGS_MODULE": "dermascan.settings.local",
            "DERMASCAN_LOG_LEVEL": "ERROR",
            "DERMASCAN_PREDICTIONS_PER_MEMBER": "1000000/min",
        }
        environment.pop("DATABASE_URL", None)
        command = [sys.executable, "-m", "research.retrain_elsewhere", *sys.argv[1:], "--inside"]
        ended = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True)
        result_file.write_text(ended.stdout.splitlines()[-1], encoding="utf-8")
    results = json.loads(result_file.read_text(encoding="utf-8"))
    _tell(results, source=options.source)
    _draw(results, options.picture, source=options.source)


def _of_source(folder: Path, source: str) -> Dataset:
    """Return the photographs of a source whose label names one of the seven classes."""
    everything, _notes = read_datasets([folder])
    rows = (everything.sources == source) & (everything.labels < len(CODES))
    if not rows.any():
        raise SystemExit(f"{folder} has no photographs of {source}: {', '.join(np.unique(everything.sources))}.")
    return everything.take(rows)


def _carry_out(dataset: Dataset, options: argparse.Namespace) -> list[dict[str, Any]]:
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    call_command("collectstatic", verbosity=0, interactive=False)
    from mlmodel.versions.serving import active_version
    from research import retrain_clinic as clinic

    rows = np.flatnonzero(dataset.rows(TRAIN_FOLDS))
    rows = np.random.default_rng(0).permutation(rows)[: options.at_most]
    locked = dataset.take(np.flatnonzero(dataset.rows(TEST_FOLDS))[: options.at_most])
    features = _features(locked)
    clinic.upload(options.work, clinic.Photographs(dataset, rows.tolist()))
    labels, _folds = clinic.known_truth(options.work)
    # A lesion's photographs are in the same wave.
    order = np.random.default_rng(1).permutation(sorted(labels)).tolist()
    results = [{"figures": _figures(active_version(), locked, features)}]
    for wave in range(options.waves):
        clinic.confirm(order[wave :: options.waves], labels)
        outcome = clinic.retrain(decide=True, may_force=False)
        figures = _figures(active_version(), locked, features)
        results.append({**asdict(outcome), "figures": figures})
        print(f"wave {wave + 1}: {outcome.verdict}, {outcome.decision}; {figures}", file=sys.stderr, flush=True)
    return results


def _features(locked: Dataset) -> npt.NDArray[np.float16]:
    from mlmodel.datasets.feature_cache import cached_features
    from mlmodel.network.analyser import get_analyser

    engine = get_analyser().engine
    return cached_features(locked.paths, engine=engine, cache=Path(os.environ["DERMASCAN_DATA_DIR"]) / "features")


def _figures(
    version: Any, locked: Dataset, features: npt.NDArray[np.float16]
) -> dict[str, tuple[float, float, float]]:
    """Return the version's figures on the source's held-out lesions and on the base test set, with 95 % intervals."""
    from mlmodel.metrics import performance
    from mlmodel.retraining import Cases, network_of, read_base_set
    from mlmodel.versions.serving import analyser_of

    network = network_of(version.settings, analyser_of(version).head)
    melanoma, watch = CODES.index("mel"), network.operating_points.watch.threshold
    metrics: dict[str, performance.Metric] = {
        "melanoma AUC": lambda each: performance.auc(each.scores[:, melanoma], each.is_melanoma),
        "malignant AUC": lambda each: performance.auc(each.malignant_score, each.is_malignant),
        "balanced accuracy": performance.balanced_accuracy,
        "melanomas found": performance.sensitivity_at(watch, melanoma_only=True),
        "harmless left alone": performance.specificity_at(watch),
    }
    there = network.answers_by_lesion(Cases(features, locked.labels, locked.lesions))
    estimates = performance.estimate(metrics, there)
    at_home = network.answers_by_lesion(read_base_set().locked)
    estimates |= {
        f"{name}, base test": each
        for name, each in performance.estimate(
            {"balanced accuracy": performance.balanced_accuracy, "macro AUC": performance.macro_auc}, at_home
        ).items()
    }
    return {name: (each.value, each.low, each.high) for name, each in estimates.items()}


def _tell(found: list[dict[str, Any]], *, source: str) -> None:
    print(f"\nA clinic of {source}: confirmed uploads in waves; held-out lesions and base held-out test set\n")
    for wave, each in enumerate(found):
        print(f"{f'wave {wave}' if wave else 'to begin with':16}{each.get('learned', ''):>7}")
        for name, (value, low, high) in each["figures"].items():
            print(f"    {name:34}{value:.3f} ({low:.3f}–{high:.3f})")
        if wave:
            print(f"    {each['verdict'].upper()}, {each['decision']}: {each['words']}")


def _draw(found: list[dict[str, Any]], path: Path, *, source: str) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    learned = [each.get("learned", 0) for each in found]
    for name, colour in zip(_DRAWN, ("#b45309", "#94a3b8", "#0f766e", "#334155"), strict=True):
        values = np.array([each["figures"][name] for each in found])
        style = "--" if name.endswith("base test") else "-"
        axes.plot(learned, values[:, 0], style, color=colour, marker="o", label=name)
        axes.fill_between(learned, values[:, 1], values[:, 2], color=colour, alpha=0.12, linewidth=0)
    axes.set(xlabel=f"confirmed photographs of {source} learnt from", ylabel="on lesions that were never uploaded")
    axes.legend(loc="lower right", fontsize="small")
    axes.grid(alpha=0.3)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)


if __name__ == "__main__":
    run(main)
