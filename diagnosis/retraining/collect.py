"""The photographs that a run is trained and tested on, and the reasons why others are not used."""

import hashlib
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

import numpy as np
import numpy.typing as npt
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from diagnosis.images.kinds import PhotographKind
from diagnosis.images.models import Image, ImageFeatures
from diagnosis.retraining.assignment import assign_parts
from diagnosis.retraining.models import ManifestEntry, Part, TrainingRun
from diagnosis.retraining.training_images import images_for_training, images_outside_the_classes
from diagnosis.reviews.models import ConfirmedLabel
from diagnosis.reviews.review_words import answer_name
from mlmodel.retraining import BaseSet, Cases, near_copies
from mlmodel.taxonomy import CODES
from mlmodel.versions.models import ModelVersion
from patients.models import Clinic

# Keeps lesions followed for years from filling the manifest; in training each lesion counts once anyway.
MOST_OF_A_LESION = 5
LeftOutImages = defaultdict[str, list[UUID]]


class LeftOut(models.TextChoices):
    """Why a photograph that may be used is not.

    Runs store these values. The first two come from earlier runs that fine-tuned the exit flow.
    """

    NOT_READ = "not_read", _("not analysed yet by the network that was active then")
    UNREADABLE = "unreadable", _("the photograph's file was missing")
    OTHER_FEATURES = "other_features", _("features of another backbone: have the photographs analysed again")
    COPY_OF_BASE_TEST = "copy_of_base_test", _("a copy of a photograph in the base set's held-out test set")
    COPY_OF_CLINIC_TEST = (
        "copy_of_clinic_test",
        _("a copy of a photograph of another lesion in the clinic's held-out test set"),
    )
    SAME_FILE = "same_file", _("the same file as another photograph")
    WAS_LEARNED = "was_learned", _("in the held-out test set, but an earlier run was trained on the same photograph")
    OUTSIDE_THE_SEVEN = (
        "outside_the_seven",
        _("confirmed diagnosis outside the seven classes, which the network cannot learn"),
    )
    LABELS_DIFFER = "labels_differ", _("the lesion's photographs have different labels")
    OVERVIEW = "overview", _("stated to be an overview, which shows more than the lesion")
    MANY_OF_A_LESION = "many_of_a_lesion", _("more photographs of the lesion than are needed")


@dataclass(frozen=True)
class Case:
    """One usable photograph with a settled label."""

    image: UUID
    image_sha256: str
    features_sha256: str
    lesion: UUID
    code: str
    part: str


@dataclass(frozen=True)
class Collection:
    """The photographs for a run.

    Attributes:
        cases: the photographs to use, ordered by key.
        left_out_images: the keys of the photographs that are not used, by ``LeftOut``.
        new: the number of training cases with a label newer than the active version.
        outside: the number of photographs per confirmed diagnosis outside the seven classes.
    """

    cases: list[Case]
    left_out_images: dict[str, list[UUID]] = field(default_factory=dict)
    new: int = 0
    outside: dict[str, int] = field(default_factory=dict)

    @property
    def left_out(self) -> dict[str, int]:
        """The number of photographs that are not used, by ``LeftOut``."""
        return {why: len(images) for why, images in self.left_out_images.items()}

    def count(self, part: str) -> int:
        return sum(case.part == part for case in self.cases)

    def lesions(self, part: str) -> int:
        return len({case.lesion for case in self.cases if case.part == part})


