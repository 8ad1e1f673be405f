"""Retraining that reaches into the backbone: the exit flow is fine-tuned with the head (``--depth exit``)."""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

from mlmodel.retraining.base_photographs import PARTS
from mlmodel.retraining.base_set import BaseSet, Cases
from mlmodel.retraining.calibrating import calibrated
from mlmodel.retraining.entry_maps import Maps, exit_features, read_as
from mlmodel.retraining.exit_job import ExitJob, carry_out_apart
from mlmodel.retraining.learning import Progress, within
from mlmodel.retraining.network import Network


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


class Photographs(Protocol):
    """Those of the base set, as ``BasePhotographs`` has them."""

    def maps(self, part: str, *, progress: Progress) -> Maps: ...
    def read_over(self, exit_flow: bytes, *, progress: Progress) -> BaseSet: ...


def train_deeper(
    *,
    active: Network,
    active_settings: dict[str, Any],
    exit_flow: bytes,
    backbone: Path,
    base: BaseSet,
    read_by_active: BaseSet,
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
        base: as the shipped backbone reads it.
        read_by_active: as the active network reads it, which is another thing if that has an exit flow of its own.
        photographs: of the base set.
        learned, tested: the clinic's cases as the shipped backbone reads them, and their maps of block 12.
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
    read = photographs.read_over(content, progress=within(progress, 0.9, 0.98))
    network = calibrated(
        head, class_mix=active.calibration.class_mix, cases=read.calibration, before=active,
        read_before=read_by_active.calibration,
    )  # fmt: skip
    own = [read_as(cases, exit_features(backbone, content, found)) for cases, found in (learned, tested)]
    return Deeper(network, content, read, *own)
