"""The cases of a run as the network that answers now reads them: the base set's, and the clinics'."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from uuid import UUID

from django.conf import settings

from diagnosis.models import ExitFeatures
from mlmodel.release import Release
from mlmodel.retraining import BaseSet, Cases
from mlmodel.retraining.base_photographs import BasePhotographs, CannotGoDeeper

from .collect import Case, cases_for_training, feature_rows
from .errors import CannotFineTune, ManifestAltered
from .manifests import read_vectors

_AT_ONCE = 500


@dataclass
class Reading:
    """What the active network reads of a run's cases.

    Attributes:
        shipped: the base set as the shipped backbone reads it.
        release: of the active version.
        exit_id: the hash of its own exit flow; None where the backbone's answers.
        told: is told how far it is, where that takes long.
    """

    shipped: BaseSet
    release: Release
    exit_id: str | None
    told: Callable[[float, str], None]
    _vectors: dict[UUID, bytes] = field(init=False, default_factory=dict)
    _exit_vectors: dict[UUID, bytes] = field(init=False, default_factory=dict)

    def take(self, cases: list[Case]) -> None:
        """Read the features of all cases. Raises ``ManifestAltered`` if some are not what was frozen."""
        self._vectors = read_vectors(cases)
        for start in range(0, len(cases) if self.exit_id is not None else 0, _AT_ONCE):
            keys = [case.image for case in cases[start : start + _AT_ONCE]]
            rows = ExitFeatures.objects.filter(exit=self.exit_id, image__in=keys)
            self._exit_vectors |= {image: bytes(vector) for image, vector in rows.values_list("image", "vector")}

    def cases(self, cases: list[Case]) -> Cases:
        """Return cases, read over the active version's exit flow too if it has one of its own."""
        found = cases_for_training(cases, self._vectors)
        if self.exit_id is None or not cases:
            return found
        try:
            vectors = [self._exit_vectors[case.image] for case in cases]
        except KeyError as error:
            raise ManifestAltered from error
        return found.with_exit(self.exit_id, feature_rows(vectors))

    @cached_property
    def base(self) -> BaseSet:
        """The base set, read likewise. Raises ``CannotFineTune`` without what that takes."""
        if self.release.exit_flow is None:
            return self.shipped
        try:
            found = self.photographs.through(self.release.exit_flow, progress=self.told)
        except CannotGoDeeper as error:
            raise CannotFineTune(str(error)) from error
        return self.shipped.with_exit(self.release.exit_sha256, found)

    @cached_property
    def photographs(self) -> BasePhotographs:
        """The base set's photographs. Raises ``CannotFineTune`` if they are not here."""
        try:
            return BasePhotographs(
                base=self.shipped,
                data=settings.RETRAINING_BASE_DATA,
                backbone=self.release.backbone,
                cache=Path(settings.DATA_DIR) / "retraining",
            )
        except CannotGoDeeper as error:
            raise CannotFineTune(str(error)) from error
