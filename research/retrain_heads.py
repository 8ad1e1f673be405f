"""Retrain heads on stored features: what they learn from confirmed cases, and the gate's verdicts. Seconds per line.

    python -m research.retrain_heads DATA FEATURES [--on-fold-7] [--only PART …]

DATA is the output of ``manage.py import_ham10000``, FEATURES the folder of features that ``manage.py pack_base_set``
stores. Every head is evaluated on the held-out folds 8–9; with ``--on-fold-7``, on half the lesions of fold 7, on
which settings were chosen. The backbone was trained on folds 0–6, so a head learns less from these photographs than it
would from new ones.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.beginning import run  # noqa: E402
from mlmodel.datasets.dataset import Dataset, read_dataset  # noqa: E402
from mlmodel.metrics import performance  # noqa: E402
from mlmodel.network.head import Head  # noqa: E402
from mlmodel.releases.release import load_release  # noqa: E402
from mlmodel.retraining import (  # noqa: E402
    BaseSet,
    Cases,
    GateRules,
    Network,
    judge_candidate,
    near_copies,
    network_of,
    read_base_set,
    train_candidate,
)
from mlmodel.retraining.candidate_calibration import calibrated  # noqa: E402
from mlmodel.retraining.fitting import Recipe, epochs_of  # noqa: E402
from mlmodel.retraining.from_scratch import untrained_head  # noqa: E402
from mlmodel.retraining.training_cases import from_one_source  # noqa: E402
from mlmodel.taxonomy import CODES  # noqa: E402

FIRST, WAVES = (0, 1, 2), (3, 4, 5, 6)
UNSEEN, CONFIRMED = ("vasc", "df"), 40
FROM_NOTHING = Recipe(epochs=14, rate=1e-3, pull=0.02, feature_dropout=0.4, dropout=0.5)
SEED = 11


@dataclass(frozen=True)
class Bench:
    """The features of HAM10000 and what the trials derive from them."""

    dataset: Dataset
    features: npt.NDArray[np.float16]
    shipped: Network
    base: BaseSet

    def cases(self, rows: npt.NDArray[np.bool_]) -> Cases:
        return Cases(self.features[rows], self.dataset.labels[rows].astype(np.int64), self.dataset.lesions[rows])

    def folds(self, *folds: int) -> npt.NDArray[np.bool_]:
        return self.dataset.rows(folds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("features", type=Path)
    parser.add_argument("--on-fold-7", action="store_true", help="evaluate on the fold on which settings are chosen")
    parser.add_argument("--only", choices=list(PARTS), nargs="*", default=list(PARTS))
    options = parser.parse_args()
    bench = _bench(options.data, options.features, on_fold_7=options.on_fold_7)
    for part in options.only:
        PARTS[part](bench)


def _bench(data: Path, folder: Path, *, on_fold_7: bool) -> Bench:
    release = load_release()
    dataset = read_dataset(data)
    chunks = sorted((folder / release.backbone_sha256[:16] / "ham10000").glob("[0-9]*.npz"))
    names, features = [], []
    for chunk in chunks:
        with np.load(chunk, allow_pickle=False) as kept:
            names += kept["names"].tolist()
            features.append(kept["features"])
    if names != [path.name for path in dataset.paths]:
        raise SystemExit(
            "The features are not those of this data: run `manage.py pack_base_set DATA --cache FEATURES`."
        )
    base = read_base_set()
    if on_fold_7:
        base = _on_fold_7(base)
    shipped = network_of(release.settings, Head.load(release.head))
    return Bench(dataset, np.concatenate(features), shipped, base)


def _on_fold_7(base: BaseSet) -> BaseSet:
    """Return the base set with the calibration fold split by lesion: half for calibration, half for testing."""
    lesions = np.unique(base.calibration.lesions)
    is_judged = np.isin(base.calibration.lesions, np.random.default_rng(SEED).permutation(lesions)[::2])
    return replace(base, calibration=base.calibration.take(~is_judged), locked=base.calibration.take(is_judged))


def _print_waves(bench: Bench) -> None:
    base = replace(bench.base, replay=bench.cases(bench.folds(*FIRST)))
    active = _from_nothing(bench, base.replay, base.calibration)
    print("A head of folds 0–2 alone, then confirmed cases in four waves; held-out lesions\n")
    print(f"{'':28}{'learned':>9}{'balanced accuracy':>26}{'change (paired)':>28}  verdict")
    print(f"{'folds 0–2':28}{'':>9}{_balanced(active, base.locked):>26}")
    first = active
    for count in range(1, len(WAVES) + 1):
        learned = bench.cases(bench.folds(*WAVES[:count]))
        candidate = _train(active, base, learned)
        judgement = judge_candidate(
            active=first, candidate=candidate, base=base, clinic=base.locked, rules=GateRules(), seed=SEED
        )
        change = judgement.base.balanced_accuracy
        assert change is not None
        interval = f"{change.change:+.3f} ({change.low:+.3f} to {change.high:+.3f})"
        name = f"and fold{'s' * (count > 1)} 3{f'–{WAVES[count - 1]}' * (count > 1)}"
        print(f"{name:28}{len(learned):>9,}{_balanced(candidate, base.locked):>26}{interval:>28}  {judgement.verdict}")
        active = candidate
    print(f"{'shipped, for comparison':28}{'':>9}{_balanced(bench.shipped, base.locked):>26}\n")


def _print_unseen(bench: Bench) -> None:
    unseen = np.isin(bench.dataset.labels, [CODES.index(code) for code in UNSEEN])
    trained = bench.folds(*range(7))
    others = ~np.isin(bench.base.replay.labels, [CODES.index(code) for code in UNSEEN])
    base = replace(bench.base, replay=bench.base.replay.take(others))
    active = _from_nothing(bench, base.replay, base.calibration)
    learned = bench.cases(_first_lesions(bench, trained & unseen))
    candidate = _train(active, base, learned)
    print(f"A head that never saw {' and '.join(UNSEEN)}, then {CONFIRMED} confirmed of each: recall by lesion\n")
    print(f"{'':10}{'lesions':>9}{'before':>9}{'after':>9}")
    before, after = (network.answers_by_lesion(base.locked) for network in (active, candidate))
    for index, code in enumerate(CODES):
        own = before.labels == index
        recalls = [(answers.scores[own].argmax(axis=1) == index).mean() for answers in (before, after)]
        print(f"{code:10}{own.sum():>9}{recalls[0]:>9.2f}{recalls[1]:>9.2f}")
    print()


def _print_what_must_not_pass(bench: Bench) -> None:
    print("Contributions that must not pass\n")
    print(f"{'':34}{'learned':>8}{'test':>6}  verdict")
    for name, learned, clinic in _hostile(bench):
        new_cases = learned.take(~near_copies(learned.features, bench.base.locked))
        candidate = _train(bench.shipped, bench.base, new_cases)
        judgement = judge_candidate(
            active=bench.shipped, candidate=candidate, base=bench.base, clinic=clinic, rules=GateRules(), seed=SEED
        )
        print(f"{name:34}{len(new_cases):>8,}{len(clinic):>6}  {judgement.verdict}: {judgement.reasons[0].text}")
    print()


def _hostile(bench: Bench) -> Iterator[tuple[str, Cases, Cases]]:
    """Yield harmful contributions that must not pass the gate: name, training cases, the clinic's test cases."""
    generator = np.random.default_rng(SEED)
    learned, clinic = bench.cases(bench.folds(3)), bench.cases(bench.folds(4))

    def relabelled(cases: Cases, labels: npt.NDArray[np.int64]) -> Cases:
        return replace(cases, labels=labels)

    yield "nothing wrong, nothing new", learned, clinic
    yield (
        "shuffled labels",
        relabelled(learned, generator.permutation(learned.labels)),
        relabelled(clinic, generator.permutation(clinic.labels)),
    )
    nevus = CODES.index("nv")
    yield (
        "one reviewer always says nevus",
        relabelled(learned, np.full(len(learned), nevus)),
        relabelled(clinic, np.full(len(clinic), nevus)),
    )
    yield "nevus always, the test is right", relabelled(learned, np.full(len(learned), nevus)), clinic
    yield "twelve labels", learned.take(np.arange(9)), clinic.take(np.arange(3))
    row = np.flatnonzero(learned.labels == CODES.index("mel"))[:1]
    yield "one lesion a hundred times", learned.take(np.repeat(row, 100)), clinic.take(np.arange(3))
    yield "photographs of the held-out test set", bench.cases(bench.folds(8)), clinic.take(np.arange(3))


