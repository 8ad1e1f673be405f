"""Test sets: photographs with the ground truth and metadata."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mlmodel.datasets.diagnosis_names import code_of_diagnosis, similar_code
from mlmodel.datasets.tables import first_of, number, some
from mlmodel.evaluation.errors import EvaluationError
from mlmodel.network.calibration import Labels
from mlmodel.taxonomy import CODES

Strings = npt.NDArray[np.str_]
OUTSIDE = -1

# Column names of each trait in HAM10000, the ISIC archive and PAD-UFES-20 (with its spelling).
TRAITS: dict[str, tuple[str, ...]] = {
    "age": ("age", "age_approx"),
    "sex": ("sex", "gender"),
    "site": ("site", "localization", "anatom_site_general", "anatom_site", "region"),
    "source": ("source",),
    "skin_type": ("skin_type", "fitzpatrick", "fitzpatrick_skin_type", "fitspatrick"),
}
_UNKNOWN = frozenset({"unknown", "not recorded", "not known", "unspecified"})
_SKIN_TYPES = ("I", "II", "III", "IV", "V", "VI")


@dataclass(frozen=True)
class Photographs:
    """N labelled photographs.

    Attributes:
        name: the name of the set.
        description: one or two sentences on its origin and whether the network was trained on it.
        credit: author and licence of the photographs; empty if unknown.
        paths: the files.
        labels: int64 (N,), indices into ``taxonomy.CODES``; ``OUTSIDE`` where the diagnosis is none of the seven.
        diagnoses: str (N,), the diagnosis as written in the table.
        lesions: str (N,); photographs of one lesion share a value.
        traits: str (N,) by name in ``TRAITS``; empty where unknown.
        notes: what was excluded, and why.
    """

    name: str
    description: str
    credit: str
    paths: tuple[Path, ...]
    labels: Labels
    diagnoses: Strings
    lesions: Strings
    traits: dict[str, Strings]
    notes: tuple[str, ...] = field(default=())

    def take(self, rows: npt.NDArray[np.bool_] | npt.NDArray[np.int64]) -> "Photographs":
        """Return the set with these rows only."""
        indices = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows
        return Photographs(
            name=self.name,
            description=self.description,
            credit=self.credit,
            paths=tuple(self.paths[index] for index in indices),
            labels=self.labels[indices],
            diagnoses=self.diagnoses[indices],
            lesions=self.lesions[indices],
            traits={name: values[indices] for name, values in self.traits.items()},
            notes=self.notes,
        )


def traits_of(rows: Sequence[dict[str, str]]) -> dict[str, Strings]:
    """Return age, sex, site, source and skin type of each row; traits that no row has are omitted."""
    traits = {
        trait: np.array([_READERS[trait](first_of(row, columns)) for row in rows], dtype=np.str_)
        for trait, columns in TRAITS.items()
    }
    return {trait: values for trait, values in traits.items() if (values != "").any()}


def labels_of(diagnoses: Sequence[str]) -> Labels:
    """Return class indices, and ``OUTSIDE`` for other diagnoses."""
    return np.array([CODES.index(code) if code in CODES else OUTSIDE for code in diagnoses], dtype=np.int64)


def notes_on_diagnoses(written: Sequence[str]) -> tuple[str, ...]:
    """Return sentences on diagnoses that were converted to codes and on those outside the seven, with counts.

    Args:
        written: the diagnoses as written in the table; "" where there is none.
    """
    outside: Counter[str] = Counter()
    renamed: Counter[str] = Counter()
    for name in written:
        code = code_of_diagnosis(name)
        if name and code not in CODES:
            outside[name.lower()] += 1
        elif name and code != name.lower():
            renamed[f"“{name.lower()}” as {code}"] += 1
    notes = []
    if renamed:
        listed = some(f"{what} ({count:,})" for what, count in renamed.most_common())
        notes.append(f"Diagnoses converted to codes: {listed}.")
    if outside:
        listed = some(f"{name} ({count:,}{_suggestion(name)})" for name, count in outside.most_common())
        notes.append(
            f"{outside.total():,} photographs show none of the seven classes and are excluded from the results: "
            f"{listed}."
        )
    return tuple(notes)


def _suggestion(name: str) -> str:
    code = similar_code(name)
    return f"; did you mean {code}?" if code else ""


def check_one_truth_a_lesion(labels: Labels, lesions: Strings) -> None:
    """Check that no lesion has two diagnoses.

    Raises:
        EvaluationError: some lesions have.
    """
    order = np.lexsort((labels, lesions))
    same = lesions[order][1:] == lesions[order][:-1]
    split = same & (labels[order][1:] != labels[order][:-1])
    if split.any():
        names = np.unique(lesions[order][1:][split]).tolist()
        raise EvaluationError(
            f"{len(names)} lesions have photographs with different diagnoses: {some(names)}. "
            "Correct the diagnoses or the lesion numbers."
        )


def _age(text: str) -> str:
    try:
        years = number(text)
    except ValueError:
        return ""
    return f"{years:g}" if 0 <= years <= 120 else ""


def _sex(text: str) -> str:
    word = _known(text)
    return {"f": "female", "m": "male"}.get(word, word)


def _known(text: str) -> str:
    word = text.lower()
    return "" if word in _UNKNOWN else word


def _skin_type(text: str) -> str:
    """Return the Fitzpatrick skin type, which tables write as 1, 1.0 or I."""
    if text.upper() in _SKIN_TYPES:
        return text.upper()
    try:
        kind = number(text)
    except ValueError:
        return ""
    return _SKIN_TYPES[int(kind) - 1] if kind in range(1, 7) else ""


_READERS = {"age": _age, "sex": _sex, "site": _known, "source": _known, "skin_type": _skin_type}
