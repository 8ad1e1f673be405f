"""Heat maps of stored predictions: those of a new prediction are kept with it, any other is drawn when asked for."""

from django.db import IntegrityError, transaction

from dermascan.core.written_files import kept_only_on_success
from diagnosis.assessment.analysis import HEAT_MAP_SIDE, analyse_original, heat_map_pngs, keep_heat_maps
from diagnosis.images.errors import CannotReadOriginal
from diagnosis.images.models import HeatMap, Prediction
from mlmodel.versions.serving import analyser_of, can_serve


def heat_map_of(prediction: Prediction, *, code: str) -> HeatMap | None:
    """Return the heat map of one class, drawn now from the original if it was not yet.

    None where it cannot be drawn any more: the original cannot be read, or the version's files are gone. The map of
    another class never stands in for it.
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
            (kept,) = keep_heat_maps(prediction=prediction, pictures={code: drawn[code]}, files=files)
            return kept
    except IntegrityError:
        # Somebody else drew it at the same moment.
        return prediction.heat_maps.get(code=code)
