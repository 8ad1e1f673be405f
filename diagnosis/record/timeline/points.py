"""The photographs of a lesion in order of time, with every version's answer and the measurements of each."""

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from diagnosis.assessment.photographs import Photograph
from diagnosis.images.models import Image, Prediction
from diagnosis.measures.measure_words import diameter_mm
from diagnosis.measures.models import Measurement
from diagnosis.measures.scales import Scale, scale_of, with_scales
from mlmodel.network.quality import Reliability
from mlmodel.segmentation.dermoscopic_colours import COLOURS, present
from mlmodel.segmentation.segmenter import get_segmenter
from mlmodel.versions.models import LONG_FIELDS


@dataclass(frozen=True)
class Series:
    """Answers that may be compared and joined: of one model version, calibrated to one class mix."""

    version: int
    version_name: str
    mix: str

    @property
    def slug(self) -> str:
        return f"{self.version}-{self.mix}"


@dataclass(frozen=True)
class Answer:
    """One version's answer to a photograph that can be relied on."""

    series: Series
    malignant: float
    tier: str
    prediction: Prediction


@dataclass(frozen=True)
class Measures:
    """What was measured; None where it was not. Millimetres only where the width of the picture is stated."""

    asymmetry: float | None
    compactness: float | None
    colours: int | None
    diameter_mm: float | None
    area_mm2: float | None
    is_cut: bool


NOT_MEASURED = Measures(None, None, None, None, None, is_cut=False)


@dataclass(frozen=True)
class Moment:
    """One photograph in use, and what is known of it.

    Attributes:
        answers: of every version; empty if the photograph could not be judged, so that it never appears as low.
        shown: the answer that pages show.
    """

    photograph: Photograph
    on: datetime.date
    answers: tuple[Answer, ...]
    shown: Answer | None
    measures: Measures

    @property
    def is_judged(self) -> bool:
        return self.shown is not None

    def answer_of(self, series: Series) -> Answer | None:
        return next((answer for answer in self.answers if answer.series == series), None)


def moments_of(photographs: Iterable[Photograph]) -> list[Moment]:
    """Return a lesion's photographs, the oldest first, in three queries."""
    rows = sorted(photographs, key=lambda each: (*each.image.order_in_time, each.image.pk))
    keys = [each.image.pk for each in rows]
    predictions: dict[UUID, list[Prediction]] = {}
    of_the_lesion = Prediction.objects.filter(image__in=keys).select_related("model_version", "answer_settings")
    for row in of_the_lesion.defer(*(f"model_version__{name}" for name in LONG_FIELDS)).order_by("step"):
        predictions.setdefault(row.image_id, []).append(row)
    measured, scales = _measured(keys), _scales(keys)
    return [
        _moment(each, predictions.get(each.image.pk, []), measured.get(each.image.pk), scales.get(each.image.pk))
        for each in rows
    ]


def shown_series(moments: Sequence[Moment]) -> Series | None:
    """Return the series of the newest answer that is shown."""
    return next((moment.shown.series for moment in reversed(moments) if moment.shown), None)


def series_among(moments: Sequence[Moment]) -> list[Series]:
    """Return every series, the shown one first, then the newest version first."""
    first = shown_series(moments)
    rest = {answer.series for moment in moments for answer in moment.answers} - {first}
    ordered = sorted(rest, key=lambda series: (series.version, series.mix), reverse=True)
    return [first, *ordered] if first else ordered


def _moment(
    photograph: Photograph, predictions: Sequence[Prediction], values: dict[str, Any] | None, scale: Scale | None
) -> Moment:
    image = photograph.image
    is_reliable = image.reliability is Reliability.CALIBRATED
    answers = tuple(_answer(row) for row in predictions) if is_reliable else ()
    shown = photograph.prediction
    return Moment(
        photograph=photograph,
        on=image.taken_on,
        answers=answers,
        shown=next((answer for answer in answers if shown and answer.prediction.pk == shown.pk), None),
        measures=_measures(image, values, scale) if values else NOT_MEASURED,
    )


def _answer(prediction: Prediction) -> Answer:
    version, settings = prediction.model_version, prediction.answer_settings
    mix = str(settings.pk) if settings and settings.class_mix else ""
    series = Series(version.pk, version.name, mix)
    return Answer(series, prediction.malignant_probability, prediction.tier, prediction)


def _measures(image: Image, values: dict[str, Any], scale: Scale | None) -> Measures:
    if values["doubt"] is not None:
        return NOT_MEASURED
    asymmetry, border = values["asymmetry"], values["border"]
    is_cut = bool(values["is_cut"])
    side_mm = float(scale.width_mm) * min(image.width, image.height) / image.width if scale else None
    return Measures(
        asymmetry=None if asymmetry is None else float(asymmetry["shape"]),
        compactness=None if border is None else float(border["compactness"]),
        colours=len(present({colour: float(values["colours"][colour]) for colour in COLOURS})),
        diameter_mm=diameter_mm(values, width=image.width, height=image.height, scale=scale),
        # Of a lesion that is cut off by the frame, only a part was measured.
        area_mm2=None if side_mm is None or is_cut else float(values["area"]) * side_mm**2,
        is_cut=is_cut,
    )


def _measured(keys: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    rows = Measurement.objects.filter(image__in=keys, segmenter_sha256=get_segmenter().sha256)
    return dict(rows.values_list("image", "values"))


def _scales(keys: Sequence[UUID]) -> dict[UUID, Scale]:
    images = with_scales(Image.objects.filter(pk__in=keys))
    return {image.pk: scale for image in images if (scale := scale_of(image))}
