"""The training of an exit flow, in a process of its own: what it is given, what comes of it, and how far it is.

``mlmodel.training.exit_job`` is the process. TensorFlow is gone with it, and its memory.
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mlmodel.head import Head
from mlmodel.retraining.base_photographs import CannotGoDeeper
from mlmodel.retraining.base_set import Cases
from mlmodel.retraining.entry_maps import Maps
from mlmodel.retraining.learning import Progress
from mlmodel.retraining.network import Network, network_of

_PROCESS = "mlmodel.training.exit_job"
_CASES = ("replay", "calibration", "learned")


@dataclass(frozen=True)
class ExitJob:
    """What the training is given.

    Attributes:
        active: the network that answers now.
        settings: of its release.
        exit_flow: the one it reads: the start.
        cases: by ``replay``, ``calibration`` and ``learned``: as the shipped backbone reads them, and their maps.
        epochs: how often it goes over what it learns from.
        seed: of all chance.
    """

    active: Network
    settings: dict[str, Any]
    exit_flow: bytes
    cases: dict[str, tuple[Cases, Maps]]
    epochs: int
    seed: int


def carry_out_apart(job: ExitJob, folder: Path, *, progress: Progress) -> tuple[bytes, Head] | None:
    """Train in another process; return the exit flow and the head that were found, or None if nothing better was.

    Args:
        job: what to train.
        folder: for what the two processes tell each other; it should be empty, and gone afterwards.
        progress: is told the share done, in [0, 1], and what is being done. If it raises, the training is ended.

    Raises:
        CannotGoDeeper: the training broke off.
    """
    _write(job, folder)
    with (folder / "errors.txt").open("w+", encoding="utf-8") as errors:
        with subprocess.Popen(  # noqa: S603 – our own module, on a folder that we have made
            [sys.executable, "-m", _PROCESS, str(folder)],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            cwd=Path(__file__).resolve().parents[2],
        ) as process:
            assert process.stdout is not None
            try:
                for line in process.stdout:
                    share, _, stage = line.strip().partition(" ")
                    progress(float(share), stage)
            except BaseException:
                process.kill()  # the run is no longer this process's, or its time is up
                raise
        if process.returncode:
            errors.seek(0)
            last = (errors.read().strip().splitlines() or ["no word"])[-1]
            raise CannotGoDeeper(f"The training of the exit flow broke off: {last[:300]}")
    if not (folder / "found.npz").exists():
        return None
    return (folder / "found.npz").read_bytes(), Head.load(folder / "head.npz")


def read_job(folder: Path) -> ExitJob:
    """Return the job that ``carry_out_apart`` has left in a folder."""
    said = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    cases = {}
    for name in _CASES:
        with np.load(folder / f"{name}.npz", allow_pickle=False) as arrays:
            found = Cases(arrays["features"], arrays["labels"], arrays["lesions"])
        cases[name] = found, np.load(said["maps"][name], mmap_mode="r", allow_pickle=False)
    return ExitJob(
        active=network_of(said["settings"], Head.load(folder / "active.npz")),
        settings=said["settings"],
        exit_flow=(folder / "exit.npz").read_bytes(),
        cases=cases,
        epochs=said["epochs"],
        seed=said["seed"],
    )


def write_found(folder: Path, exit_flow: bytes, head: Head) -> None:
    """Leave what was found where ``carry_out_apart`` looks for it."""
    head.save(folder / "head.npz")
    (folder / "found.npz").write_bytes(exit_flow)


def _write(job: ExitJob, folder: Path) -> None:
    for name, (cases, _maps) in job.cases.items():
        np.savez(folder / f"{name}.npz", features=cases.features, labels=cases.labels, lesions=cases.lesions)
    job.active.head.save(folder / "active.npz")
    (folder / "exit.npz").write_bytes(job.exit_flow)
    maps = {name: _file_of(found, folder / f"{name}-maps.npy") for name, (_cases, found) in job.cases.items()}
    said = {"seed": job.seed, "epochs": job.epochs, "settings": job.settings, "maps": maps}
    (folder / "job.json").write_text(json.dumps(said), encoding="utf-8")


def _file_of(maps: Maps, path: Path) -> str:
    """Where maps lie as a file: hundreds of megabytes that are on disk already are not written again."""
    kept = getattr(maps, "filename", None)
    if kept is not None and np.load(kept, mmap_mode="r", allow_pickle=False).shape == maps.shape:
        return str(kept)
    np.save(path, maps)
    return str(path)
