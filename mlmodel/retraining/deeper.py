"""Retraining that reaches into the backbone: the exit flow is fine-tuned with the head (``--depth exit``).

It needs the base set's photographs, since features of a new exit flow cannot be had from stored ones, and TensorFlow,
which runs in a process of its own: it is gone with its memory once the training has ended.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import onnxruntime

from mlmodel.engine import Engine
from mlmodel.exit_flow import ENTRY_STAGE, EXIT_FEATURE_COUNT, as_read, backbone_to_entry, exit_alone
from mlmodel.head import Head
from mlmodel.pictures import decode
from mlmodel.retraining.base_set import BaseSet, Cases
from mlmodel.retraining.calibrating import calibrated
from mlmodel.retraining.learning import Progress
from mlmodel.retraining.network import Network, network_of
from mlmodel.training.base_set import rows_of_base_set
from mlmodel.training.dataset import MANIFEST_FILE, DatasetError, read_dataset

PARTS = ("replay", "calibration", "locked")
_JOB = "mlmodel.training.exit_job"
_BATCH = 8
Maps = npt.NDArray[np.float16]


class CannotGoDeeper(RuntimeError):
    """What fine-tuning needs is not here; the message says what to do."""


@dataclass(frozen=True)
class Deeper:
    """A candidate with an exit flow of its own.

    Attributes:
        network: its head and how that is read.
        exit_flow: what is in its exit flow's file.
        base: the base set as it reads it.
        learned, tested: the clinic's cases likewise.
    """

    network: Network
    exit_flow: bytes
    base: BaseSet
    learned: Cases
    tested: Cases


def lacks(data: Path) -> str:
    """Return what is missing for fine-tuning an exit flow here, in words that say what to do; empty if nothing.

    Cheap enough for a page: whether the photographs are the right ones is found out by who reads them.
    """
    if find_spec("tensorflow") is None:
        return "To fine-tune the exit flow needs TensorFlow: pip install -r requirements.txt"
    if not any((data / table).is_file() for table in (MANIFEST_FILE, "metadata.csv")):
        return (
            "To fine-tune the exit flow needs the base set's photographs. Import them with "
            "“manage.py import_ham10000 DIR”, or name their folder in DERMASCAN_RETRAINING_BASE_DATA."
        )
    return ""


class MapsOfBase(Protocol):
    """Where the maps of the base set's photographs come from."""

    def maps(self, part: str, *, progress: Progress) -> Maps:
        """Return float16 (N, 728, rows, columns) of one of ``PARTS``."""


