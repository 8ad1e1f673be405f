"""End-to-end retraining: whether corrections improve the network on photographs that it has never seen.

    python -m research.first_networks DATA --backbone-weights FILE     # once: the starting networks
    python -m research.retrain DATA var/releases [--only NAME …] [--picture docs/retraining_waves.png]

DATA is the output of ``manage.py import_ham10000``. A clinic uploads folds 3–6 through the API, its dermatologist
confirms them through the review service, ``manage.py retrain`` trains and evaluates, and a decision is made. All
networks are evaluated on the held-out folds 8–9, by lesion, on which nothing was chosen. Takes an hour on two cores;
results of trials are stored in ``--work`` and reused.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.beginning import run  # noqa: E402
from mlmodel.datasets.dataset import read_dataset  # noqa: E402
from research import retrain_tables as tables  # noqa: E402

WAVES = (3, 4, 5, 6)
LABELS = (100, 200, 400, 800)
RANDOM_ORDERS = 2
UNSEEN, CONFIRMED = ("df", "vasc"), 40
SEED = 11
# The first network of a trial, if it is not the one trained on folds 0–2.
_NETWORKS = {
    "unseen": "folds-0-2-without-df-vasc",
    "upload-frozen": "folds-0-2-frozen-base",
    "waves-frozen": "folds-0-2-frozen-base",
}
_TITLES = {
    "waves": "A network of folds 0–2",
    "waves-frozen": "A head of folds 0–2 on the frozen ImageNet base",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("releases", type=Path)
    parser.add_argument("--work", type=Path, default=ROOT / "var" / "retrain")
    parser.add_argument("--picture", type=Path, default=ROOT / "var" / "retrain" / "waves.png")
    parser.add_argument("--only", nargs="*", choices=list(TRIALS), default=list(TRIALS))
    parser.add_argument("--trial", choices=["upload", "upload-frozen", *TRIALS], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.trial:
        print(json.dumps(_carry_out(options.trial, options.work, options.data)))
        return
    read_dataset(options.data)
    results = {name: _in_own_process(name, options) for name in options.only}
    for name, title in _TITLES.items():
        if name in results:
            tables.tell_waves(results[name], waves=WAVES, title=title)
    if "unseen" in results:
        title = f"A network that never saw {' and '.join(UNSEEN)}, then {CONFIRMED} confirmed lesions of each"
        tables.tell_unseen(results["unseen"], title=title)
    tables.tell_hostile({HOSTILE[name][0]: outcome for name, outcome in results.items() if name in HOSTILE})
    if orders := {name: outcome for name, outcome in results.items() if name.startswith(("queue", "random"))}:
        tables.tell_orders(orders)
    if "waves" in results:
        tables.draw(results, options.picture, waves=WAVES, titles=_TITLES)


def _in_own_process(name: str, options: argparse.Namespace) -> Any:
    """Run a trial in its own installation; earlier results are read from its folder."""
    folder: Path = options.work / name
    result_file = folder / "found.json"
    if not result_file.exists():
        shutil.rmtree(folder, ignore_errors=True)
        if uploaded := _begins_with(name):
            _in_own_process(uploaded, options)
            _copy_installation(options.work / uploaded, folder)
        folder.mkdir(parents=True, exist_ok=True)
        network = _NETWORKS.get(name, "folds-0-2")
        environment = os.environ | {
            "DERMASCAN_RELEASE_DIR": str((options.releases / network).resolve()),
            "DERMASCAN_DATA_DIR": str(folder.resolve()),
            "DJANGO_SETTINGS_MODULE": "dermascan.settings.local",
            "DERMASCAN_LOG_LEVEL": "ERROR",
            "DERMASCAN_PREDICTIONS_PER_MEMBER": "1000000/min",
            "DERMASCAN_RETRAINING_GATE": json.dumps({"recall_floors": _floors(options.releases / network)}),
        }
        environment.pop("DATABASE_URL", None)
        command = [sys.executable, "-m", "research.retrain", str(options.data), str(options.releases)]
        command += ["--work", str(folder), "--trial", name]
        print(f"… {name}", file=sys.stderr, flush=True)
        ended = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True)
        result_file.write_text(ended.stdout.splitlines()[-1], encoding="utf-8")
    return json.loads(result_file.read_text(encoding="utf-8"))


def _begins_with(name: str) -> str:
    """Return the trial whose uploads a trial starts from, or "" if it makes its own."""
    if name.startswith("upload") or name == "unseen":
        return ""
    return "upload-frozen" if name == "waves-frozen" else "upload"


def _floors(release: Path) -> dict[str, float]:
    """Return the gate's recall floors for a network, by the rule of the shipped network's.

    Each is the lower end of the recall's interval on the base held-out test set, rounded down to 0.05.
    """
    from mlmodel.metrics import performance
    from mlmodel.network.head import Head
    from mlmodel.releases.release import load_release
    from mlmodel.retraining import network_of, read_base_set
    from mlmodel.taxonomy import CODES

    loaded = load_release(release)
    network = network_of(loaded.settings, Head.load(loaded.head))
    answers = network.answers_by_lesion(read_base_set(release / "base_set.npz").locked)

    def recall(index: int) -> Callable[[Any], float]:
        return lambda each: float((each.scores[each.labels == index].argmax(axis=1) == index).mean())

    recalls = performance.estimate({code: recall(index) for index, code in enumerate(CODES)}, answers)
    return {code: round(float(np.floor(each.low * 20) / 20), 2) for code, each in recalls.items()}


def _copy_installation(source: Path, target: Path) -> None:
    """Copy the database and keys, and hard-link photographs, which are never changed in place."""

    def link_or_copy(start: str, end: str) -> str:
        if Path(start).suffix in {".jpg", ".jpeg", ".png", ".webp"}:
            os.link(start, end)
            return end
        return str(shutil.copy2(start, end))

    shutil.copytree(source, target, copy_function=link_or_copy, ignore=shutil.ignore_patterns("found.json"))


def _carry_out(name: str, folder: Path, data: Path) -> Any:
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    call_command("collectstatic", verbosity=0, interactive=False)
    trial = _upload if name.startswith("upload") else TRIALS[name]
    return trial(folder, read_dataset(data))


def _upload(folder: Path, dataset: Any) -> Any:
    from research import retrain_clinic as clinic

    rows = np.flatnonzero(dataset.rows(WAVES)).tolist()
    return {"photographs": len(rows), "seconds": clinic.upload(folder, clinic.Photographs(dataset, rows))}


def _waves(folder: Path, dataset: Any) -> Any:
    from research import retrain_clinic as clinic

    labels, folds = clinic.known_truth(folder)
    outcomes: list[Any] = [clinic.first_figures()]
    for fold in WAVES:
        clinic.confirm((image for image in labels if folds[image] == fold), labels)
        outcomes.append(asdict(clinic.retrain(decide=True)))
    return outcomes


def _in_order(queue: bool, seed: int) -> Callable[[Path, Any], Any]:
    def trial(folder: Path, dataset: Any) -> Any:
        from research import retrain_clinic as clinic

        labels, _folds = clinic.known_truth(folder)
        shuffled = np.random.default_rng(seed).permutation(sorted(labels)).tolist()
        order = clinic.in_the_queues_order() if queue else iter(shuffled)
        figures_by_count, done = [(0, clinic.first_figures())], 0
        for count in LABELS:
            for image in order:
                done += clinic.confirm([image], labels, is_known_by="dermatoscopy")
                if done == count:
                    break
            figures = clinic.retrain(decide=False).figures
            assert figures, "there is a candidate"
            figures_by_count.append((count, figures))
        return figures_by_count

    return trial


def _unseen(folder: Path, dataset: Any) -> Any:
    from mlmodel.taxonomy import CODES
    from research import retrain_clinic as clinic

    candidates = dataset.rows(range(7)) & np.isin(dataset.labels, [CODES.index(code) for code in UNSEEN])
    rows = clinic.of_lesions(dataset, candidates, at_most=CONFIRMED)
    clinic.upload(folder, clinic.Photographs(dataset, rows))
    labels, _folds = clinic.known_truth(folder)
    clinic.confirm(labels, labels)
    return asdict(clinic.retrain(decide=True))


def _nothing_wrong(folder: Path, dataset: Any) -> Any:
    return _of_one_fold(folder, lambda labels: labels)


def _shuffled(folder: Path, dataset: Any) -> Any:
    def shuffle(labels: dict[str, int]) -> dict[str, int]:
        values = np.random.default_rng(SEED).permutation(list(labels.values())).tolist()
        return dict(zip(labels, values, strict=True))

    return _of_one_fold(folder, shuffle)


def _always_nevus(folder: Path, dataset: Any) -> Any:
    from mlmodel.taxonomy import CODES

    return _of_one_fold(folder, lambda labels: dict.fromkeys(labels, CODES.index("nv")))


def _twelve(folder: Path, dataset: Any) -> Any:
    return _of_one_fold(folder, lambda labels: dict(list(labels.items())[:12]))


def _of_one_fold(folder: Path, change: Callable[[dict[str, int]], dict[str, int]]) -> Any:
    from research import retrain_clinic as clinic

    labels, folds = clinic.known_truth(folder)
    changed = change({image: label for image, label in sorted(labels.items()) if folds[image] == WAVES[0]})
    clinic.confirm(changed, changed)
    return asdict(clinic.retrain(decide=False))


def _one_lesion(folder: Path, dataset: Any) -> Any:
    from mlmodel.taxonomy import CODES
    from research import retrain_clinic as clinic

    labels, folds = clinic.known_truth(folder)
    clinic.confirm([image for image in sorted(labels) if folds[image] == WAVES[0]][:100], labels)
    row = int(np.flatnonzero(dataset.rows((7,)) & (dataset.labels == CODES.index("mel")))[0])
    content = dataset.paths[row].read_bytes()
    many = {number: clinic.saved_anew(content, number=number) for number in range(100)}
    clinic.upload(folder, clinic.Photographs(dataset, [row] * 100, many), one_lesion=True)
    return _confirm_the_new(folder, labels)


def _locked_again(folder: Path, dataset: Any) -> Any:
    from mlmodel.datasets.dataset import TEST_FOLDS
    from research import retrain_clinic as clinic

    labels, folds = clinic.known_truth(folder)
    clinic.confirm((image for image in sorted(labels) if folds[image] == WAVES[0]), labels)
    rows = np.flatnonzero(dataset.rows(TEST_FOLDS))[:40].tolist()
    anew = {40 + n: clinic.saved_anew(dataset.paths[row].read_bytes(), number=n) for n, row in enumerate(rows)}
    clinic.upload(folder, clinic.Photographs(dataset, rows * 2, anew))
    return _confirm_the_new(folder, labels)


def _confirm_the_new(folder: Path, earlier: dict[str, int]) -> Any:
    from research import retrain_clinic as clinic

    labels, _folds = clinic.known_truth(folder)
    clinic.confirm((image for image in labels if image not in earlier), labels)
    return asdict(clinic.retrain(decide=False))


HOSTILE: dict[str, tuple[str, Callable[[Path, Any], Any]]] = {
    "honest": ("one fold, honestly confirmed", _nothing_wrong),
    "shuffled": ("the same with shuffled labels", _shuffled),
    "nevus": ("one reviewer always says nevus", _always_nevus),
    "twelve": ("a clinic with 12 labels", _twelve),
    "lesion": ("100 labels, and one lesion 100 times", _one_lesion),
    "locked": ("80 photographs of the held-out test set", _locked_again),
}
TRIALS: dict[str, Callable[[Path, Any], Any]] = {
    "waves": _waves,
    "waves-frozen": _waves,
    "unseen": _unseen,
    **{name: trial for name, (_title, trial) in HOSTILE.items()},
    "queue": _in_order(queue=True, seed=0),
    **{f"random-{n}": _in_order(queue=False, seed=SEED + n) for n in range(1, RANDOM_ORDERS + 1)},
}


if __name__ == "__main__":
    run(main)
