"""The folder of a training run: configuration, progress, and the state for resuming.

configuration.json   recipe, architecture, hash of the data, versions of the libraries, seeds
steps.csv            loss and accuracy, every twenty steps
epochs.csv           losses and validation metrics, one row per epoch
curves.png           both as plots, redrawn after each epoch
checkpoint.npz       weights, optimiser, average, and the place in the run
weights.npz          the final weights
report.json          the final report
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
    """The run cannot be started, resumed or used; the message says why and what to do."""


@dataclass(frozen=True)
class Place:
    """The position of a run: all earlier steps are done.

    Attributes:
        phase: the number of the phase, from 0.
        epoch: the number within the phase, from 0.
        step: the number within the epoch, from 0.
        steps_taken: the number of steps since the start of the run.
        order: the hash of all photographs so far, in order.
        left_out: the number of skipped steps in the epoch, whose loss or gradient was not finite.
        loss_sum: the sum of the losses of the epoch's other steps so far.
        right_sum: the sum of the accuracies of the epoch's other steps so far.
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
    """The folder of one run; its files are replaced atomically."""

    path: Path

    def start(self, configuration: dict[str, Any]) -> None:
        """Create the folder and write the configuration.

        Raises:
            RunError: it already contains a run, or the folder cannot be created or written to.
        """
        if (self.path / _CONFIGURATION).exists():
            raise RunError(f"{self.path} already contains a run. Continue it with --resume, or give another --run.")
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self.write_json(_CONFIGURATION, configuration)
        except OSError as error:
            raise RunError(f"{self.path} cannot be used for a run: {error.strerror}. Give another --run.") from error

    def configuration(self) -> dict[str, Any]:
        """Return the configuration.

        Raises:
            RunError: there is no run here.
        """
        try:
            configuration_values: dict[str, Any] = json.loads((self.path / _CONFIGURATION).read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError) as error:
            raise RunError(f"There is no run of `manage.py train` in {self.path}.") from error
        return configuration_values

    def save_checkpoint(self, place: Place, arrays: dict[str, npt.NDArray[Any]]) -> None:
        """Save the complete state in one file, atomically."""
        self._replace(_CHECKPOINT, {"place": np.array(json.dumps(asdict(place))), **arrays})

    @property
    def has_checkpoint(self) -> bool:
        return (self.path / _CHECKPOINT).exists()

    def load_checkpoint(self) -> tuple[Place, dict[str, npt.NDArray[Any]]] | None:
        """Return the last checkpoint, or None."""
        if not self.has_checkpoint:
            return None
        with np.load(self.path / _CHECKPOINT, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        return Place(**json.loads(str(arrays.pop("place")))), arrays

    def save_weights(self, arrays: dict[str, npt.NDArray[Any]], name: str = "weights.npz") -> None:
        """Save a network's weights."""
        self._replace(name, arrays)

    def copy_weights(self, name: str) -> None:
        """Save the weights in ``name`` as the final ones."""
        with np.load(self.path / name, allow_pickle=False) as stored:
            self.save_weights({key: stored[key] for key in stored.files})

    def load_weights(self, name: str = "weights.npz") -> list[npt.NDArray[Any]]:
        """Return a network's weights in the order of ``keras.Model.weights``.

        ``checkpoint.npz`` stands for the averaged weights of a run in progress.

        Raises:
            RunError: the run has not reached this point.
        """
        if name == _CHECKPOINT and (stored := self.load_checkpoint()):
            return [stored[1][key] for key in sorted(stored[1]) if key.startswith("average-")]
        path = self.path / name
        if not path.exists():
            raise RunError(
                f"There are no weights in {self.path} yet: the run has not finished. Continue it with --resume."
            )
        with np.load(path, allow_pickle=False) as stored:
            return [stored[name] for name in sorted(stored.files)]

    def report(self) -> dict[str, Any] | None:
        """Return the final report, or None if the run has not finished."""
        path = self.path / REPORT_FILE
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None

    def add_row(self, name: str, row: dict[str, Any]) -> None:
        """Add a row to a table; the first row determines the header."""
        path = self.path / name
        is_new = not path.exists()
        with path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, fieldnames=list(row), lineterminator="\n")
            if is_new:
                writer.writeheader()
            writer.writerow(row)

    def rows(self, name: str) -> list[dict[str, str]]:
        """Return a table's rows; empty if the table does not exist."""
        path = self.path / name
        if not path.exists():
            return []
        with path.open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def forget_rows_from(self, name: str, *, steps_taken: int) -> None:
        """Remove rows of this step and later, which an interrupted process wrote after its last checkpoint."""
        rows = self.rows(name)
        earlier_rows = [row for row in rows if int(row["steps_taken"]) < steps_taken]
        if len(earlier_rows) == len(rows):
            return
        (self.path / name).unlink()
        for row in earlier_rows:
            self.add_row(name, row)

    def write_json(self, name: str, values: dict[str, Any]) -> None:
        """Write a JSON file atomically."""
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
