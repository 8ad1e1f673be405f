"""What fine-tuning the exit flow gives beside a new head alone, on the same confirmed cases.

    python -m benchmarks.exit_depth DATA var/releases/folds-0-2 [--learned 3 4] [--tested 5 6] [--also 1e-4:0.1 …]

DATA is what ``manage.py import_ham10000`` wrote; the release is one of ``benchmarks.first_networks``, whose base and
head have seen folds 0–2 alone. Cases of the learned folds are confirmed, fold 7 calibrates, and all three networks are
read on the tested folds, by lesion. The locked folds are not touched. ``--also`` tries other rates, each with how
strongly weights are drawn back to where they began.
"""

import argparse
import hashlib
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.beginning import run  # noqa: E402
from mlmodel.engine import Engine  # noqa: E402
from mlmodel.exit_flow import exit_flow_of  # noqa: E402
from mlmodel.head import Head  # noqa: E402
from mlmodel.pictures import decode  # noqa: E402
from mlmodel.release import load_release  # noqa: E402
from mlmodel.retraining import BaseSet, Cases, Network, network_of, train_candidate  # noqa: E402
from mlmodel.retraining.base_set import PARTS  # noqa: E402
from mlmodel.retraining.calibrating import calibrated  # noqa: E402
from mlmodel.retraining.deeper import train_deeper  # noqa: E402
from mlmodel.retraining.entry_maps import Entry, Maps, exit_features  # noqa: E402
from mlmodel.retraining.learning import Progress  # noqa: E402
from mlmodel.taxonomy import CODES  # noqa: E402
from mlmodel.training import evaluate  # noqa: E402
from mlmodel.training.dataset import Dataset, read_dataset  # noqa: E402
from mlmodel.training.features import cached_features  # noqa: E402

