"""A run's folder: what was asked for, what came of it so far, and what a later process needs to go on.

configuration.json   recipe, architecture, hash of the data, versions of the libraries, seeds
steps.csv            loss and share named rightly, every twenty steps
epochs.csv           losses and validation figures, one row an epoch
curves.png           both as pictures, drawn anew after each epoch
checkpoint.npz       weights, optimiser, average, and the place in the run
weights.npz          the weights to keep: those of the end
report.json          what the end was like
"""

import csv
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

REPORT_FILE = "report.json"
_CHECKPOINT, _CONFIGURATION = "checkpoint.npz", "configuration.json"


class RunError(ValueError):
    """The run's folder does not allow what was asked; the message says why and what to do."""


@dataclass(frozen=True)
class Place:
    """Where a run stands: all that it has done lies before this step.

    Attributes:
        phase: its number, from 0.
        epoch: within the phase, from 0.
        step: within the epoch, from 0.
        steps_taken: since the run began.
        order: hash over every photograph shown so far, in order.
        left_out: steps of the epoch so far whose loss or gradient was no number.
        loss_sum: of the epoch's other steps so far.
        right_sum: of the epoch's other steps so far, the shares named rightly.
    """

    phase: int = 0
    epoch: int = 0
    step: int = 0
    steps_taken: int = 0
    order: str = ""
    left_out: int = 0
    loss_sum: float = 0.0
    right_sum: float = 0.0


@dataclass(frozen=True)
class RunDirectory:
    """The folder of one run; files in it are replaced whole or not at all."""

    path: Path

    def start(self, configuration: dict[str, Any]) -> None:
        """Make the folder and write what was asked for.

        Raises:
            RunError: there is already a run in it, or the folder cannot be made or written to.
        """
        if (self.path / _CONFIGURATION).exists():
            raise RunError(f"{self.path} already holds a run. Go on with --resume, or give another --run.")
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self.write_json(_CONFIGURATION, configuration)
        except OSError as error:
            raise RunError(f"{self.path} cannot hold a run: {error.strerror}. Give another --run.") from error

    def configuration(self) -> dict[str, Any]:
        """Return what was asked for.

        Raises:
            RunError: there is no run here.
        """
        try:
            found: dict[str, Any] = json.loads((self.path / _CONFIGURATION).read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError) as error:
            raise RunError(f"There is no run of `manage.py train` in {self.path}.") from error
        return found

    def save_checkpoint(self, place: Place, arrays: dict[str, npt.NDArray[Any]]) -> None:
        """Keep all that a later process needs, in one file that is never half-written."""
        self._replace(_CHECKPOINT, {"place": np.array(json.dumps(asdict(place))), **arrays})

    def load_checkpoint(self) -> tuple[Place, dict[str, npt.NDArray[Any]]] | None:
        """Return what ``save_checkpoint`` kept last, or None."""
        path = self.path / _CHECKPOINT
        if not path.exists():
            return None
        with np.load(path, allow_pickle=False) as kept:
            arrays = {name: kept[name] for name in kept.files}
        return Place(**json.loads(str(arrays.pop("place")))), arrays

    def save_weights(self, arrays: dict[str, npt.NDArray[Any]], name: str = "weights.npz") -> None:
        """Keep a network's weights."""
        self._replace(name, arrays)

    def copy_weights(self, name: str) -> None:
        """Keep the weights in ``name`` as those of the end."""
        with np.load(self.path / name, allow_pickle=False) as kept:
            self.save_weights({key: kept[key] for key in kept.files})

    def load_weights(self, name: str = "weights.npz") -> list[npt.NDArray[Any]]:
        """Return a network's weights in the order of ``keras.Model.weights``.

        ``checkpoint.npz`` stands for the averaged weights of a run that still goes on.

        Raises:
            RunError: the run has not come so far.
        """
        if name == _CHECKPOINT and (kept := self.load_checkpoint()):
            # A run that still goes on: its averaged weights so far.
            return [kept[1][key] for key in sorted(kept[1]) if key.startswith("average-")]
        path = self.path / name
        if not path.exists():
            raise RunError(f"There are no weights in {self.path} yet: the run has not ended. Go on with --resume.")
        with np.load(path, allow_pickle=False) as kept:
            return [kept[name] for name in sorted(kept.files)]

    def report(self) -> dict[str, Any] | None:
        """Return what the end was like, or None if the run has not ended."""
        path = self.path / REPORT_FILE
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None

    def add_row(self, name: str, row: dict[str, Any]) -> None:
        """Add a row to a table; its first row makes the header."""
        path = self.path / name
        is_new = not path.exists()
        with path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, fieldnames=list(row), lineterminator="\n")
            if is_new:
                writer.writeheader()
            writer.writerow(row)

    def rows(self, name: str) -> list[dict[str, str]]:
        """Return a table's rows; none if it was not begun."""
        path = self.path / name
        if not path.exists():
            return []
        with path.open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def forget_rows_from(self, name: str, *, steps_taken: int) -> None:
        """Drop rows of that step and later, written by a killed process after its last checkpoint: they come again."""
        rows = self.rows(name)
        kept = [row for row in rows if int(row["steps_taken"]) < steps_taken]
        if len(kept) == len(rows):
            return
        (self.path / name).unlink()
        for row in kept:
            self.add_row(name, row)

    def write_json(self, name: str, values: dict[str, Any]) -> None:
        """Write a JSON file whole."""
        partial = self.path / f"{name}.partial"
        partial.write_text(json.dumps(values, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        partial.replace(self.path / name)

    def _replace(self, name: str, arrays: dict[str, npt.NDArray[Any]]) -> None:
        partial = self.path / f"{name}.partial"
        with partial.open("wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]
            file.flush()
            os.fsync(file.fileno())
        partial.replace(self.path / name)
