"""A small data set in HAM10000's layouts, made of the sample photographs."""

import csv
import io
from pathlib import Path

import numpy as np
from PIL import Image

from tests.places import ROOT

SAMPLES = ROOT / "static" / "samples"


def sample_labels() -> dict[str, str]:
    """Return the diagnosis of each sample photograph by its id."""
    with (SAMPLES / "labels.csv").open(newline="") as file:
        return {row["image"]: row["dx"] for row in csv.DictReader(file)}


def write_kaggle_layout(folder: Path) -> Path:
    """Write the samples as Kaggle's archive has them: two folders of photographs and a table."""
    rows = []
    for number, (name, dx) in enumerate(sample_labels().items()):
        part = folder / f"HAM10000_images_part_{number % 2 + 1}"
        part.mkdir(parents=True, exist_ok=True)
        (part / f"{name}.jpg").write_bytes((SAMPLES / f"{name}.jpg").read_bytes())
        rows.append(
            {"lesion_id": f"HAM_{number:07}", "image_id": name, "dx": dx, "dx_type": "histo", "age": "60.0",
             "sex": "female", "localization": "back"}
        )  # fmt: skip
    write_table(folder / "HAM10000_metadata.csv", rows)
    return folder


def write_folds(folder: Path, *, classes: tuple[str, ...], copies: int = 6, side: int = 96) -> Path:
    """Write small changed copies of the samples of some classes, with folds 0 (train) and 7 (watch)."""
    (folder / "images").mkdir(parents=True)
    rows = []
    generator = np.random.default_rng(1)
    for name, dx in sample_labels().items():
        if dx not in classes:
            continue
        with Image.open(SAMPLES / f"{name}.jpg") as file:
            pixels = np.asarray(file.convert("RGB").resize((side, side)))
        for copy in range(copies):
            noisy = np.clip(pixels + generator.normal(0, 4, pixels.shape), 0, 255).astype(np.uint8)
            out = io.BytesIO()
            Image.fromarray(noisy).save(out, "JPEG")
            (folder / "images" / f"{name}_{copy}.jpg").write_bytes(out.getvalue())
            rows.append(
                {"image_id": f"{name}_{copy}", "lesion_group": f"{name}_{copy}", "dx": dx, "source": "sharp",
                 "fold": "7" if copy == 0 else "0"}
            )  # fmt: skip
    write_table(folder / "metadata.csv", rows)
    return folder


def write_table(path: Path, rows: list[dict[str, str]]) -> None:
    """Write rows as a CSV file."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def read_table(path: Path) -> list[dict[str, str]]:
    """Read a CSV file's rows."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