class BasePhotographs:
    """The photographs that the base set was made of, and what block 12 makes of them, kept on disk.

    A fifth of a megabyte a photograph of 192 pixels: some 1.4 GB for the shipped base set. They are computed once for
    a backbone, and the features of all photographs once for an exit flow.
    """

    def __init__(self, *, base: BaseSet, data: Path, backbone: Path, cache: Path) -> None:
        """Find the photographs of each row of the base set.

        Raises:
            CannotGoDeeper: they are not there, or others than those that the base set was made of.
        """
        if missing := lacks(data):
            raise CannotGoDeeper(missing)
        try:
            dataset = read_dataset(data)
        except DatasetError as error:
            raise CannotGoDeeper(f"The base set's photographs cannot be read: {error}") from error
        self._base, self._backbone = base, backbone
        self._cache = cache / base.backbone_sha256[:16]
        self._paths: dict[str, list[Path]] = {}
        for part, rows in rows_of_base_set(dataset).items():
            cases: Cases = getattr(base, part)
            if not (
                np.array_equal(dataset.labels[rows], cases.labels)
                and np.array_equal(dataset.lesions[rows], cases.lesions)
            ):
                raise CannotGoDeeper(
                    f"The photographs in {data} are not those that the base set was made of: import the same data set "
                    "that the release was built from."
                )
            self._paths[part] = [dataset.paths[row] for row in rows]

    def maps(self, part: str, *, progress: Progress) -> Maps:
        """Return float16 (N, 728, rows, columns) of one part, mapped from disk."""
        path = self._cache / f"{part}.npy"
        if not path.exists():
            self._cache.mkdir(parents=True, exist_ok=True)
            paths = self._paths[part]
            entry = Entry(self._backbone)
            partial = path.with_suffix(".partial.npy")
            entry.write(
                (decode(each.read_bytes()).pixels for each in paths), count=len(paths), path=partial,
                told=lambda done: progress(done, f"Reading the base set's photographs: {part}"),
            )  # fmt: skip
            partial.replace(path)
        kept: Maps = np.load(path, mmap_mode="r", allow_pickle=False)
        return kept

    def read_over(self, exit_flow: bytes, *, sha256: str, progress: Progress) -> BaseSet:
        """Return the base set as a head over an exit flow reads it."""
        path = self._cache / f"exit-{sha256[:16]}.npz"
        if path.exists():
            with np.load(path, allow_pickle=False) as kept:
                found = {part: kept[part] for part in PARTS}
        else:
            found = {}
            for part in PARTS:
                maps = self.maps(part, progress=progress)
                progress(0.0, f"Reading the base set through the exit flow: {part}")
                found[part] = exit_features(self._backbone, exit_flow, maps)
            partial = path.with_suffix(".partial.npz")
            np.savez(partial, **found)
            partial.replace(path)
        parts = {part: read_as(getattr(self._base, part), found[part]) for part in PARTS}
        return BaseSet(backbone_sha256=self._base.backbone_sha256, **parts)


class Entry:
    """The backbone up to block 12."""

    def __init__(self, backbone: Path) -> None:
        """Load it. Raises ``ExitFlowError`` for a backbone that is no Xception as it is exported."""
        self._engine = Engine(backbone)
        self._session = _session(backbone_to_entry(backbone))

    def write(
        self,
        pictures: Iterable[npt.NDArray[np.uint8]],
        *,
        count: int,
        path: Path,
        told: Callable[[float], None],
    ) -> Maps:
        """Write what it makes of photographs, uint8 (H, W, 3) each, to a ``.npy`` file, and return it."""
        written: np.memmap[Any, Any] | None = None
        done = 0
        for batch in _batches(pictures):
            pixels = np.stack([self._engine.prepare(picture) for picture in batch])
            maps = self._session.run(None, {"pixels": pixels})[0]
            if written is None:
                written = np.lib.format.open_memmap(path, mode="w+", dtype=np.float16, shape=(count, *maps.shape[1:]))
            written[done : done + len(maps)] = maps
            done += len(maps)
            told(done / count)
        if written is None:
            np.save(path, np.zeros((0, 1, 1, 1), dtype=np.float16))
        else:
            written.flush()
        kept: Maps = np.load(path, mmap_mode="r", allow_pickle=False)
        return kept


def exit_features(backbone: Path, exit_flow: bytes, maps: Maps) -> npt.NDArray[np.float16]:
    """Return what an exit flow makes of maps of block 12, float16 (N, 3072), by the engine that serves it.

    Raises:
        ExitFlowError: it is no exit flow of this backbone.
    """
    session = _session(exit_alone(backbone, exit_flow))
    parts = [
        session.run(None, {ENTRY_STAGE: maps[start : start + _BATCH].astype(np.float32)})[0].astype(np.float16)
        for start in range(0, len(maps), _BATCH)
    ]
    return np.concatenate(parts) if parts else np.zeros((0, EXIT_FEATURE_COUNT), dtype=np.float16)


def read_as(cases: Cases, features: npt.NDArray[np.float16]) -> Cases:
    """Return cases as a head over an exit flow reads them, whose features, float16 (N, 3072), are given."""
    return replace(cases, features=as_read(cases.features, features))