def _print_seconds(bench: Bench) -> None:
    learned, clinic = bench.cases(bench.folds(3)), bench.cases(bench.folds(4))
    learned, clinic = learned.take(np.arange(len(learned))[:990]), clinic.take(np.arange(len(clinic))[:250])
    started = time.perf_counter()
    base = read_base_set()
    new_cases = learned.take(~near_copies(learned.features, base.locked))
    candidate = _train(bench.shipped, base, new_cases)
    trained = time.perf_counter()
    judge_candidate(active=bench.shipped, candidate=candidate, base=base, clinic=clinic, rules=GateRules(), seed=SEED)
    print(
        f"{len(new_cases):,} new photographs: {trained - started:.1f} s to read the base set and train, "
        f"{time.perf_counter() - trained:.1f} s to judge"
    )


def _from_nothing(bench: Bench, cases: Cases, calibration: Cases) -> Network:
    """Return a head fitted from random weights on the stages that the shipped head uses."""
    start = untrained_head(bench.shipped.head, cases, seed=SEED)
    mix = bench.shipped.calibration.class_mix
    lessons = from_one_source(cases, evenness=FROM_NOTHING.evenness)
    *_, head = epochs_of(start, lessons, recipe=FROM_NOTHING, seed=SEED, log_mix=np.log(mix))
    return calibrated(head, class_mix=mix, cases=calibration)


def _train(active: Network, base: BaseSet, learned: Cases) -> Network:
    return train_candidate(active=active, base=base, learned=learned, seed=SEED, progress=lambda share, doing: None)


def _first_lesions(bench: Bench, wanted: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Return a mask, bool (N,), of the photographs of the first ``CONFIRMED`` selected lesions of each class."""
    mask = np.zeros(len(wanted), dtype=np.bool_)
    for index in np.unique(bench.dataset.labels[wanted]):
        own = wanted & (bench.dataset.labels == index)
        mask |= own & np.isin(bench.dataset.lesions, np.unique(bench.dataset.lesions[own])[:CONFIRMED])
    return mask


def _balanced(network: Network, cases: Cases) -> str:
    answers = network.answers_by_lesion(cases)
    return str(performance.estimate({"balanced": performance.balanced_accuracy}, answers)["balanced"])


PARTS: dict[str, Callable[[Bench], None]] = {
    "waves": _print_waves,
    "unseen": _print_unseen,
    "hostile": _print_what_must_not_pass,
    "seconds": _print_seconds,
}


if __name__ == "__main__":
    run(main)
