"""The benefit of age, sex and body site: a small network on features with metadata, and the same without.

    python -m benchmarks.metadata_head DATA [--features DIR] [--seeds 3]

DATA is the output of ``manage.py import_ham10000``. Heads are fitted on folds 0–6 and evaluated on fold 7, by lesion.
During training, age, sex and site are each dropped at random for two photographs in five, so that all are optional.
The head is evaluated with all recorded metadata and with none. Needs TensorFlow; takes minutes on two cores once the
features are computed.

The backbone was trained on the same photographs, so their features are more informative than those of new ones, which
leaves less for metadata to add.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.beginning import run
from mlmodel.datasets.dataset import CALIBRATION_FOLDS, TRAIN_FOLDS, read_dataset
from mlmodel.evaluation.test_sets import Strings
from mlmodel.metrics.performance import Answers, balanced_accuracy, by_lesion, macro_auc, malignant_auc
from mlmodel.taxonomy import CODES
from mlmodel.training.head_fitting import class_mix
from mlmodel.training.provenance import recorded_traits

Floats = npt.NDArray[np.float32]
LEFT_OUT = 0.4
_HIDDEN, _EPOCHS, _BATCH, _RATE = 128, 15, 128, 3e-4
_TRAITS = ("age", "sex", "site")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, metavar="DATA")
    parser.add_argument("--features", type=Path, default=Path("var/features"), metavar="DIR")
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    from mlmodel.datasets.feature_cache import cached_features
    from mlmodel.network.analyser import get_analyser

    dataset = read_dataset(options.data)
    analyser = get_analyser()
    cache = options.features / analyser.backbone_sha256[:16] / "ham10000"
    features = cached_features(dataset.paths, engine=analyser.engine, cache=cache)
    stated, groups = encoded(recorded_traits(dataset, [options.data]), len(dataset.labels))
    train, chosen = dataset.rows(TRAIN_FOLDS), dataset.rows(CALIBRATION_FOLDS)
    scaled = scaled_by(features, train)
    print(f"{'fold 7, by lesion':34} {'loss':>7} {'macro AUC':>10} {'malignant AUC':>14} {'balanced':>9}")
    nothing = np.zeros_like(stated)
    results: dict[str, list[list[float]]] = {}
    for seed in range(options.seeds):
        for name, knows in (("image alone", False), ("with metadata", True)):
            model = fitted(scaled[train], (stated if knows else nothing)[train], dataset.labels[train], groups, seed)
            variants = (
                {name: nothing} if not knows else {f"{name}, as recorded": stated, f"{name}, none stated": nothing}
            )
            for title, metadata in variants.items():
                logits = model.predict([scaled[chosen], metadata[chosen]], verbose=0)
                figures = judged(logits, dataset.labels[chosen], dataset.lesions[chosen], dataset.labels[train])
                results.setdefault(title, []).append(figures)
    for title, rows in results.items():
        loss, macro, malignant, balanced = np.mean(rows, axis=0)
        spread = np.std(rows, axis=0)
        print(
            f"{title:34} {loss:7.3f} {macro:10.4f} {malignant:14.4f} {balanced:9.3f}   "
            f"(seeds differ by {spread[0]:.3f}, {spread[1]:.4f}, {spread[2]:.4f}, {spread[3]:.3f})"
        )


def encoded(traits: Any, count: int) -> tuple[Floats, list[slice]]:
    """Return age, sex and site as float32 (N, M), zero where not recorded, and the columns of each."""
    columns: list[Floats] = []
    groups = []
    for trait in _TRAITS:
        values: Strings = traits.get(trait, np.full(count, ""))
        if trait == "age":
            years = np.array([float(value) if value else np.nan for value in values.tolist()])
            own = [np.nan_to_num((years - 50) / 25), ~np.isnan(years)]
        else:
            own = [values == name for name in sorted(set(values.tolist()) - {""})]
        groups.append(slice(len(columns), len(columns) + len(own)))
        columns += [np.asarray(column, dtype=np.float32) for column in own]
    return np.stack(columns, axis=1), groups


def scaled_by(features: npt.NDArray[np.float16], rows: npt.NDArray[np.bool_]) -> Floats:
    """Return the features scaled to mean 0 and standard deviation 1 over ``rows``."""
    mean = features[rows].mean(axis=0, dtype=np.float64).astype(np.float32)
    scale = np.maximum(features[rows].std(axis=0, dtype=np.float64).astype(np.float32), 1e-3)
    return (features.astype(np.float32) - mean) / scale


def fitted(features: Floats, stated: Floats, labels: npt.NDArray[np.int64], groups: list[slice], seed: int) -> Any:
    """Fit the network: a hidden layer each for features and metadata, and one output layer."""
    import keras

    keras.utils.set_random_seed(seed)
    chance = np.random.default_rng(seed)
    image, metadata = keras.Input((features.shape[1],)), keras.Input((stated.shape[1],))
    seen = keras.layers.Dense(_HIDDEN, activation="relu", kernel_initializer="he_normal")(
        keras.layers.Dropout(0.4)(image)
    )
    encoded_metadata = keras.layers.Dense(32, activation="relu", use_bias=False)(metadata)
    joined = keras.layers.Concatenate()([keras.layers.Dropout(0.5)(seen), encoded_metadata])
    model = keras.Model([image, metadata], keras.layers.Dense(len(CODES))(joined))
    log_mix = np.log(class_mix(labels))

    def loss(truth: Any, logits: Any) -> Any:
        return keras.losses.sparse_categorical_crossentropy(truth, logits + log_mix, from_logits=True)

    steps = _EPOCHS * -(-len(labels) // _BATCH)
    schedule = keras.optimizers.schedules.CosineDecay(_RATE, steps)
    model.compile(keras.optimizers.AdamW(schedule, weight_decay=0.1), loss=loss)
    for _epoch in range(_EPOCHS):
        dropped = stated.copy()
        for group in groups:
            dropped[chance.random(len(labels)) < LEFT_OUT, group] = 0
        model.fit([features, dropped], labels, batch_size=_BATCH, epochs=1, verbose=0)
    return model


def judged(
    logits: Floats, labels: npt.NDArray[np.int64], lesions: npt.NDArray[np.str_], trained: npt.NDArray[np.int64]
) -> list[float]:
    """Return loss at the training mix, macro and malignant AUC and balanced accuracy (equal priors), by lesion."""
    scores, probabilities = _softmax(logits), _softmax(logits + np.log(class_mix(trained)))
    answers = by_lesion(Answers(probabilities, scores, labels, lesions))
    own = answers.probabilities[np.arange(len(answers.labels)), answers.labels]
    return [
        float(-np.log(np.maximum(own, 1e-9)).mean()), macro_auc(answers), malignant_auc(answers),
        balanced_accuracy(answers),
    ]  # fmt: skip


def _softmax(logits: Floats) -> Floats:
    exps = np.exp(logits - logits.max(axis=1, keepdims=True))
    return (exps / exps.sum(axis=1, keepdims=True)).astype(np.float32)


if __name__ == "__main__":
    run(main)
