"""Drift of the newest photographs from those that the network was calibrated on."""

from dataclasses import dataclass

import numpy as np

from dermascan.core.clock import latest
from diagnosis.images.models import Image, ImageFeatures, QualityVerdict
from diagnosis.monitoring.activity import of
from mlmodel.network.analyser import get_analyser
from mlmodel.network.drift import MEASURES, WINDOW, Look, MeasureLook
from patients.models import Clinic


@dataclass(frozen=True)
class Drift:
    """Drift of the features, which decides on incidents, and of light and colour, which helps to explain it."""

    features: Look
    measures: list[MeasureLook]

    @property
    def limit(self) -> float | None:
        """The limit of the distance; None while there are too few photographs to tell."""
        return self.features.threshold if np.isfinite(self.features.threshold) else None

    @property
    def moved(self) -> list[MeasureLook]:
        return [measure for measure in self.measures if measure.has_moved]


def look_for_drift(clinic: Clinic | None) -> Drift | None:
    """Return the drift of a clinic or of all; None without reference data of the release or without photographs."""
    analyser = get_analyser()
    reference = analyser.reference
    if reference is None:
        return None
    # Accepted ones only: refused photographs have a check of their own.
    accepted = Image.objects.filter(verdict=QualityVerdict.ACCEPTED, created_at__lte=latest())
    newest = accepted.filter(of(clinic, "visit")).order_by("-created_at")
    measured = dict(newest.values_list("pk", "measures")[:WINDOW])
    features = ImageFeatures.objects.filter(image__in=measured, backbone_sha256=analyser.backbone_sha256)
    vectors = [np.frombuffer(vector, "<f2") for vector in features.values_list("vector", flat=True)]
    if not vectors:
        return None
    return Drift(
        features=reference.look(reference.project(np.stack(vectors))),
        measures=reference.look_at_measures(
            {name: [each[name] for each in measured.values() if name in each] for name in MEASURES}
        ),
    )