def collect_cases(
    *,
    base: BaseSet,
    parent: ModelVersion,
    clinic: Clinic | None,
    since: date | None,
    keep: bool = True,
) -> Collection:
    """Return the photographs to train and test a candidate on, of one clinic or of all.

    Consent is checked now. Earlier confirmed cases are used again together with the new ones, so that a run does not
    forget what the last one learned. ``since`` limits the training set, never the held-out test set. ``keep=False``
    writes nothing.
    """
    candidates = images_for_training(clinic).select_related("features", "lesion", "label")
    images = list(candidates.order_by("created_at", "pk"))
    parts = assign_parts((image.lesion for image in images), keep=keep)
    left_out: LeftOutImages = defaultdict(list)
    images = _used(images, [image.kind != PhotographKind.OVERVIEW for image in images], LeftOut.OVERVIEW, left_out)
    images = _without_other_features(images, base, left_out)
    images = _without_copies(images, base, parts, left_out)
    outside = list(images_outside_the_classes(clinic).order_by("created_at", "pk"))
    if outside:
        left_out[LeftOut.OUTSIDE_THE_SEVEN.value] = [image.pk for image in outside]
    images = _of_lesions(images, outside, left_out)
    if since is not None:
        images = [image for image in images if parts[image.lesion_id] == Part.TEST or _settled_on(image) >= since]
    last_step = learnt_until(parent)
    new = sum(parts[image.lesion_id] == Part.TRAIN and _label(image).settled_after > last_step for image in images)
    cases = [_case(image, parts[image.lesion_id]) for image in sorted(images, key=lambda image: image.pk)]
    names = Counter(answer_name(_answer_of(image)) for image in outside)
    return Collection(cases=cases, left_out_images=dict(left_out), new=new, outside=dict(names.most_common()))


def new_labels(*, after: int, clinic: Clinic | None = None) -> int:
    """Return the number of usable photographs with a label settled after a step (``images.models.step``)."""
    return images_for_training(clinic).filter(label__settled_after__gt=after).count()


def learnt_until(version: ModelVersion) -> int:
    """Return the last step whose labels the run of ``version`` could use; 0 if no run here made it."""
    run = TrainingRun.objects.filter(candidate=version).first()
    return run.step if run else 0


def cases_for_training(cases: list[Case], vectors: dict[UUID, bytes]) -> Cases:
    """Return the training arrays of ``cases``; ``vectors`` holds their features by image key."""
    return Cases(
        features=feature_rows([vectors[case.image] for case in cases]),
        labels=np.array([CODES.index(case.code) for case in cases], dtype=np.int64),
        lesions=np.array([str(case.lesion) for case in cases], dtype=np.str_),
    )


def _without_other_features(images: list[Image], base: BaseSet, left_out: LeftOutImages) -> list[Image]:
    length = 2 * base.locked.features.shape[1]
    return _used(
        images,
        [
            image.features.backbone_sha256 == base.backbone_sha256 and len(image.features.vector) == length
            for image in images
        ],
        LeftOut.OTHER_FEATURES,
        left_out,
    )


def _without_copies(
    images: list[Image], base: BaseSet, parts: dict[UUID, str], left_out: LeftOutImages
) -> list[Image]:
    is_copy = near_copies(_vectors(images), base.locked) if images else np.zeros(0, dtype=np.bool_)
    images = _used(images, [not copy for copy in is_copy], LeftOut.COPY_OF_BASE_TEST, left_out)
    seen: set[str] = set()
    is_first = []
    for image in images:
        is_first.append(image.sha256 not in seen)
        seen.add(image.sha256)
    images = _used(images, is_first, LeftOut.SAME_FILE, left_out)
    images = _used(images, _were_never_learned(images, base, parts), LeftOut.WAS_LEARNED, left_out)
    return _used(images, _are_apart_from_the_test(images, base, parts), LeftOut.COPY_OF_CLINIC_TEST, left_out)


