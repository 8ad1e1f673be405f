"""Ask the network, and keep what it says."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db import IntegrityError, transaction

from dermascan.core.written_files import WrittenFiles, kept_only_on_success
from diagnosis.images.clinic_analysers import ServingHere, in_clinic, serving_in
from diagnosis.images.models import AnswerSettings, HeatMap, Image, Prediction
from diagnosis.images.originals import picture_of
from diagnosis.measures.services import keep_measures
from diagnosis.reviews.queue import refresh_queue_entry
from diagnosis.similar.embeddings import keep_embedding
from mlmodel.network.analyser import Analyser, Analysis, Assessment
from mlmodel.network.heat_map import overlay_png
from mlmodel.pictures.picture import Picture, decode, encode_jpeg
from mlmodel.segmentation.measuring import Measured
from mlmodel.versions.serving import active_analyser

DISPLAY_SIDE = 1600
THUMBNAIL_SIDE = 320
HEAT_MAP_SIDE = 640


@dataclass(frozen=True)
class QuickResult:
    """What the network said of a photograph that is not kept."""

    picture: Picture
    analysis: Analysis
    analyser: Analyser
    duration: timedelta
    answer_settings: AnswerSettings | None = None

    @property
    def model_version(self) -> str:
        return self.analyser.version

    def display_jpeg(self, *, longest_side: int = DISPLAY_SIDE) -> bytes:
        """The photograph, upright and without metadata."""
        return encode_jpeg(self.picture.pixels, longest_side=longest_side)

    def heat_map_pngs(self, *, longest_side: int = 800) -> dict[str, bytes]:
        """The heat maps to lay over it by code, that of the explained class first; none of a refused photograph."""
        if self.analysis.assessment is None:
            return {}
        return heat_map_pngs(self.analysis.assessment, self.picture, longest_side=longest_side)


def check_picture(*, data: bytes, clinic_id: Any = None, measures: bool = False) -> QuickResult:
    """Judge a photograph and keep nothing.

    Args:
        data: the file.
        clinic_id: the clinic of the person asking, if any.
        measures: also measure the lesion.

    Raises:
        PictureError: the bytes are not a photograph that can be read.
    """
    started = time.perf_counter()
    picture = decode(data)
    analyser, answer_settings = in_clinic(active_analyser(), clinic_id)
    analysis = analyser.analyse(picture, measures=measures)
    return QuickResult(
        picture=picture,
        analysis=analysis,
        analyser=analyser,
        duration=timedelta(seconds=time.perf_counter() - started),
        answer_settings=answer_settings,
    )


def analyse_image(*, image: Image) -> Prediction:
    """Return what the active network says of a kept photograph, asking it if it has not been asked yet.

    For photographs that an earlier network judged. The answer joins the earlier ones; nothing is replaced.
    """
    serving = serving_in(image.visit.patient.clinic_id)
    version = serving.version
    existing = image.predictions.filter(model_version=version).first()
    if existing is not None:
        return existing
    reading = read_original(image, analyser=serving.analyser)
    try:
        with kept_only_on_success() as files, transaction.atomic():
            return record_prediction(image=image, serving=serving, reading=reading, files=files)
    except IntegrityError:
        return image.predictions.get(model_version=version)


@dataclass(frozen=True)
class Reading:
    """An assessment, ready to be stored: the heat maps drawn (PNG by code), the clock stopped, the lesion measured."""

    assessment: Assessment
    features: npt.NDArray[np.float16]
    heat_maps: dict[str, bytes]
    duration: timedelta
    measured: Measured


def reading_of(analysis: Analysis, picture: Picture, *, seconds: float) -> Reading | None:
    """Draw the heat maps for an analysis with measures that took ``seconds``; None if the photograph was refused."""
    if analysis.assessment is None:
        return None
    assert analysis.measured is not None, "what is kept is measured"
    started = time.perf_counter()
    heat_maps = heat_map_pngs(analysis.assessment, picture, longest_side=HEAT_MAP_SIDE)
    duration = timedelta(seconds=seconds + time.perf_counter() - started)
    return Reading(
        assessment=analysis.assessment,
        features=analysis.features,
        heat_maps=heat_maps,
        duration=duration,
        measured=analysis.measured,
    )


def read_original(image: Image, *, analyser: Analyser) -> Reading:
    """Have the kept original assessed, whatever its quality. Slow: not inside a transaction.

    Raises:
        CannotReadOriginal: the kept file is gone or broken.
    """
    started = time.perf_counter()
    analysis, picture = analyse_original(image, analyser=analyser, measures=True)
    reading = reading_of(analysis, picture, seconds=time.perf_counter() - started)
    assert reading is not None, "a forced analysis always assesses"
    return reading


def analyse_original(
    image: Image, *, analyser: Analyser, maps_of: Iterable[str] = (), measures: bool = False
) -> tuple[Analysis, Picture]:
    """As ``read_original``, without drawing or measuring anything.

    Args:
        maps_of: as in ``Analyser.analyse``.
        measures: likewise.

    Raises:
        CannotReadOriginal: the kept file is gone or broken.
    """
    picture = picture_of(image)
    return analyser.analyse(picture, force=True, maps_of=maps_of, measures=measures), picture


def record_prediction(*, image: Image, serving: ServingHere, reading: Reading, files: WrittenFiles) -> Prediction:
    """Keep what was said of ``image``: the only place that makes predictions."""
    assessment, version = reading.assessment, serving.version
    prediction = Prediction(
        image=image,
        model_version=version,
        code=assessment.code,
        malignant_probability=assessment.malignant_probability,
        tier=str(assessment.tier),
        answer_settings=serving.settings,
        duration=reading.duration,
        **assessment.probabilities,
    )
    prediction.save(force_insert=True)
    keep_heat_maps(prediction=prediction, pictures=reading.heat_maps, files=files)
    keep_embedding(image=image, features=reading.features)
    keep_measures(image=image, measured=reading.measured)
    refresh_queue_entry(image=image)
    return prediction


def keep_heat_maps(*, prediction: Prediction, pictures: Mapping[str, bytes], files: WrittenFiles) -> list[HeatMap]:
    """Keep PNG files by code as heat maps of ``prediction``, inside the caller's transaction."""
    rows = [HeatMap(prediction=prediction, code=code) for code in pictures]
    for row in rows:
        files.write(row.file, pictures[row.code])
        row.save(force_insert=True)
    return rows


def heat_map_pngs(assessment: Assessment, picture: Picture, *, longest_side: int) -> dict[str, bytes]:
    """Heat maps over the whole photograph, no larger than needed: they are smooth, and the browser stretches them."""
    scale = min(1.0, longest_side / max(picture.width, picture.height))
    width, height = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    return {code: overlay_png(heat_map, width=width, height=height) for code, heat_map in assessment.heat_maps.items()}
