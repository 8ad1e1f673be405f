"""Whether a network encodes the source of a photograph, and whether its predictions depend on it.

    python -m research.source_probe DATA [DATA …] [--release DIR …] [--each 150] [--with-small]

Each DATA is the output of ``import_ham10000`` or ``import_isic``; photographs are of fold 7. For each release and
class, a linear probe predicts the source from the head's hidden units, and from the features before them (five folds,
by lesion, sources balanced): within one class, what it detects is the clinic. Then melanomas of each source are
separated from nevi, or known benign lesions, of each source: if performance across sources differs from that within
sources, predictions depend on the source. Copies of 84 pixels are recognisable by their softness and excluded by
default.
"""

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tqdm import tqdm

from benchmarks.beginning import run
from mlmodel.datasets.dataset import CALIBRATION_FOLDS, Dataset, read_datasets, read_photograph
from mlmodel.metrics.partial_labels import LABELS
from mlmodel.metrics.performance import auc
from mlmodel.network.analyser import Analyser
from mlmodel.releases.release import load_release
from mlmodel.releases.release_files import SHIPPED
from mlmodel.taxonomy import CODES

_SEED, _FOLDS = 7, 5
_MELANOMA = CODES.index("mel")
Floats = npt.NDArray[np.float32]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="+")
    parser.add_argument(
        "--release", type=Path, action="append", help="A release's folder; by default the shipped one."
    )
    parser.add_argument("--each", type=int, default=150, help="The most photographs per label and source.")
    parser.add_argument("--least", type=int, default=30, help="A source with fewer is not compared.")
    parser.add_argument("--with-small", action="store_true")
    options = parser.parse_args()
    dataset, _ = read_datasets(options.data)
    chosen = dataset.rows(CALIBRATION_FOLDS)
    if not options.with_small:
        chosen &= dataset.copies != "small"
    drawn = _drawn(dataset.take(chosen), options.each, options.least)
    for folder in options.release or [SHIPPED]:
        analyser = Analyser(load_release(folder))
        print(f"\n{analyser.version}")
        features = _features(drawn, analyser)
        _probe(drawn, features, analyser)
        _across(drawn, features, analyser)


def _drawn(dataset: Dataset, each: int, least: int) -> Dataset:
    """Return a sample of equal size for every label and source with enough photographs."""
    rows: list[int] = []
    shuffled = np.random.default_rng(_SEED).permutation(len(dataset.paths))
    for label in ("mel", "nv", "benign"):
        for source in np.unique(dataset.sources):
            is_own = (dataset.labels[shuffled] == LABELS.index(label)) & (dataset.sources[shuffled] == source)
            own = shuffled[is_own][:each]
            rows += own.tolist() if len(own) >= least else []
    if not rows:
        raise FileNotFoundError(f"fold 7 with {least} melanomas or nevi of a source")
    return dataset.take(np.sort(np.array(rows, dtype=np.int64)))


def _features(drawn: Dataset, analyser: Analyser) -> Floats:
    engine = analyser.engine
    return np.stack(
        [engine.run(engine.prepare(read_photograph(path).pixels)[None]).features[0] for path in tqdm(drawn.paths)]
    ).astype(np.float32)


def _probe(drawn: Dataset, features: Floats, analyser: Analyser) -> None:
    head = analyser.head
    hidden = np.maximum(features @ head.hidden_weights + head.hidden_bias, 0)
    print(f"{'guessing the source':28}{'sources':>8}{'by chance':>11}{'features':>11}{'hidden units':>14}")
    for label in np.unique(drawn.labels):
        rows = drawn.labels == label
        sources = np.unique(drawn.sources[rows])
        if len(sources) < 2:
            continue
        scores = [_guessed(values[rows], drawn.sources[rows], drawn.lesions[rows]) for values in (features, hidden)]
        print(f"{LABELS[label]:28}{len(sources):>8}{1 / len(sources):>11.2f}{scores[0]:>11.2f}{scores[1]:>14.2f}")


def _guessed(values: Floats, sources: npt.NDArray[np.str_], lesions: npt.NDArray[np.str_]) -> float:
    probe = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, class_weight="balanced", max_iter=2000))
    folds = StratifiedGroupKFold(_FOLDS, shuffle=True, random_state=_SEED)
    guessed = cross_val_predict(probe, values, sources, groups=lesions, cv=folds)
    return float(balanced_accuracy_score(sources, guessed))


def _across(drawn: Dataset, features: Floats, analyser: Analyser) -> None:
    scores = analyser.calibration.equal_prior_scores(analyser.head.logits(features))[:, _MELANOMA]
    is_melanoma = drawn.labels == _MELANOMA
    with_melanomas, with_others = np.unique(drawn.sources[is_melanoma]), np.unique(drawn.sources[~is_melanoma])
    print(f"\n{'AUC, melanoma of … against':28}" + "".join(f"{name:>16}" for name in with_others))
    within: list[float] = []
    across: list[float] = []
    for own in with_melanomas:
        line = f"{own:28}"
        for other in with_others:
            rows = (is_melanoma & (drawn.sources == own)) | (~is_melanoma & (drawn.sources == other))
            area = auc(scores[rows], is_melanoma[rows])
            (within if own == other else across).append(area)
            line += f"{area:>16.3f}"
        print(line)
    if within and across:
        print(f"mean within {np.mean(within):.3f}, across {np.mean(across):.3f} ({min(across):.3f}–{max(across):.3f})")


if __name__ == "__main__":
    run(main)
