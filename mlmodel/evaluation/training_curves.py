"""Accuracy and loss by epoch, from the folder that a training run leaves."""

import json
import math
from pathlib import Path
from typing import Any

from mlmodel.evaluation.tables import EvaluationError, read_table, require_columns

_COLUMNS = ("loss", "accuracy", "watched_loss", "watched_accuracy")
_OPTIONAL = ("watched_balanced_accuracy", "watched_macro_auc")


def training_of(run: Path) -> dict[str, Any]:
    """Return the recipe's name and one row an epoch, in the order they were trained.

    Raises:
        EvaluationError: there is no epochs.csv, it is another table, or a figure in it is none.
    """
    table = run / "epochs.csv"
    if not table.is_file():
        raise EvaluationError(
            f"There is no {table}. Give the folder of a training run that has ended its first epoch, or leave out "
            "--run."
        )
    rows = read_table(table)
    require_columns(table, rows, _COLUMNS)
    present = [*_COLUMNS, *(name for name in _OPTIONAL if name in rows[0])]
    return {
        "recipe": _recipe(run),
        "epochs": [
            {"epoch": number, "phase": row.get("phase", ""), "side": row.get("side", "")}
            | {name: _number(table, number, name, row[name]) for name in present}
            for number, row in enumerate(rows, start=1)
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