def _were_never_learned(images: list[Image], base: BaseSet, parts: dict[UUID, str]) -> list[bool]:
    """Return, per image, whether it may be used: no test image may equal or copy an earlier run's training image."""
    learned = ManifestEntry.objects.filter(part=Part.TRAIN)
    files = set(learned.values_list("image_sha256", flat=True))
    features = ImageFeatures.objects.filter(image__in=learned.values("image"), backbone_sha256=base.backbone_sha256)
    vectors = [bytes(vector) for vector in features.values_list("vector", flat=True)]
    locked = [image for image in images if parts[image.lesion_id] == Part.TEST]
    contaminated = {image.pk for image in locked if image.sha256 in files}
    if locked and vectors:
        is_copy = near_copies(_vectors(locked), _cases_of(feature_rows(vectors)), beside=base.locked)
        contaminated |= {image.pk for image, copy in zip(locked, is_copy, strict=True) if copy}
    return [image.pk not in contaminated for image in images]


def _are_apart_from_the_test(images: list[Image], base: BaseSet, parts: dict[UUID, str]) -> list[bool]:
    """Return, per image, whether it may be used: no training image may copy one of the clinic's held-out test set.

    A lesion has one part, so a near copy is one photograph that was saved again and added to two lesions.
    """
    locked = [image for image in images if parts[image.lesion_id] == Part.TEST]
    learned = [image for image in images if parts[image.lesion_id] == Part.TRAIN]
    if not locked or not learned:
        return [True] * len(images)
    is_copy = near_copies(_vectors(learned), _cases_of(_vectors(locked)), beside=base.locked)
    copies = {image.pk for image, copy in zip(learned, is_copy, strict=True) if copy}
    return [image.pk not in copies for image in images]


def _cases_of(features: npt.NDArray[np.float16]) -> Cases:
    """Return cases with features only: comparing photographs needs no labels."""
    return Cases(features, np.zeros(len(features), dtype=np.int64), np.arange(len(features)).astype(np.str_))


def _vectors(images: list[Image]) -> npt.NDArray[np.float16]:
    return feature_rows([bytes(image.features.vector) for image in images])


def _of_lesions(images: list[Image], outside: list[Image], left_out: LeftOutImages) -> list[Image]:
    """Return the images without lesions that have contradictory labels, and only the newest of each lesion."""
    codes: defaultdict[UUID, set[str]] = defaultdict(set)
    for image in (*images, *outside):
        codes[image.lesion_id].add(_answer_of(image))
    images = _used(images, [len(codes[image.lesion_id]) == 1 for image in images], LeftOut.LABELS_DIFFER, left_out)
    newer: Counter[UUID] = Counter()
    is_among_newest = []
    for image in reversed(images):
        newer[image.lesion_id] += 1
        is_among_newest.append(newer[image.lesion_id] <= MOST_OF_A_LESION)
    return _used(images, is_among_newest[::-1], LeftOut.MANY_OF_A_LESION, left_out)


def _used(images: list[Image], is_used: list[bool], why: LeftOut, left_out: LeftOutImages) -> list[Image]:
    used_images = [image for image, used in zip(images, is_used, strict=True) if used]
    if len(used_images) < len(images):
        left_out[why.value] += [image.pk for image, used in zip(images, is_used, strict=True) if not used]
    return used_images


def _case(image: Image, part: str) -> Case:
    return Case(
        image=image.pk,
        image_sha256=image.sha256,
        features_sha256=hashlib.sha256(bytes(image.features.vector)).hexdigest(),
        lesion=image.lesion_id,
        code=image.confirmed_code,  # type: ignore[attr-defined]
        part=part,
    )


def _answer_of(image: Any) -> str:
    """Return the confirmed answer, without free text: other clinics can read the log of a run."""
    answer: str = image.confirmed_answer
    return answer


def _settled_on(image: Image) -> date:
    return timezone.localdate(_label(image).settled_at)


def _label(image: Image) -> ConfirmedLabel:
    return image.label


def feature_rows(vectors: list[bytes]) -> npt.NDArray[np.float16]:
    """Return stored vectors as float16 (N, F)."""
    if not vectors:
        return np.zeros((0, 0), dtype=np.float16)
    return np.frombuffer(b"".join(vectors), dtype="<f2").reshape(len(vectors), -1).astype(np.float16)
