"""A run that fine-tunes the exit flow: it opens the photographs, the clinics' and the base set's."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt
from django.conf import settings
from django.utils.translation import gettext as _

from diagnosis.models import Image, Part
from diagnosis.services.errors import CannotReadOriginal
from diagnosis.services.files import picture_of
from mlmodel.exit_flow import ExitFlowError, exit_flow_of
from mlmodel.retraining import Network
from mlmodel.retraining.base_photographs import CannotGoDeeper, lacks
from mlmodel.retraining.deeper import Deeper, train_deeper
from mlmodel.retraining.entry_maps import Entry
from mlmodel.retraining.learning import Progress, within

from .collect import Case
from .errors import CannotFineTune
from .reading import Reading


def check_that_the_exit_flow_can_be_fine_tuned() -> None:
    """Raise ``CannotFineTune`` with words that say what is missing, if anything is."""
    if missing := lacks(settings.RETRAINING_BASE_DATA):
        raise CannotFineTune(missing)


def fine_tune(*, reading: Reading, active: Network, cases: list[Case], seed: int, progress: Progress) -> Deeper | None:
    """Return a candidate with an exit flow of its own, or None where nothing better was found.

    What is made of patients' photographs on the way lies in a folder that is gone when this returns.

    Raises:
        CannotFineTune: something that it needs is missing, or it broke off.
    """
    backbone = reading.release.backbone
    work = Path(settings.DATA_DIR) / "retraining"
    work.mkdir(parents=True, exist_ok=True)
    # One run is alive at a time: what lies here is of one that was killed.
    for left in work.glob("clinic-*"):
        shutil.rmtree(left, ignore_errors=True)
    learned = [case for case in cases if case.part == Part.LEARNED]
    tested = [case for case in cases if case.part == Part.LOCKED]
    try:
        with TemporaryDirectory(dir=work, prefix="clinic-") as folder:
            entry = Entry(backbone)
            maps = [
                entry.write(
                    _pixels(part),
                    count=len(part),
                    path=Path(folder) / f"{name}.npy",
                    told=lambda share, place=place: progress(  # type: ignore[misc]
                        0.05 * (place + share), _("Reading the clinics' photographs")
                    ),
                )
                for place, (name, part) in enumerate((("learned", learned), ("tested", tested)))
            ]
            return train_deeper(
                active=active,
                active_settings=reading.release.settings,
                exit_flow=reading.release.exit_flow or exit_flow_of(backbone),
                backbone=backbone,
                base=reading.base,
                photographs=reading.photographs,
                learned=(reading.cases(learned), maps[0]),
                tested=(reading.cases(tested), maps[1]),
                work=Path(folder),
                epochs=settings.RETRAINING_EXIT_EPOCHS,
                seed=seed,
                progress=within(progress, 0.1, 1.0),
            )
    except (CannotGoDeeper, ExitFlowError) as error:
        raise CannotFineTune(str(error)) from error


def _pixels(cases: list[Case]) -> Iterator[npt.NDArray[np.uint8]]:
    for case in cases:
        image = Image.objects.get(pk=case.image)
        try:
            yield picture_of(image).pixels
        except CannotReadOriginal as error:
            raise CannotFineTune(
                _("Photograph %(key)s cannot be read any more. Restore it from the backup, then start anew.")
                % {"key": image.pk}
            ) from error
