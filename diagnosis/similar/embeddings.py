"""Embeddings of photographs for similarity search: projected from the backbone's features, one row each."""

import hashlib
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from uuid import UUID

import numpy as np
import numpy.typing as npt
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from diagnosis.images.models import Image, ImageFeatures, Prediction
from diagnosis.similar.models import ImageEmbedding
from mlmodel.network.analyser import get_analyser
from mlmodel.network.neighbours import Projection

STORED = np.dtype("<f2")
_BATCH_SIZE = 500


def current_projection() -> Projection:
    """Return the projection of the network that this process runs."""
    analyser = get_analyser()
    return _projection(analyser.release.head, analyser.head_sha256)


def current_space() -> str:
    """Return the hash of backbone and projection: vectors of different spaces cannot be compared."""
    return _space(get_analyser().backbone_sha256, current_projection().sha256)


def store_embedding(*, image: Image, features: npt.NDArray[np.floating]) -> None:
    """Store the embedding of an analysed photograph, and replace features (F,) of an earlier backbone."""
    backbone = get_analyser().backbone_sha256
    ImageFeatures.objects.filter(image=image).exclude(backbone_sha256=backbone).update(
        backbone_sha256=backbone, vector=features.astype(STORED).tobytes()
    )
    vector = current_projection().embed(features[None])[0]
    ImageEmbedding.objects.update_or_create(
        image=image, defaults={"space_sha256": current_space(), "vector": vector.astype(STORED).tobytes()}
    )


def have_read_again(images: QuerySet[Image]) -> None:
    """Have every archive take in these photographs again, since they belong to another lesion or patient now."""
    ImageEmbedding.objects.filter(image__in=images.order_by().values("pk")).update(embedded_at=timezone.now())


def embed_from_features() -> Iterator[int]:
    """Embed every analysed photograph that has features of the current backbone; yield counts as it goes."""
    backbone, space = get_analyser().backbone_sha256, current_space()
    # Photographs with features of an earlier backbone are left to ``outdated_images``.
    pending = ImageFeatures.objects.filter(_is_analysed(), backbone_sha256=backbone).exclude(
        image__embedding__space_sha256=space
    )
    while batch := list(pending.order_by("pk")[:_BATCH_SIZE]):
        vectors = current_projection().embed(np.stack([read_vector(row.vector) for row in batch]))
        _store([row.image_id for row in batch], vectors, space)
        yield len(batch)


def outdated_images() -> QuerySet[Image]:
    """Return the analysed photographs with features of another backbone, which must be analysed again to embed."""
    backbone = get_analyser().backbone_sha256
    return Image.objects.filter(predictions__isnull=False).exclude(features__backbone_sha256=backbone).distinct()


def read_vector(stored: bytes | memoryview) -> npt.NDArray[np.float16]:
    return np.frombuffer(stored, dtype=STORED)


def _store(image_ids: Sequence[UUID], vectors: npt.NDArray[np.float16], space: str) -> None:
    ImageEmbedding.objects.bulk_create(
        [
            ImageEmbedding(image_id=image_id, space_sha256=space, vector=vector.astype(STORED).tobytes())
            for image_id, vector in zip(image_ids, vectors, strict=True)
        ],
        update_conflicts=True,
        unique_fields=["image"],
        update_fields=["space_sha256", "vector", "embedded_at"],
    )


def _is_analysed() -> Exists:
    return Exists(Prediction.objects.filter(image=OuterRef("image")))


@lru_cache(maxsize=2)
def _projection(head: Path | bytes, head_sha256: str) -> Projection:
    return Projection.load(head)


def _space(backbone_sha256: str, projection_sha256: str) -> str:
    return hashlib.sha256(f"{backbone_sha256} {projection_sha256}".encode()).hexdigest()