def train_deeper(
    *,
    active: Network,
    active_settings: dict[str, Any],
    exit_flow: bytes,
    backbone: Path,
    base: BaseSet,
    read_by_active: BaseSet,
    photographs: MapsOfBase,
    learned: tuple[Cases, Maps],
    tested: tuple[Cases, Maps],
    work: Path,
    seed: int,
    progress: Progress,
) -> Deeper | None:
    """Return a candidate with an exit flow of its own, calibrated, or None where nothing better was found.

    Args:
        active: the network that answers now.
        active_settings: of its release.
        exit_flow: the one it reads: the start.
        backbone: the shipped file.
        base: as the shipped backbone reads it.
        read_by_active: as the active network reads it, which is another thing if that has an exit flow of its own.
        photographs: of the base set.
        learned, tested: the clinic's cases as the shipped backbone reads them, and their maps of block 12.
        work: a folder for what the training needs for its time.
        seed: of all chance.
        progress: is told the share done, in [0, 1], and what is being done.

    Raises:
        CannotGoDeeper: the training broke off.
    """
    maps = {part: photographs.maps(part, progress=lambda share, stage: progress(0.3 * share, stage)) for part in PARTS}
    with TemporaryDirectory(dir=work, prefix="exit-") as folder:
        job = {
            "replay": (base.replay, maps["replay"]),
            "calibration": (base.calibration, maps["calibration"]),
            "learned": learned,
        }
        found = _train_apart(
            Path(folder), job, active.head, active_settings, exit_flow, seed,
            lambda share, stage: progress(0.3 + 0.6 * share, stage),
        )  # fmt: skip
    if found is None:
        return None
    content, head = found
    progress(0.9, "Reading the test through the new exit flow")
    parts = {part: read_as(getattr(base, part), exit_features(backbone, content, maps[part])) for part in PARTS}
    network = calibrated(
        head, class_mix=active.calibration.class_mix, cases=parts["calibration"], before=active,
        read_before=read_by_active.calibration,
    )  # fmt: skip
    own = [read_as(cases, exit_features(backbone, content, found)) for cases, found in (learned, tested)]
    return Deeper(network, content, BaseSet(backbone_sha256=base.backbone_sha256, **parts), *own)


def _train_apart(
    folder: Path,
    job: dict[str, tuple[Cases, Maps]],
    head: Head,
    settings: dict[str, Any],
    exit_flow: bytes,
    seed: int,
    progress: Progress,
) -> tuple[bytes, Head] | None:
    for name, (cases, maps) in job.items():
        np.savez(folder / f"{name}.npz", features=cases.features, labels=cases.labels, lesions=cases.lesions)
        np.save(folder / f"{name}-maps.npy", maps)
    head.save(folder / "active.npz")
    (folder / "exit.npz").write_bytes(exit_flow)
    (folder / "job.json").write_text(json.dumps({"seed": seed, "settings": settings}), encoding="utf-8")
    with (folder / "errors.txt").open("w+", encoding="utf-8") as errors:
        command = [sys.executable, "-m", _JOB, str(folder)]
        with subprocess.Popen(  # noqa: S603 – our own module, on a folder that we have made
            command, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=Path(__file__).resolve().parents[2]
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


def read_job(folder: Path) -> tuple[Network, bytes, dict[str, tuple[Cases, Maps]], int]:
    """Return what ``_train_apart`` has left for the training: active network, its exit flow, cases by name, seed."""
    said = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    active = network_of(said["settings"], Head.load(folder / "active.npz"))
    cases = {}
    for name in ("replay", "calibration", "learned"):
        with np.load(folder / f"{name}.npz", allow_pickle=False) as arrays:
            found = Cases(arrays["features"], arrays["labels"], arrays["lesions"])
        cases[name] = found, np.load(folder / f"{name}-maps.npy", mmap_mode="r", allow_pickle=False)
    return active, (folder / "exit.npz").read_bytes(), cases, int(said["seed"])


def _session(file: bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])


def _batches(pictures: Iterable[npt.NDArray[np.uint8]]) -> Iterator[list[npt.NDArray[np.uint8]]]:
    batch: list[npt.NDArray[np.uint8]] = []
    for picture in pictures:
        batch.append(picture)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
