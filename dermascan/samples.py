"""Sample photographs for the quick check, from HAM10000, CC BY-NC 4.0 (see NOTICE)."""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.conf import settings

FOLDER = Path(settings.BASE_DIR) / "static" / "samples"


@dataclass(frozen=True)
class Sample:
    """A photograph with its label from the data set. ``name`` is the file name without extension."""

    name: str
    code: str

    @property
    def static_path(self) -> str:
        return f"samples/{self.name}.jpg"

    def read(self) -> bytes:
        return (FOLDER / f"{self.name}.jpg").read_bytes()


@cache
def samples() -> dict[str, Sample]:
    """Return the samples by name, in an order that does not reveal their labels."""
    with (FOLDER / "labels.csv").open(newline="") as file:
        rows = [Sample(name=row["image"], code=row["dx"]) for row in csv.DictReader(file)]
    return {sample.name: sample for sample in sorted(rows, key=lambda sample: sample.name)}
