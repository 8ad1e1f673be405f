"""Accuracy and loss by epoch, from the folder that a training run leaves."""

import json
import math
from pathlib import Path
from typing import Any

from mlmodel.datasets.tables import read_table
from mlmodel.evaluation.errors import EvaluationError

_COLUMNS = ("loss", "accuracy", "watched_loss", "watched_accuracy")
_OPTIONAL = ("watched_balanced_accuracy", "watched_macro_auc")


def training_of(run: Path) -> dict[str, Any]:
    """Return the recipe's name and one row an epoch, in the order they were trained.

    Raises:
        EvaluationError: there is no epochs.csv, it is another table, or a figure in it is none.
    """
    path = run / "epochs.csv"
    if not path.is_file():
        raise EvaluationError(
            f"There is no {path}. Give the folder of a training run that has ended its first epoch, or leave out "
            "--run."
        )
    table = read_table(path)
    table.require(_COLUMNS)
    present = [*_COLUMNS, *(name for name in _OPTIONAL if name in table.columns)]
    return {
        "recipe": _recipe(run),
        "epochs": [
            {"epoch": number, "phase": row.get("phase", ""), "side": row.get("side", "")}
            | {name: _number(path, number, name, row[name]) for name in present}
            for number, row in enumerate(table.rows, start=1)
        ],
    }


def _number(table: Path, line: int, name: str, text: str) -> float | None:
    if not text:
        return None
    try:
        value = float(text)
    except ValueError as error:
        raise EvaluationError(f"{table}, epoch {line}: {name} is “{text[:20]}”, which is no number.") from error
    return value if math.isfinite(value) else None


def _recipe(run: Path) -> str:
    try:
        configuration = json.loads((run / "configuration.json").read_text(encoding="utf-8"))
        return str(configuration["recipe"]["name"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
