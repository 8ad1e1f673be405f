"""Building of a release: features, head, calibration, operating points, photograph classifiers, card and manifest."""

import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mlmodel.datasets.dataset import (
    CALIBRATION_FOLDS,
    TEST_FOLDS,
    TRAIN_FOLDS,
    Dataset,
    DatasetError,
    read_dataset,
    read_datasets,
)
from mlmodel.datasets.feature_cache import cached_features
from mlmodel.evaluation.answering import EvaluatedNetwork, answer_from_features
from mlmodel.evaluation.by_source import answers_by_source, as_facts, class_mixes, figures_of_source
from mlmodel.evaluation.card_facts import card_facts
from mlmodel.evaluation.facts import evaluation_facts
from mlmodel.evaluation.known_sets import read_ham10000_folds, read_phone
from mlmodel.evaluation.model_card import CardFacts, write_card
from mlmodel.evaluation.test_sets import Photographs
from mlmodel.metrics.level_rules import least_found, threshold_levels
from mlmodel.metrics.performance import Answers, by_lesion
from mlmodel.network.calibration import as_settings
from mlmodel.network.engine import Engine
from mlmodel.network.head import Head
from mlmodel.network.threshold_levels import LEVELS_KEY
from mlmodel.network.tiers import OperatingPoints
from mlmodel.releases.release import write_manifest
from mlmodel.releases.release_files import sha256_of
from mlmodel.releases.sources import HAM10000
from mlmodel.training.classifier_fitting import ClassifierFit, fit_in_domain, fit_smartphone
from mlmodel.training.head_fitting import HeadRecipe, fit_head
from mlmodel.training.provenance import hardly_seen, learned_from, recorded_traits
from mlmodel.training.release_calibration import Calibrated, calibrate, calibrate_smartphone

BACKBONE_FILE, HEAD_FILE, CARD_FILE = "backbone.onnx", "head.npz", "card.md"
# Each augmented copy has its own seed.
_FIRST_AUGMENTATION_SEED = 1000
# Only every n-th photograph of other sources' training folds is used, to fit the classifiers of photographs.
_TRAINED_ELSEWHERE = 8
WithFeatures = tuple[Dataset, npt.NDArray[np.float16]]


@dataclass(frozen=True)
class BuildInputs:
    """The inputs of a release.

    Attributes:
        ham10000: a folder written by ``import_ham10000``, or with metadata.csv and images/.
        smartphone: photographs of lesions taken without a dermatoscope, with labels.csv.
        not_skin: everyday photographs that must be refused.
        backbone: the exported backbone.
        cache: a folder for cached features.
        head: the head of a trained network; None to fit one on the features.
        training: facts on the training for the card: recipe, run, hashes.
        collections: photographs of other sources from ``import_isic``, for calibration and testing.
        augmented_copies: without ``head``: the number of augmented copies of each training photograph.
        recipe: without ``head``: the hyperparameters for fitting one.
    """

    ham10000: Path
    smartphone: Path
    not_skin: Path
    backbone: Path
    cache: Path
    head: Head | None = None
    training: dict[str, Any] = field(default_factory=dict)
    collections: tuple[Path, ...] = ()
    augmented_copies: int = 1
    recipe: HeadRecipe = field(default_factory=HeadRecipe)


def build_release(inputs: BuildInputs, output: Path, *, verbose: int = 0) -> CardFacts:
    """Write a complete release to ``output``, with a given or a fitted head, and return the facts of its card.

    Raises:
        DatasetError: the data folder is invalid.
        EvaluationError: the smartphone photographs or their labels are missing.
    """
    dataset = read_dataset(inputs.ham10000)
    features = _Features(inputs)
    plain = features.of(dataset.paths, "ham10000")
    head = inputs.head or _fitted_head(inputs, dataset, features, plain, verbose)
    everything = _everything(inputs) if inputs.collections else dataset
    elsewhere = _elsewhere(everything, features) if inputs.collections else None
    phone = read_phone(inputs.smartphone)
    phone_features = features.of(phone.paths, "smartphone")
    kinds = _photograph_classifiers(
        inputs, features, [(dataset, plain), *([elsewhere] if elsewhere else [])], phone_features
    )
    output.mkdir(parents=True, exist_ok=True)
    if inputs.backbone.resolve() != (output / BACKBONE_FILE).resolve():
        shutil.copyfile(inputs.backbone, output / BACKBONE_FILE)
    _save_head(output / HEAD_FILE, head, kinds)
    # Calibration and evaluation use the head as it will be loaded, in half precision.
    head = Head.load(output / HEAD_FILE)
    calibrated = calibrate(head, dataset, plain, elsewhere)
    settings = _settings(calibrated, kinds, inputs)
    settings["smartphone"] = calibrate_smartphone(head, calibrated.calibration, phone.labels, phone_features)
    settings |= _provenance(inputs, dataset, everything, phone)
    facts = _evaluated(head, calibrated, dataset, plain, inputs, settings, kinds, features.views, elsewhere)
    (output / CARD_FILE).write_text(write_card(facts), encoding="utf-8")
    write_manifest(output, backbone=BACKBONE_FILE, head=HEAD_FILE, card=CARD_FILE, settings=settings)
    return facts


