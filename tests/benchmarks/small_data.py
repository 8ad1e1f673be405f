"""A few small photographs in the folders that the benchmarks read, made of the samples that the repository ships."""

import io
from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from tests.mlmodel.ham10000_like import SAMPLES, sample_labels, write_table

SIDE = 224
# How many copies of each sample a fold has: a drill on the locked folds needs some sixty photographs.
COPIES = {**dict.fromkeys(range(8), 1), 8: 3, 9: 3}
# PAD-UFES-20's own names of the seven.
PHONE_LABELS = {"akiec": "ACK", "bcc": "BCC", "mel": "MEL", "nv": "NEV", "bkl": "SEK"}


def write_small_data(
    folder: Path, *, copies: Mapping[int, int] = COPIES, samples: Collection[str] = frozenset(sample_labels())
) -> Path:
    """Write ham10000/ (with masks), uploads/, phone/ and not_skin/ into ``folder``.

    Every fold has the same photographs under names of their own, so that remembered answers serve for all.
    """
    labels = {name: dx for name, dx in sample_labels().items() if name in samples}
    photographs = {name: _small(SAMPLES / f"{name}.jpg") for name in labels}
    _write_ham10000(folder / "ham10000", photographs, labels, copies)
    for name in ("uploads", "phone", "not_skin"):
        (folder / name).mkdir()
    phone = []
    for name, dx in labels.items():
        (folder / "uploads" / f"{name}.jpg").write_bytes((SAMPLES / f"{name}.jpg").read_bytes())
        if dx in PHONE_LABELS:
            (folder / "phone" / f"{name}.jpg").write_bytes(photographs[name])
            phone.append({"image_id": name, "diagnostic": PHONE_LABELS[dx]})
    write_table(folder / "phone" / "labels.csv", phone)
    chequered = np.kron(np.indices((8, 8)).sum(axis=0) % 2, np.ones((28, 28))).astype(np.uint8) * 255
    Image.fromarray(chequered).convert("RGB").save(folder / "not_skin" / "board.jpg")
    return folder


def _write_ham10000(
    folder: Path, photographs: Mapping[str, bytes], labels: Mapping[str, str], all_copies: Mapping[int, int]
) -> None:
    (folder / "images").mkdir(parents=True)
    (folder / "masks").mkdir()
    down, across = np.mgrid[:SIDE, :SIDE]
    mask = io.BytesIO()
    Image.fromarray(np.hypot(down - 110, across - 112) < 70).save(mask, "PNG")
    rows = []
    for fold, copies in all_copies.items():
        for copy in range(copies):
            for name, dx in labels.items():
                image = f"{name}_{fold}{copy}"
                (folder / "images" / f"{image}.jpg").write_bytes(photographs[name])
                (folder / "masks" / f"{image}.png").write_bytes(mask.getvalue())
                rows.append(
                    {"image_id": image, "lesion_id": image, "lesion_group": image, "dx": dx, "fold": str(fold),
                     "source": "soft" if copy % 2 else "sharp"}
                )  # fmt: skip
    write_table(folder / "metadata.csv", rows)


def _small(path: Path) -> bytes:
    """The middle of a photograph at HAM10000's size here, as JPEG."""
    with Image.open(path) as file:
        left = (file.width - file.height) // 2
        square = file.convert("RGB").crop((left, 0, left + file.height, file.height))
    out = io.BytesIO()
    square.resize((SIDE, SIDE), Image.Resampling.LANCZOS).save(out, "JPEG", quality=92)
    return out.getvalue()
