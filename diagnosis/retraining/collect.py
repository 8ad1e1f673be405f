"""Which photographs a run is trained and judged on, and which are left out, and why."""

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

# A lesion that is followed for years would else fill the manifest; in training a lesion counts once all the same.
MOST_OF_A_LESION = 5
LeftOutImages = defaultdict[str, list[UUID]]


class LeftOut(models.TextChoices):
    """Why a photograph that may be used is not.

    Runs keep these values. The first two were said of runs that fine-tuned the exit flow, when there still were any.
    """

    NOT_READ = "not_read", _("not read yet by the network that answered then")
    UNREADABLE = "unreadable", _("the photograph's file was missing")
    OTHER_FEATURES = "other_features", _("features of another backbone: have the photographs judged again")
    COPY_OF_BASE_TEST = "copy_of_base_test", _("a copy of a photograph of the base set's locked test")
    COPY_OF_CLINIC_TEST = (
        "copy_of_clinic_test",
        _("a copy of a photograph of another lesion in the clinic's locked test"),
    )
    SAME_FILE = "same_file", _("the same file as another photograph")
    WAS_LEARNED = "was_learned", _("in the locked test, but an earlier run learnt from the same photograph")
    OUTSIDE_THE_SEVEN = (
        "outside_the_seven",
        _("confirmed as a diagnosis that is none of the seven classes, which the network cannot learn"),
    )
    LABELS_DIFFER = "labels_differ", _("photographs of one lesion have different labels")
    MANY_OF_A_LESION = "many_of_a_lesion", _("more photographs of a lesion than are needed")


@dataclass(frozen=True)
class Case:
    """One photograph with a settled label, ready to be used."""

    image: UUID
    image_sha256: str
    features_sha256: str
    lesion: UUID
    code: str
    part: str


@dataclass(frozen=True)
class Collection:
    """What was found.

    Attributes:
        cases: to be frozen, in the order of their keys.
        left_out_images: the keys of the photographs that are not used, by ``LeftOut``.
        new: how many of the cases to be learnt have a label that is newer than the active version.
        outside: how many photographs are confirmed as what is none of the seven, by that diagnosis in words.
    """

    cases: list[Case]
    left_out_images: dict[str, list[UUID]] = field(default_factory=dict)
    new: int = 0
    outside: dict[str, int] = field(default_factory=dict)

    @property
    def left_out(self) -> dict[str, int]:
        """How many photographs are not used, by ``LeftOut``."""
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
    """Collect what may be learnt from, of one clinic or of all, and what the candidate is judged on.

    Consent is asked now. Earlier confirmed cases are learnt again with the new ones, so that a run does not forget
    what the last one taught. ``since`` narrows what is learnt, never the locked test. ``keep=False`` writes nothing.
    """
    images = images_for_training(clinic).select_related("features", "lesion", "label")
    images = images.order_by("created_at", "pk")
    found = list(images)
    parts = assign_parts((image.lesion for image in found), keep=keep)
    left_out: LeftOutImages = defaultdict(list)
    found = _without_other_features(found, base, left_out)
    found = _without_copies(found, base, parts, left_out)
    outside = list(images_outside_the_classes(clinic).order_by("created_at", "pk"))
    if outside:
        left_out[LeftOut.OUTSIDE_THE_SEVEN.value] = [image.pk for image in outside]
    found = _of_lesions(found, outside, left_out)
    if since is not None:
        found = [image for image in found if parts[image.lesion_id] == Part.TEST or _settled_on(image) >= since]
    known = learnt_until(parent)
    new = sum(parts[image.lesion_id] == Part.TRAIN and _label(image).settled_after > known for image in found)
    cases = [_case(image, parts[image.lesion_id]) for image in sorted(found, key=lambda image: image.pk)]
    names = Counter(answer_name(_said_of(image)) for image in outside)
    return Collection(cases=cases, left_out_images=dict(left_out), new=new, outside=dict(names.most_common()))


def new_labels(*, after: int, clinic: Clinic | None = None) -> int:
    """Count the photographs that may be used and whose label was settled after a step (``images.models.step``)."""
    return images_for_training(clinic).filter(label__settled_after__gt=after).count()


def learnt_until(version: ModelVersion) -> int:
    """The step until which labels were known to the run that made ``version``; 0 for one that no run here made."""
    run = TrainingRun.objects.filter(candidate=version).first()
    return run.step if run else 0


def cases_for_training(cases: list[Case], vectors: dict[UUID, bytes]) -> Cases:
    """Return the arrays of some cases, whose features ``vectors`` holds by the image's key."""
    return Cases(
        features=feature_rows([vectors[case.image] for case in cases]),
        labels=np.array([CODES.index(case.code) for case in cases], dtype=np.int64),
        lesions=np.array([str(case.lesion) for case in cases], dtype=np.str_),
    )


