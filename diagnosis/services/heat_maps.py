"""The heat map of a prediction that was made from stored features: drawn when somebody first asks for it."""

from django.db.models.fields.files import FieldFile

from diagnosis.models import Prediction
from diagnosis.services.analysis import read_original
from diagnosis.services.errors import CannotReadOriginal
from diagnosis.services.files import kept_only_on_success
from mlmodel.serving import analyser_of, can_serve


def heat_map_of(prediction: Prediction) -> FieldFile | None:
    """Return the file of a prediction's heat map, drawn now if it was not yet.

    None where it cannot be drawn any more: the original cannot be read, or the version's files are gone.
    """
    if prediction.heat_map:
        return prediction.heat_map
    if not can_serve(prediction.model_version):
        return None
    try:
        reading = read_original(prediction.image, analyser=analyser_of(prediction.model_version))
    except CannotReadOriginal:
        return None
    with kept_only_on_success() as files:
        files.write(prediction.heat_map, reading.heat_map)
        # The name holds the prediction's key: whoever draws it at the same moment writes the same file.
        Prediction.objects.filter(pk=prediction.pk, heat_map="").update(heat_map=prediction.heat_map.name)
    return prediction.heat_map
