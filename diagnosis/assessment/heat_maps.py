"""Heat maps of stored predictions. Some are stored with the prediction; any other is drawn on first request."""

from django.db import IntegrityError, transaction

from dermascan.core.written_files import kept_only_on_success
from diagnosis.assessment.analysis import HEAT_MAP_SIDE, analyse_original, heat_map_pngs, store_heat_maps
from diagnosis.images.errors import CannotReadOriginal
from diagnosis.images.models import HeatMap, Prediction
from mlmodel.versions.serving import analyser_of, can_serve


def heat_map_of(prediction: Prediction, *, code: str) -> HeatMap | None:
    """Return the heat map of one class, and draw it from the original if it is not stored yet.

    None if it can no longer be drawn: the original cannot be read, or the version's files are missing. The map of
    another class is never used instead.
    """
    existing = prediction.heat_maps.filter(code=code).first()
    if existing is not None:
        return existing
    if not can_serve(prediction.model_version):
        return None
    try:
        analyser = analyser_of(prediction.model_version)
        analysis, picture = analyse_original(prediction.image, analyser=analyser, maps_of=(code,))
    except CannotReadOriginal:
        return None
    assert analysis.assessment is not None, "a forced analysis always assesses"
    drawn = heat_map_pngs(analysis.assessment, picture, longest_side=HEAT_MAP_SIDE)
    try:
        with kept_only_on_success() as files, transaction.atomic():
            (heat_map,) = store_heat_maps(prediction=prediction, pictures={code: drawn[code]}, files=files)
            return heat_map
    except IntegrityError:
        # Another request drew it at the same moment.
        return prediction.heat_maps.get(code=code)