_SEED = 7
_NEVI = 1000
_FIGURES = {
    "balanced accuracy": evaluate.balanced_accuracy,
    "macro AUC": evaluate.macro_auc,
    "malignant AUC": evaluate.malignant_auc,
    "accuracy": evaluate.accuracy,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("release", type=Path)
    parser.add_argument("--learned", type=int, nargs="+", default=[3, 4])
    parser.add_argument("--tested", type=int, nargs="+", default=[5, 6])
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--also", nargs="*", default=[], metavar="RATE:PULL")
    options = parser.parse_args()
    bench = _Bench(read_dataset(options.data), options.release, tuple(options.learned), tuple(options.tested))
    print(f"{len(bench.base.replay)} replayed, {len(bench.learned)} confirmed, {len(bench.base.locked)} tested")
    print(f"{'':28}" + "".join(f"{name:>28}" for name in _FIGURES) + f"{'seconds':>9}  recall by class")
    _row("the network as it is", bench.active, bench.base.locked, 0.0)
    started = time.perf_counter()
    head = train_candidate(
        active=bench.active, base=bench.base, learned=bench.learned, seed=_SEED, progress=lambda share, stage: None
    )
    _row("a new head", head, bench.base.locked, time.perf_counter() - started)
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        maps = bench.maps_of(bench.learned_rows)
        print(f"{'':28}maps of what was confirmed: {time.perf_counter() - started:.0f} s", flush=True)
        for part in PARTS:
            bench.maps(part, progress=lambda share, stage: None)
        print(f"{'':28}and of the base: {time.perf_counter() - started:.0f} s", flush=True)
        started = time.perf_counter()
        deeper = train_deeper(
            active=bench.active,
            active_settings=bench.settings,
            exit_flow=exit_flow_of(bench.backbone),
            backbone=bench.backbone,
            base=bench.base,
            photographs=bench,
            learned=(bench.learned, maps),
            tested=(bench.learned.take(np.zeros(0, dtype=np.int64)), maps[:0]),
            work=Path(folder),
            epochs=options.epochs,
            seed=_SEED,
            progress=lambda share, stage: None,
        )
    if deeper is None:
        print("the exit flow stays as it is: nothing better was found")
    else:
        _row("a new exit flow and head", deeper.network, deeper.base.locked, time.perf_counter() - started)
    for rates in options.also:
        _try(bench, maps, rates, epochs=options.epochs)


def _try(bench: "_Bench", maps: Maps, rates: str, *, epochs: int) -> None:
    """Fine-tune at another rate, in this process."""
    from mlmodel.training.exit_training import ExitRecipe, MappedCases, fine_tune_exit

    rate, pull = (float(each) for each in rates.split(":"))
    started = time.perf_counter()
    found = fine_tune_exit(
        active=bench.active,
        exit_flow=exit_flow_of(bench.backbone),
        replay=MappedCases(bench.base.replay, bench.maps("replay", progress=lambda share, stage: None)),
        calibration=MappedCases(bench.base.calibration, bench.maps("calibration", progress=lambda share, stage: None)),
        learned=MappedCases(bench.learned, maps),
        seed=_SEED,
        progress=lambda share, stage: None,
        recipe=ExitRecipe(epochs=epochs, rate=rate, head_rate=max(rate, ExitRecipe.head_rate), pull=pull),
    )
    if found is None:
        print(f"{rates}: nothing better was found")
        return
    content, head = found
    sha256 = hashlib.sha256(content).hexdigest()
    base = bench.base.with_exit(sha256, bench.through(content, progress=lambda share, stage: None))
    mix = bench.active.calibration.class_mix
    network = calibrated(head, class_mix=mix, cases=base.calibration, before=bench.active, exit_sha256=sha256)
    _row(f"at {rate:g}, drawn back by {pull:g}", network, base.locked, time.perf_counter() - started)


def _row(name: str, network: Network, cases: Cases, seconds: float) -> None:
    answers = network.answers_by_lesion(cases)
    found = evaluate.estimate(_FIGURES, answers)
    named = answers.scores.argmax(axis=1)
    recalls = [f"{code} {(named[answers.labels == index] == index).mean():.2f}" for index, code in enumerate(CODES)]
    print(
        f"{name:28}" + "".join(f"{found[each]!s:>28}" for each in _FIGURES) + f"{seconds:>9.0f}  {', '.join(recalls)}"
    )


class _Bench:
    """Photographs, features and maps of the folds."""

    def __init__(self, dataset: Dataset, folder: Path, learned: tuple[int, ...], tested: tuple[int, ...]) -> None:
        release = load_release(folder)
        self.backbone, self.settings = release.backbone, release.settings
        self.active = network_of(release.settings, Head.load(release.head))
        cache = ROOT / "var" / "features" / release.backbone_sha256[:16] / "ham10000"
        self._dataset = dataset
        self._features = cached_features(dataset.paths, engine=Engine(release.backbone), cache=cache)
        self._entry = Entry(release.backbone)
        self._kept = ROOT / "var" / "exit_depth" / release.backbone_sha256[:16]
        seen = np.flatnonzero(dataset.rows((0, 1, 2)))
        nevi = seen[dataset.labels[seen] == CODES.index("nv")]
        few = np.random.default_rng(_SEED).choice(nevi, min(_NEVI, len(nevi)), replace=False)
        self._rows = {
            "replay": np.sort(np.concatenate([np.setdiff1d(seen, nevi), few])),
            "calibration": np.flatnonzero(dataset.rows((7,))),
            "locked": np.flatnonzero(dataset.rows(tested)),
        }
        self.learned_rows = np.flatnonzero(dataset.rows(learned))
        self.learned = self._cases(self.learned_rows)
        replay, calibration, locked = (self._cases(self._rows[part]) for part in ("replay", "calibration", "locked"))
        self.base = BaseSet(release.backbone_sha256, replay=replay, calibration=calibration, locked=locked)

    def maps(self, part: str, *, progress: Progress) -> Maps:
        return self.maps_of(self._rows[part])

    def through(self, exit_flow: bytes, *, progress: Progress) -> dict[str, npt.NDArray[np.float16]]:
        return {part: exit_features(self.backbone, exit_flow, self.maps(part, progress=progress)) for part in PARTS}

    def maps_of(self, rows: npt.NDArray[np.int64]) -> Maps:
        """Maps of block 12 of some photographs, kept between calls."""
        self._kept.mkdir(parents=True, exist_ok=True)
        path = self._kept / f"{hash(tuple(rows.tolist())) & 0xFFFFFFFF:08x}.npy"
        if path.exists():
            kept: Maps = np.load(path, mmap_mode="r", allow_pickle=False)
            return kept
        partial = path.with_suffix(".partial.npy")
        pictures = (decode(self._dataset.paths[row].read_bytes()).pixels for row in rows)
        found = self._entry.write(pictures, count=len(rows), path=partial, told=lambda share: None)
        partial.replace(path)
        return found

    def _cases(self, rows: npt.NDArray[np.int64]) -> Cases:
        return Cases(self._features[rows], self._dataset.labels[rows].astype(np.int64), self._dataset.lesions[rows])


if __name__ == "__main__":
    run(main)