class _Features:
    """Features of folders, cached by the hash of the backbone."""

    def __init__(self, inputs: BuildInputs) -> None:
        self._engine = Engine(inputs.backbone)
        self.views = self._engine.views
        self._cache = inputs.cache / sha256_of(inputs.backbone)[:16]

    def of(self, paths: Sequence[Path], name: str, seed: int | None = None) -> npt.NDArray[np.float16]:
        return cached_features(paths, engine=self._engine, cache=self._cache / name, augmentation_seed=seed)

    def of_folder(self, folder: Path, seed: int | None = None) -> npt.NDArray[np.float16]:
        paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in {".jpg", ".jpeg", ".png"})
        return self.of(paths, folder.name if seed is None else f"{folder.name}-{seed}", seed)


def _fitted_head(
    inputs: BuildInputs, dataset: Dataset, features: _Features, plain: npt.NDArray[np.float16], verbose: int
) -> Head:
    trained = dataset.rows(TRAIN_FOLDS)
    paths = [path for path, is_trained in zip(dataset.paths, trained, strict=True) if is_trained]
    seeds = range(_FIRST_AUGMENTATION_SEED, _FIRST_AUGMENTATION_SEED + inputs.augmented_copies)
    copies = [plain[trained], *(features.of(paths, f"ham10000-train-{seed}", seed) for seed in seeds)]
    labels = np.tile(dataset.labels[trained], len(copies))
    return fit_head(np.concatenate(copies), labels, recipe=inputs.recipe, verbose=verbose)


def _everything(inputs: BuildInputs) -> Dataset:
    return read_datasets([inputs.ham10000, *inputs.collections])[0]


def _elsewhere(everything: Dataset, features: _Features) -> WithFeatures:
    """Return the photographs of other sources with their features, only a part of the training folds."""
    others = everything.take(everything.sources != HAM10000)
    trained = np.flatnonzero(others.rows(TRAIN_FOLDS))[::_TRAINED_ELSEWHERE]
    used = np.sort(np.append(trained, np.flatnonzero(~others.rows(TRAIN_FOLDS))))
    others = others.take(used)
    return others, features.of(others.paths, "elsewhere")


def _provenance(inputs: BuildInputs, home: Dataset, everything: Dataset, phone: Photographs) -> dict[str, Any]:
    """Return the settings on training data and on groups with little data."""
    # A run records the hash of its data; a head fitted here uses HAM10000.
    dataset_by_hash = {everything.sha256: everything, home.sha256: home}
    if (data := inputs.training.get("data", home.sha256)) not in dataset_by_hash:
        raise DatasetError(
            f"The run was trained on other photographs (data {data[:12]}) than those given: give all folders of its "
            "`manage.py train --data`, HAM10000 as DATA and the others with --collection, in the same order."
        )
    trained_on = sorted(set(dataset_by_hash[data].sources.tolist()))
    traits = recorded_traits(everything, [inputs.ham10000, *inputs.collections])
    return {
        "sources": learned_from(everything, trained_on=trained_on),
        "hardly_seen": hardly_seen(everything, traits, trained_on=trained_on, smartphone=phone),
    }


def _photograph_classifiers(
    inputs: BuildInputs, features: _Features, parts: Sequence[WithFeatures], smartphone: npt.NDArray[np.float16]
) -> dict[str, ClassifierFit]:
    def of_folds(folds: tuple[int, ...]) -> list[npt.NDArray[np.float16]]:
        return [own[dataset.rows(folds)] for dataset, own in parts]

    # A quarter of HAM10000 is enough; the others are already reduced.
    home, *others = of_folds(TRAIN_FOLDS)
    dermatoscopic = np.concatenate([home[::4], *others])
    chosen, locked = np.concatenate(of_folds(CALIBRATION_FOLDS)), np.concatenate(of_folds(TEST_FOLDS))
    return {
        "in_domain": fit_in_domain(
            lesions=np.concatenate([dermatoscopic, smartphone]),
            others=features.of_folder(inputs.not_skin),
            others_copies=[features.of_folder(inputs.not_skin, _FIRST_AUGMENTATION_SEED)],
            chosen=chosen,
            locked=locked,
        ),
        "smartphone": fit_smartphone(dermatoscopic=dermatoscopic, smartphone=smartphone, chosen=chosen, locked=locked),
    }


def _save_head(path: Path, head: Head, kinds: dict[str, ClassifierFit]) -> None:
    arrays: dict[str, Any] = {name: values.astype(np.float16) for name, values in asdict(head).items()}
    for name, fit in kinds.items():
        arrays[f"{name}_weights"] = fit.classifier.weights
        arrays[f"{name}_bias"] = np.float32(fit.classifier.bias)
    np.savez(path, **arrays)


