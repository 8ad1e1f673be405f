"""Retraining that reaches into the backbone: the exit flow is fine-tuned with the head (``--depth exit``)."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from mlmodel.retraining.base_set import PARTS, BaseSet, Cases
from mlmodel.retraining.calibrating import calibrated
from mlmodel.retraining.entry_maps import Maps, exit_features
from mlmodel.retraining.exit_job import ExitJob, carry_out_apart
from mlmodel.retraining.learning import Progress, within
from mlmodel.retraining.network import Network


@dataclass(frozen=True)
class Deeper:
    """A candidate with an exit flow of its own.

    Attributes:
        network: its head and how that is read.
        exit_flow: what is in its exit flow's file.
        base: the base set, read over it too.
        tested: the clinic's test likewise.
    """

    network: Network
    exit_flow: bytes
    base: BaseSet
    tested: Cases


class Photographs(Protocol):
    """Those of the base set, as ``BasePhotographs`` has them."""

    def maps(self, part: str, *, progress: Progress) -> Maps: ...
    def through(self, exit_flow: bytes, *, progress: Progress) -> dict[str, npt.NDArray[np.float16]]: ...


def train_deeper(
    *,
    active: Network,
    active_settings: dict[str, Any],
    exit_flow: bytes,
    backbone: Path,
    base: BaseSet,
    photographs: Photographs,
    learned: tuple[Cases, Maps],
    tested: tuple[Cases, Maps],
    work: Path,
    epochs: int,
    seed: int,
    progress: Progress,
) -> Deeper | None:
    """Return a candidate with an exit flow of its own, calibrated, or None where nothing better was found.

    Args:
        active: the network that answers now.
        active_settings: of its release.
        exit_flow: the one it reads: the start.
        backbone: the shipped file.
        base: read over the active network's exit flow, if it has one of its own.
        photographs: of the base set.
        learned, tested: the clinic's cases, read likewise, and their maps of block 12.
        work: a folder for what the training needs for its time.
        epochs: how often it goes over what it learns from.
        seed: of all chance.
        progress: is told the share done, in [0, 1], and what is being done.

    Raises:
        CannotGoDeeper: the training broke off.
    """
    maps = {
        part: photographs.maps(
            part, progress=within(progress, 0.3 * place / len(PARTS), 0.3 * (place + 1) / len(PARTS))
        )
        for place, part in enumerate(PARTS)
    }
    with TemporaryDirectory(dir=work, prefix="exit-") as folder:
        job = ExitJob(
            active=active,
            settings=active_settings,
            exit_flow=exit_flow,
            cases={
                "replay": (base.replay, maps["replay"]),
                "calibration": (base.calibration, maps["calibration"]),
                "learned": learned,
            },
            epochs=epochs,
            seed=seed,
        )
        found = carry_out_apart(job, Path(folder), progress=within(progress, 0.3, 0.9))
    if found is None:
        return None
    content, head = found
    exit_sha256 = hashlib.sha256(content).hexdigest()
    base = base.with_exit(exit_sha256, photographs.through(content, progress=within(progress, 0.9, 0.98)))
    network = calibrated(
        head, class_mix=active.calibration.class_mix, cases=base.calibration, before=active, exit_sha256=exit_sha256
    )
    cases, found_maps = tested
    return Deeper(network, content, base, cases.with_exit(exit_sha256, exit_features(backbone, content, found_maps)))
