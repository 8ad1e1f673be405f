import uuid

from django.db import models
from django.db.models import Q

from diagnosis.images.models.prediction import Prediction, heat_map_path
from mlmodel.taxonomy import CODES, CONDITIONS


class HeatMap(models.Model):
    """A heat map of the evidence for one class in a photograph. Drawn once, never changed.

    A prediction has maps for the class that explains its tier and for the most probable class. Any other is drawn on
    first request.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    prediction = models.ForeignKey(Prediction, on_delete=models.CASCADE, related_name="heat_maps")
    code = models.CharField(max_length=8, choices=[(c.code, c.name) for c in CONDITIONS])
    file = models.FileField(upload_to=heat_map_path, max_length=120)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["prediction", "code"], name="one_heat_map_per_prediction_and_class"),
            models.CheckConstraint(condition=Q(code__in=CODES), name="heat_map_code_is_known"),
            models.CheckConstraint(condition=~Q(file=""), name="heat_map_has_a_file"),
        ]

    def __str__(self) -> str:
        return self.code