def _without_other_features(found: list[Image], base: BaseSet, left_out: LeftOutImages) -> list[Image]:
    length = 2 * base.locked.features.shape[1]
    return _kept(
        found,
        [
            image.features.backbone_sha256 == base.backbone_sha256 and len(image.features.vector) == length
            for image in found
        ],
        LeftOut.OTHER_FEATURES,
        left_out,
    )


def _without_copies(found: list[Image], base: BaseSet, parts: dict[UUID, str], left_out: LeftOutImages) -> list[Image]:
    is_copy = near_copies(_vectors(found), base.locked) if found else np.zeros(0, dtype=np.bool_)
    found = _kept(found, [not copy for copy in is_copy], LeftOut.COPY_OF_BASE_TEST, left_out)
    seen: set[str] = set()
    is_first = []
    for image in found:
        is_first.append(image.sha256 not in seen)
        seen.add(image.sha256)
    found = _kept(found, is_first, LeftOut.SAME_FILE, left_out)
    found = _kept(found, _were_never_learned(found, base, parts), LeftOut.WAS_LEARNED, left_out)
    return _kept(found, _are_apart_from_the_test(found, base, parts), LeftOut.COPY_OF_CLINIC_TEST, left_out)


def _were_never_learned(found: list[Image], base: BaseSet, parts: dict[UUID, str]) -> list[bool]:
    """Which photographs may be used as far as earlier runs go: no test on what one of them has learnt, or a copy."""
    learned = ManifestEntry.objects.filter(part=Part.TRAIN)
    files = set(learned.values_list("image_sha256", flat=True))
    features = ImageFeatures.objects.filter(image__in=learned.values("image"), backbone_sha256=base.backbone_sha256)
    vectors = [bytes(vector) for vector in features.values_list("vector", flat=True)]
    locked = [image for image in found if parts[image.lesion_id] == Part.TEST]
    spoilt = {image.pk for image in locked if image.sha256 in files}
    if locked and vectors:
        is_copy = near_copies(_vectors(locked), _cases_of(feature_rows(vectors)), beside=base.locked)
        spoilt |= {image.pk for image, copy in zip(locked, is_copy, strict=True) if copy}
    return [image.pk not in spoilt for image in found]


def _are_apart_from_the_test(found: list[Image], base: BaseSet, parts: dict[UUID, str]) -> list[bool]:
    """Which photographs may be used beside the clinic's locked test: all of it, and what is no copy of any of it.

    A lesion is on one side, so what is alike is one photograph, saved anew, that was kept under two lesions.
    """
    locked = [image for image in found if parts[image.lesion_id] == Part.TEST]
    learned = [image for image in found if parts[image.lesion_id] == Part.TRAIN]
    if not locked or not learned:
        return [True] * len(found)
    is_copy = near_copies(_vectors(learned), _cases_of(_vectors(locked)), beside=base.locked)
    copies = {image.pk for image, copy in zip(learned, is_copy, strict=True) if copy}
    return [image.pk not in copies for image in found]


def _cases_of(features: npt.NDArray[np.float16]) -> Cases:
    """The photographs alone: to compare them takes no labels."""
    return Cases(features, np.zeros(len(features), dtype=np.int64), np.arange(len(features)).astype(np.str_))


def _vectors(images: list[Image]) -> npt.NDArray[np.float16]:
    return feature_rows([bytes(image.features.vector) for image in images])


def _of_lesions(found: list[Image], outside: list[Image], left_out: LeftOutImages) -> list[Image]:
    """Without lesions that are said to be two things, and without more of one than is needed: the newest stay."""
    codes: defaultdict[UUID, set[str]] = defaultdict(set)
    for image in (*found, *outside):
        codes[image.lesion_id].add(_said_of(image))
    found = _kept(found, [len(codes[image.lesion_id]) == 1 for image in found], LeftOut.LABELS_DIFFER, left_out)
    newer: Counter[UUID] = Counter()
    is_among_newest = []
    for image in reversed(found):
        newer[image.lesion_id] += 1
        is_among_newest.append(newer[image.lesion_id] <= MOST_OF_A_LESION)
    return _kept(found, is_among_newest[::-1], LeftOut.MANY_OF_A_LESION, left_out)


def _kept(found: list[Image], is_kept: list[bool], why: LeftOut, left_out: LeftOutImages) -> list[Image]:
    kept = [image for image, keep in zip(found, is_kept, strict=True) if keep]
    if len(kept) < len(found):
        left_out[why.value] += [image.pk for image, keep in zip(found, is_kept, strict=True) if not keep]
    return kept


def _case(image: Image, part: str) -> Case:
    return Case(
        image=image.pk,
        image_sha256=image.sha256,
        features_sha256=hashlib.sha256(bytes(image.features.vector)).hexdigest(),
        lesion=image.lesion_id,
        code=image.confirmed_code,  # type: ignore[attr-defined]
        part=part,
    )


def _said_of(image: Any) -> str:
    """The confirmed answer. A reader's own words stay in their clinic: other clinics may read of a run."""
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
