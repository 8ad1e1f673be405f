"""Build a release: features, head, calibration, operating points, judges of the photograph's kind, card, manifest."""

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
from mlmodel.evaluation.answering import Judge, answer_from_features
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
from mlmodel.training.head_fitting import HeadRecipe, fit_head
from mlmodel.training.judge_fitting import JudgeFit, fit_in_domain, fit_smartphone
from mlmodel.training.provenance import hardly_seen, learned_from, recorded_traits
from mlmodel.training.release_calibration import Calibrated, calibrate, calibrate_smartphone

BACKBONE_FILE, HEAD_FILE, CARD_FILE = "backbone.onnx", "head.npz", "card.md"
# Each augmented copy is made with a seed of its own.
_FIRST_AUGMENTATION_SEED = 1000
# Of other sources' training folds, one photograph in so many is used: to fit the judges of a photograph's kind.
_TRAINED_ELSEWHERE = 8
Known = tuple[Dataset, npt.NDArray[np.float16]]


@dataclass(frozen=True)
class BuildInputs:
    """Where everything comes from.

    Attributes:
        ham10000: what ``import_ham10000`` wrote, or a folder with metadata.csv and images/.
        smartphone: photographs of lesions that were taken without a dermatoscope, with labels.csv.
        not_skin: everyday photographs that must be refused.
        backbone: the exported backbone.
        cache: a folder for computed features.
        head: a trained network's own head; None to fit one on the features.
        training: what the card says of the training: recipe, run, hashes.
        collections: photographs of other sources, as ``import_isic`` wrote them, to calibrate and judge with.
        augmented_copies: without ``head``: how many changed copies of each training photograph to fit on as well.
        recipe: without ``head``: how one is fitted.
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
    """Fit or take a head, judge it, and write the whole release to ``output``.

    Raises:
        DatasetError: the data folder is not what it should be.
        EvaluationError: the smartphone photographs or their labels are not there.
    """
    dataset = read_dataset(inputs.ham10000)
    features = _Features(inputs)
    plain = features.of(dataset.paths, "ham10000")
    head = inputs.head or _fitted_head(inputs, dataset, features, plain, verbose)
    everything = _everything(inputs) if inputs.collections else dataset
    elsewhere = _elsewhere(everything, features) if inputs.collections else None
    phone = read_phone(inputs.smartphone)
    phone_features = features.of(phone.paths, "smartphone")
    kinds = _judges(inputs, features, [(dataset, plain), *([elsewhere] if elsewhere else [])], phone_features)
    output.mkdir(parents=True, exist_ok=True)
    if inputs.backbone.resolve() != (output / BACKBONE_FILE).resolve():
        shutil.copyfile(inputs.backbone, output / BACKBONE_FILE)
    _save_head(output / HEAD_FILE, head, kinds)
    # What is calibrated and judged is the head as it will be loaded, in half precision.
    head = Head.load(output / HEAD_FILE)
    found = calibrate(head, dataset, plain, elsewhere)
    settings = _settings(found, kinds, inputs)
    settings["smartphone"] = calibrate_smartphone(head, found.calibration, phone.labels, phone_features)
    settings |= _provenance(inputs, dataset, everything, phone)
    facts = _judged(head, found, dataset, plain, inputs, settings, kinds, features.views, elsewhere)
    (output / CARD_FILE).write_text(write_card(facts), encoding="utf-8")
    write_manifest(output, backbone=BACKBONE_FILE, head=HEAD_FILE, card=CARD_FILE, settings=settings)
    return facts


class _Features:
    """Features by folder, cached under the hash of the backbone that makes them."""

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


def _elsewhere(everything: Dataset, features: _Features) -> Known:
    """Return the photographs of other sources, of the training folds a few, with their features."""
    others = everything.take(everything.sources != HAM10000)
    trained = np.flatnonzero(others.rows(TRAIN_FOLDS))[::_TRAINED_ELSEWHERE]
    used = np.sort(np.append(trained, np.flatnonzero(~others.rows(TRAIN_FOLDS))))
    others = others.take(used)
    return others, features.of(others.paths, "elsewhere")


def _provenance(inputs: BuildInputs, home: Dataset, everything: Dataset, phone: Photographs) -> dict[str, Any]:
    """Return what the network learned from, and whom it has hardly seen."""
    # A run names its data by their hash; what is fitted here is fitted on HAM10000.
    known = {everything.sha256: everything, home.sha256: home}
    if (data := inputs.training.get("data", home.sha256)) not in known:
        raise DatasetError(
            f"The run was trained on other photographs (data {data[:12]}) than those given: name all folders that "
            "`manage.py train --data` had, HAM10000 as DATA and the others with --collection, in the same order."
        )
    trained_on = sorted(set(known[data].sources.tolist()))
    traits = recorded_traits(everything, [inputs.ham10000, *inputs.collections])
    return {
        "sources": learned_from(everything, trained_on=trained_on),
        "hardly_seen": hardly_seen(everything, traits, trained_on=trained_on, smartphone=phone),
    }


def _judges(
    inputs: BuildInputs, features: _Features, known: Sequence[Known], smartphone: npt.NDArray[np.float16]
) -> dict[str, JudgeFit]:
    def of_folds(folds: tuple[int, ...]) -> list[npt.NDArray[np.float16]]:
        return [own[dataset.rows(folds)] for dataset, own in known]

    # Of HAM10000 a quarter is enough; of others there is a part already.
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


def _save_head(path: Path, head: Head, kinds: dict[str, JudgeFit]) -> None:
    arrays: dict[str, Any] = {name: values.astype(np.float16) for name, values in asdict(head).items()}
    for name, fit in kinds.items():
        arrays[f"{name}_weights"] = fit.judge.weights
        arrays[f"{name}_bias"] = np.float32(fit.judge.bias)
    np.savez(path, **arrays)


def _settings(found: Calibrated, kinds: dict[str, JudgeFit], inputs: BuildInputs) -> dict[str, Any]:
    calibration = found.calibration
    fitted = {"recipe": asdict(inputs.recipe), "augmented_copies": inputs.augmented_copies}
    return {
        "architecture": "xception",
        "temperature": round(calibration.temperature, 6),
        "class_mix": as_settings(calibration.class_mix),
        "set_thresholds": as_settings(calibration.set_thresholds),
        **{f"{name}_threshold": round(fit.judge.threshold, 6) for name, fit in kinds.items()},
        "training": inputs.training or fitted,
    }


def _judged(
    head: Head,
    found: Calibrated,
    dataset: Dataset,
    features: npt.NDArray[np.float16],
    inputs: BuildInputs,
    settings: dict[str, Any],
    kinds: dict[str, JudgeFit],
    views: int,
    elsewhere: Known | None,
) -> CardFacts:
    """Judge on the locked tests; writes the figures that travel with the release into ``settings``."""
    photographs, rows, _ = read_ham10000_folds(inputs.ham10000, TEST_FOLDS)
    identity = {"architecture": "xception", "views": str(views)}
    judge = Judge(head, found.calibration, found.thresholds, identity)
    facts = evaluation_facts(judge=judge, sets=[answer_from_features(photographs, features[rows], judge)], pictures=0)
    sources = _by_source(head, found, (dataset, features), elsewhere) if elsewhere else {}
    card = card_facts(
        facts,
        settings=settings,
        in_domain={name: value for fit in kinds.values() for name, value in fit.figures.items()},
        by_source=sources,
    )
    settings["by_source"] = as_facts(sources)
    tested = {name: by_lesion(each) for name, each in _tested(head, found, (dataset, features), elsewhere).items()}
    settings["operating_points"] = {
        tier: {
            "threshold": found.thresholds[tier],
            **{name: round(cost.value, 4) for name, cost in costs.items()},
            **least_found(tested, found.thresholds[tier]),
        }
        for tier, costs in card.operating_points.items()
    }
    settings[LEVELS_KEY] = _levels(head, found, (dataset, features), tested, settings["operating_points"])
    settings["locked_test"] = {
        name: {
            metric: {key: round(value, 4) for key, value in asdict(each).items()} for metric, each in each_set.items()
        }
        for name, each_set in card.estimates.items()
    }
    return card


def _by_source(head: Head, found: Calibrated, home: Known, elsewhere: Known) -> dict[str, Any]:
    """Return the figures of each source's locked test, HAM10000's first."""
    sources: dict[str, Any] = {}
    for known in (home, elsewhere):
        # A source's own class mix is that of all its photographs that are here.
        mixes = class_mixes(known[0])
        for name, answers in _answers(head, found, known, known[0].rows(TEST_FOLDS)).items():
            sources[name] = figures_of_source(
                answers,
                thresholds=found.thresholds,
                set_thresholds=found.calibration.set_thresholds,
                class_mix=mixes[name],
            )
    return sources


def _levels(
    head: Head, found: Calibrated, home: Known, by_source: dict[str, Answers], operating_points: dict[str, Any]
) -> dict[str, Any]:
    """Return at which levels the tiers may begin, as settings hold them; nothing where there are too few lesions."""
    locked, is_sharp = home[0].rows(TEST_FOLDS), home[0].copies == "sharp"
    # As ``card_facts`` states the costs of the released thresholds.
    judged = locked & is_sharp if (locked & is_sharp).any() else locked
    (tested,) = _answers(head, found, home, judged).values()
    levels = threshold_levels(
        released=OperatingPoints.from_settings(operating_points),
        chosen=found.chosen,
        tested=tested,
        tested_by_source=by_source,
    )
    return levels.as_settings() if levels else {}


def _tested(head: Head, found: Calibrated, home: Known, elsewhere: Known | None) -> dict[str, Answers]:
    """Return the answers to each source's locked test; nothing where one source is known."""
    if elsewhere is None:
        return {}
    return {
        name: answers
        for known in (home, elsewhere)
        for name, answers in _answers(head, found, known, known[0].rows(TEST_FOLDS)).items()
    }


def _answers(head: Head, found: Calibrated, known: Known, rows: npt.NDArray[np.bool_]) -> dict[str, Answers]:
    dataset, features = known
    return answers_by_source(dataset.take(rows), head.logits(features[rows].astype(np.float32)), found.calibration)
