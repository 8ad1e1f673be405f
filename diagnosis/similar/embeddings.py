"""Where photographs lie among those that look like them: made from their features, one row each."""

import hashlib
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from uuid import UUID

import numpy as np
import numpy.typing as npt
from django.db.models import Exists, OuterRef, QuerySet

from diagnosis.images.models import Image, ImageFeatures, Prediction
from diagnosis.similar.models import ImageEmbedding
from mlmodel.network.analyser import get_analyser
from mlmodel.network.neighbours import Projection

STORED = np.dtype("<f2")
_AT_ONCE = 500


def current_projection() -> Projection:
    """The projection of the network that this process runs."""
    analyser = get_analyser()
    return _projection(analyser.release.head, analyser.head_sha256)


def current_space() -> str:
    """Hash of backbone and projection: vectors that name another one mean something else."""
    return _space(get_analyser().backbone_sha256, current_projection().sha256)


def keep_embedding(*, image: Image, features: npt.NDArray[np.floating]) -> None:
    """Place a photograph that was judged; features (F,) that an earlier backbone left are replaced with it."""
    backbone = get_analyser().backbone_sha256
    ImageFeatures.objects.filter(image=image).exclude(backbone_sha256=backbone).update(
        backbone_sha256=backbone, vector=features.astype(STORED).tobytes()
    )
    vector = current_projection().embed(features[None])[0]
    ImageEmbedding.objects.update_or_create(
        image=image, defaults={"space_sha256": current_space(), "vector": vector.astype(STORED).tobytes()}
    )


def embed_from_features() -> Iterator[int]:
    """Place every judged photograph that has today's features and no place yet; yield counts as it goes on."""
    backbone, space = get_analyser().backbone_sha256, current_space()
    # The features say of themselves whose they are; photographs of an earlier backbone wait for ``outdated_images``.
    waiting = ImageFeatures.objects.filter(_is_judged(), backbone_sha256=backbone).exclude(
        image__embedding__space_sha256=space
    )
    while found := list(waiting.order_by("pk")[:_AT_ONCE]):
        vectors = current_projection().embed(np.stack([read_vector(row.vector) for row in found]))
        _keep([row.image_id for row in found], vectors, space)
        yield len(found)


def outdated_images() -> QuerySet[Image]:
    """Judged photographs whose features are of another backbone, so that only the photograph itself can tell."""
    backbone = get_analyser().backbone_sha256
    return Image.objects.filter(predictions__isnull=False).exclude(features__backbone_sha256=backbone).distinct()


def read_vector(stored: bytes | memoryview) -> npt.NDArray[np.float16]:
    return np.frombuffer(stored, dtype=STORED)


def _keep(image_ids: Sequence[UUID], vectors: npt.NDArray[np.float16], space: str) -> None:
    ImageEmbedding.objects.bulk_create(
        [
            ImageEmbedding(image_id=image_id, space_sha256=space, vector=vector.astype(STORED).tobytes())
            for image_id, vector in zip(image_ids, vectors, strict=True)
        ],
        update_conflicts=True,
        unique_fields=["image"],
        update_fields=["space_sha256", "vector", "embedded_at"],
    )


def _is_judged() -> Exists:
    return Exists(Prediction.objects.filter(image=OuterRef("image")))


@lru_cache(maxsize=2)
def _projection(head: Path | bytes, head_sha256: str) -> Projection:
    return Projection.load(head)


def _space(backbone_sha256: str, projection_sha256: str) -> str:
    return hashlib.sha256(f"{backbone_sha256} {projection_sha256}".encode()).hexdigest()
