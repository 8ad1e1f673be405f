"""Counts of a network's training data by source, and of patient groups with little data, for the card and pages."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mlmodel.datasets.dataset import CALIBRATION_FOLDS, MANIFEST_FILE, TEST_FOLDS, TRAIN_FOLDS, Dataset
from mlmodel.datasets.tables import read_table
from mlmodel.evaluation.test_sets import Photographs, traits_of
from mlmodel.pictures.picture_files import stem_of

Traits = Mapping[str, npt.NDArray[np.str_]]
_FOLDS = {"trained": TRAIN_FOLDS, "chosen": CALIBRATION_FOLDS, "locked": TEST_FOLDS}
_ADULT_YEARS = 18
_DARK_SKIN = ("IV", "V", "VI")


def learned_from(dataset: Dataset, *, trained_on: Sequence[str]) -> list[dict[str, Any]]:
    """Return the photographs and lesions of each source for training, validation and the held-out test.

    Args:
        dataset: all photographs of all sources.
        trained_on: the sources used for training; the training folds of other sources are not counted.
    """
    names = sorted(set(dataset.sources.tolist()), key=lambda name: (name not in trained_on, name))
    return [_source(dataset, name, is_trained_on=name in trained_on) for name in names]


def hardly_seen(
    dataset: Dataset, traits: Traits, *, trained_on: Sequence[str], smartphone: Photographs
) -> list[dict[str, Any]]:
    """Return patient groups and body sites with their numbers of training and test lesions.

    Args:
        dataset: all photographs of all sources.
        traits: the result of ``recorded_traits``; empty where nothing is recorded.
        trained_on: the sources used for training.
        smartphone: smartphone photographs, which were not used for training.
    """
    trained = dataset.rows(TRAIN_FOLDS) & np.isin(dataset.sources, trained_on)
    locked = dataset.rows(TEST_FOLDS)
    groups = []
    for group, (trait, matches) in _GROUPS.items():
        values = traits.get(trait, np.full(len(dataset.labels), ""))
        is_one = _are(values, matches)
        # A source that never records this group may still contain it.
        says = np.isin(dataset.sources, np.unique(dataset.sources[is_one])) & (values != "")
        by_phone = smartphone.traits.get(trait, np.full(len(smartphone.lesions), ""))
        groups.append(
            {
                "group": group,
                "trained": _lesions(dataset, trained & is_one),
                "judged": _lesions(dataset, locked & is_one),
                "not_recorded": _lesions(dataset, (trained | locked) & ~says),
                "smartphone": len(np.unique(smartphone.lesions[_are(by_phone, matches)])),
            }
        )
    return groups


def recorded_traits(dataset: Dataset, folders: Sequence[Path]) -> Traits:
    """Return each photograph's age, site and skin type from the tables in ``folders``, str (N,) by trait."""
    rows: dict[str, dict[str, str]] = {}
    for folder in folders:
        table = folder / MANIFEST_FILE
        for row in read_table(table if table.is_file() else folder / "metadata.csv").rows:
            rows.setdefault(stem_of(row.get("image_id", "")), row)
    return traits_of([rows.get(path.stem, {}) for path in dataset.paths])


def _site(*words: str) -> tuple[str, Callable[[str], bool]]:
    return "site", lambda site: not set(words).isdisjoint(re.split(r"[^a-z]+", site))


# The groups, each with the trait and the values that define it.
_GROUPS: dict[str, tuple[str, Callable[[str], bool]]] = {
    # Tables round to five years, and 0 often stands for an unknown age, so it does not count as a child.
    "children": ("age", lambda age: 0 < float(age) < _ADULT_YEARS),
    "skin_types_4_to_6": ("skin_type", lambda skin: skin in _DARK_SKIN),
    "palms_and_soles": _site("acral", "palm", "palms", "palmar", "sole", "soles", "plantar"),
    "nails": _site("nail", "nails", "ungual", "subungual"),
    "mucosa": _site("genital", "genitals", "oral", "mucosa", "mucosal", "lip", "lips"),
}


def _are(values: npt.NDArray[np.str_], matches: Callable[[str], bool]) -> npt.NDArray[np.bool_]:
    return np.array([bool(value) and matches(value) for value in values.tolist()], dtype=np.bool_)


def _source(dataset: Dataset, name: str, *, is_trained_on: bool) -> dict[str, Any]:
    counts = {
        part: _count(dataset, (dataset.sources == name) & dataset.rows(folds))
        for part, folds in _FOLDS.items()
        if part != "trained" or is_trained_on
    }
    return {"name": name, **counts}


def _count(dataset: Dataset, rows: npt.NDArray[np.bool_]) -> dict[str, int]:
    return {"photographs": int(rows.sum()), "lesions": _lesions(dataset, rows)}


def _lesions(dataset: Dataset, rows: npt.NDArray[np.bool_]) -> int:
    return len(np.unique(dataset.lesions[rows]))
