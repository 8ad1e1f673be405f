"""Analyse photographs with the network, and store its predictions."""

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
from diagnosis.images.full_pictures import DISPLAY_SIDE
from diagnosis.images.models import AnswerSettings, HeatMap, Image, Prediction
from diagnosis.images.originals import picture_of
from diagnosis.measures.services import store_measures
from diagnosis.reviews.queue import refresh_queue_entry
from diagnosis.similar.embeddings import store_embedding
from mlmodel.network.analyser import Analyser, Analysis, Assessment
from mlmodel.network.heat_map import overlay_png
from mlmodel.network.side_by_side import side_by_side
from mlmodel.pictures.picture import Picture, decode, encode_jpeg
from mlmodel.segmentation.measuring import Measured
from mlmodel.versions.serving import active_analyser

THUMBNAIL_SIDE = 320
# Ten pixels for each cell of the map; the browser scales the overlay to the photograph.
HEAT_MAP_SIDE = 384


@dataclass(frozen=True)
class QuickResult:
    """The network's answer to a photograph that is not stored."""

    picture: Picture
    analysis: Analysis
    analyser: Analyser
    duration: timedelta
    answer_settings: AnswerSettings | None = None

    @property
    def model_version(self) -> str:
        return self.analyser.version

    def display_jpeg(self, *, longest_side: int = DISPLAY_SIDE) -> bytes:
        """Return the photograph as JPEG, upright and without metadata."""
        return encode_jpeg(self.picture.pixels, longest_side=longest_side)

    def heat_map_pngs(self, *, longest_side: int = HEAT_MAP_SIDE) -> dict[str, bytes]:
        """Return heat map overlays by code, the explained class first; empty for a refused photograph."""
        if self.analysis.assessment is None:
            return {}
        return heat_map_pngs(self.analysis.assessment, self.picture, longest_side=longest_side)


def check_picture(*, data: bytes, clinic_id: Any = None, measures: bool = False) -> QuickResult:
    """Analyse a photograph without storing anything.

    Args:
        data: the file.
        clinic_id: the clinic of the user, if any.
        measures: also measure the lesion.

    Raises:
        PictureError: the bytes are not a readable photograph.
    """
    started = time.perf_counter()
    picture, (analyser, answer_settings) = side_by_side(
        lambda: decode(data), lambda: in_clinic(active_analyser(), clinic_id)
    )
    analysis = analyser.analyse(picture, measures=measures)
    return QuickResult(
        picture=picture,
        analysis=analysis,
        analyser=analyser,
        duration=timedelta(seconds=time.perf_counter() - started),
        answer_settings=answer_settings,
    )


def analyse_image(*, image: Image) -> Prediction:
    """Return the active version's prediction for a stored photograph, and make it if there is none yet.

    For photographs that an earlier version analysed. Earlier predictions are not replaced.
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
    """An assessment ready to be stored, with heat maps (PNG by code), duration and measurements."""

    assessment: Assessment
    features: npt.NDArray[np.float16]
    heat_maps: dict[str, bytes]
    duration: timedelta
    measured: Measured


def reading_of(analysis: Analysis, picture: Picture, *, seconds: float) -> Reading | None:
    """Return the reading of an analysis that took ``seconds``, with heat maps; None if the photograph was refused."""
    if analysis.assessment is None:
        return None
    assert analysis.measured is not None, "a stored photograph is always measured"
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
    """Analyse the stored original, whatever its quality. Slow: do not call inside a transaction.

    Raises:
        CannotReadOriginal: the stored file is missing or corrupt.
    """
    started = time.perf_counter()
    analysis, picture = analyse_original(image, analyser=analyser, measures=True)
    reading = reading_of(analysis, picture, seconds=time.perf_counter() - started)
    assert reading is not None, "a forced analysis always assesses"
    return reading


def analyse_original(
    image: Image, *, analyser: Analyser, maps_of: Iterable[str] = (), measures: bool = False
) -> tuple[Analysis, Picture]:
    """Analyse the stored original as ``read_original``, without drawing heat maps.

    Args:
        maps_of: as in ``Analyser.analyse``.
        measures: likewise.

    Raises:
        CannotReadOriginal: the stored file is missing or corrupt.
    """
    picture = picture_of(image)
    return analyser.analyse(picture, force=True, maps_of=maps_of, measures=measures), picture


def record_prediction(*, image: Image, serving: ServingHere, reading: Reading, files: WrittenFiles) -> Prediction:
    """Store the prediction of ``image`` with all that belongs to it. No other code stores new analyses."""
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
    store_heat_maps(prediction=prediction, pictures=reading.heat_maps, files=files)
    store_embedding(image=image, features=reading.features)
    store_measures(image=image, measured=reading.measured)
    refresh_queue_entry(image=image)
    return prediction


def store_heat_maps(*, prediction: Prediction, pictures: Mapping[str, bytes], files: WrittenFiles) -> list[HeatMap]:
    """Store PNG files by code as heat maps of ``prediction``, inside the caller's transaction."""
    rows = [HeatMap(prediction=prediction, code=code) for code in pictures]
    for row in rows:
        files.write(row.file, pictures[row.code])
        row.save(force_insert=True)
    return rows


def heat_map_pngs(assessment: Assessment, picture: Picture, *, longest_side: int) -> dict[str, bytes]:
    """Return heat maps over the whole photograph, small because they are smooth: the browser scales them."""
    scale = min(1.0, longest_side / max(picture.width, picture.height))
    width, height = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    return {code: overlay_png(heat_map, width=width, height=height) for code, heat_map in assessment.heat_maps.items()}
