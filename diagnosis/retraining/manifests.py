"""The manifest of a run: its photographs, frozen with hashes so that it can be resumed and audited."""

import hashlib
from collections.abc import Iterable
from uuid import UUID

from django.db.models import Exists, OuterRef

from diagnosis.images.models import Image, ImageFeatures
from diagnosis.retraining.collect import Case, Collection
from diagnosis.retraining.errors import ManifestAltered
from diagnosis.retraining.models import ManifestEntry, TrainingRun
from patients.models import Patient, Purpose

_BATCH = 500


def freeze_manifest(*, run: TrainingRun, collection: Collection) -> str:
    """Store the cases as the run's manifest and return its hash. Call it in the transaction that stores the hash."""
    entries = (
        ManifestEntry(
            run=run,
            image_id=case.image,
            image_sha256=case.image_sha256,
            features_sha256=case.features_sha256,
            lesion_id=case.lesion,
            code=case.code,
            part=case.part,
        )
        for case in collection.cases
    )
    ManifestEntry.objects.bulk_create(entries, batch_size=_BATCH)
    return manifest_sha256(collection.cases)


def read_manifest(run: TrainingRun) -> list[Case]:
    """Return the frozen cases. Raises ``ManifestAltered`` if they do not match the stored hash."""
    cases = [
        Case(entry.image_id, entry.image_sha256, entry.features_sha256, entry.lesion_id, entry.code, entry.part)
        for entry in run.manifest.order_by("image_id")
    ]
    if manifest_sha256(cases) != run.manifest_sha256:
        raise ManifestAltered
    return cases


def manifest_sha256(cases: Iterable[Case]) -> str:
    """Return the hash of the cases, independent of their order."""
    lines = sorted(
        f"{case.image.hex} {case.image_sha256} {case.features_sha256} {case.lesion.hex} {case.code} {case.part}\n"
        for case in cases
    )
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def allowed_now(cases: list[Case]) -> list[Case]:
    """Return the cases that are not excluded and whose patients consent to training now."""
    patients = Patient.objects.filter(pk=OuterRef("visit__patient")).consenting_to(Purpose.TRAINING)
    allowed: set[UUID] = set()
    for start in range(0, len(cases), _BATCH):
        keys = [case.image for case in cases[start : start + _BATCH]]
        allowed |= set(Image.objects.in_use().filter(Exists(patients), pk__in=keys).values_list("pk", flat=True))
    return [case for case in cases if case.image in allowed]


def read_vectors(cases: list[Case]) -> dict[UUID, bytes]:
    """Return the features of all cases, by image. Raises ``ManifestAltered`` if any differ from the frozen ones."""
    vectors: dict[UUID, bytes] = {}
    for start in range(0, len(cases), _BATCH):
        keys = [case.image for case in cases[start : start + _BATCH]]
        for image, vector in ImageFeatures.objects.filter(image__in=keys).values_list("image", "vector"):
            vectors[image] = bytes(vector)
    for case in cases:
        if hashlib.sha256(vectors.get(case.image, b"")).hexdigest() != case.features_sha256:
            raise ManifestAltered
    return vectors