def _settings(calibrated: Calibrated, kinds: dict[str, ClassifierFit], inputs: BuildInputs) -> dict[str, Any]:
    calibration = calibrated.calibration
    fitted = {"recipe": asdict(inputs.recipe), "augmented_copies": inputs.augmented_copies}
    return {
        "architecture": "xception",
        "temperature": round(calibration.temperature, 6),
        "class_mix": as_settings(calibration.class_mix),
        "set_thresholds": as_settings(calibration.set_thresholds),
        **{f"{name}_threshold": round(fit.classifier.threshold, 6) for name, fit in kinds.items()},
        "training": inputs.training or fitted,
    }


def _evaluated(
    head: Head,
    calibrated: Calibrated,
    dataset: Dataset,
    features: npt.NDArray[np.float16],
    inputs: BuildInputs,
    settings: dict[str, Any],
    kinds: dict[str, ClassifierFit],
    views: int,
    elsewhere: WithFeatures | None,
) -> CardFacts:
    """Return the facts of the card from the held-out test sets, and add the results to ``settings``."""
    photographs, rows, _ = read_ham10000_folds(inputs.ham10000, TEST_FOLDS)
    identity = {"architecture": "xception", "views": str(views)}
    network = EvaluatedNetwork(head, calibrated.calibration, calibrated.thresholds, identity)
    facts = evaluation_facts(
        network=network, sets=[answer_from_features(photographs, features[rows], network)], pictures=0
    )
    sources = _by_source(head, calibrated, (dataset, features), elsewhere) if elsewhere else {}
    card = card_facts(
        facts,
        settings=settings,
        in_domain={name: value for fit in kinds.values() for name, value in fit.figures.items()},
        by_source=sources,
    )
    settings["by_source"] = as_facts(sources)
    tested = {
        name: by_lesion(each) for name, each in _tested(head, calibrated, (dataset, features), elsewhere).items()
    }
    settings["operating_points"] = {
        tier: {
            "threshold": calibrated.thresholds[tier],
            **{name: round(cost.value, 4) for name, cost in costs.items()},
            **least_found(tested, calibrated.thresholds[tier]),
        }
        for tier, costs in card.operating_points.items()
    }
    settings[LEVELS_KEY] = _levels(head, calibrated, (dataset, features), tested, settings["operating_points"])
    settings["locked_test"] = {
        name: {
            metric: {key: round(value, 4) for key, value in asdict(each).items()} for metric, each in each_set.items()
        }
        for name, each_set in card.estimates.items()
    }
    return card


def _by_source(head: Head, calibrated: Calibrated, home: WithFeatures, elsewhere: WithFeatures) -> dict[str, Any]:
    """Return the results on each source's held-out test set, HAM10000's first."""
    sources: dict[str, Any] = {}
    for part in (home, elsewhere):
        # A source's own class mix is that of all its given photographs.
        mixes = class_mixes(part[0])
        for name, answers in _answers(head, calibrated, part, part[0].rows(TEST_FOLDS)).items():
            sources[name] = figures_of_source(
                answers,
                thresholds=calibrated.thresholds,
                set_thresholds=calibrated.calibration.set_thresholds,
                class_mix=mixes[name],
            )
    return sources


def _levels(
    head: Head,
    calibrated: Calibrated,
    home: WithFeatures,
    by_source: dict[str, Answers],
    operating_points: dict[str, Any],
) -> dict[str, Any]:
    """Return the threshold levels in the format of settings, or nothing if there are too few lesions."""
    locked, is_sharp = home[0].rows(TEST_FOLDS), home[0].copies == "sharp"
    # The same photographs as for the released thresholds in ``card_facts``.
    rows = locked & is_sharp if (locked & is_sharp).any() else locked
    (tested,) = _answers(head, calibrated, home, rows).values()
    levels = threshold_levels(
        released=OperatingPoints.from_settings(operating_points),
        chosen=calibrated.chosen,
        tested=tested,
        tested_by_source=by_source,
    )
    return levels.as_settings() if levels else {}


def _tested(
    head: Head, calibrated: Calibrated, home: WithFeatures, elsewhere: WithFeatures | None
) -> dict[str, Answers]:
    """Return the answers on each source's held-out test set, or nothing if there is only one source."""
    if elsewhere is None:
        return {}
    return {
        name: answers
        for part in (home, elsewhere)
        for name, answers in _answers(head, calibrated, part, part[0].rows(TEST_FOLDS)).items()
    }


def _answers(
    head: Head, calibrated: Calibrated, part: WithFeatures, rows: npt.NDArray[np.bool_]
) -> dict[str, Answers]:
    dataset, features = part
    return answers_by_source(
        dataset.take(rows), head.logits(features[rows].astype(np.float32)), calibrated.calibration
    )
