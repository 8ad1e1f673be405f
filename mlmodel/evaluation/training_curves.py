"""Accuracy and loss by epoch, from the folder of a training run."""

import json
import math
from pathlib import Path
from typing import Any

from mlmodel.datasets.tables import read_table
from mlmodel.evaluation.errors import EvaluationError

_COLUMNS = ("loss", "accuracy", "watched_loss", "watched_accuracy")
_OPTIONAL = ("watched_balanced_accuracy", "watched_macro_auc")


def training_of(run: Path) -> dict[str, Any]:
    """Return the recipe's name and one row per epoch, in order.

    Raises:
        EvaluationError: epochs.csv is missing, has other columns, or contains a value that is not a number.
    """
    path = run / "epochs.csv"
    if not path.is_file():
        raise EvaluationError(
            f"{path} does not exist. Give the folder of a training run that has finished its first epoch, or omit "
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
        raise EvaluationError(f"{table}, epoch {line}: {name} is “{text[:20]}”, which is not a number.") from error
    return value if math.isfinite(value) else None


def _recipe(run: Path) -> str:
    try:
        configuration = json.loads((run / "configuration.json").read_text(encoding="utf-8"))
        return str(configuration["recipe"]["name"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
