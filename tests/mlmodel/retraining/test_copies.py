"""Copies of photographs in the held-out test set are recognised; other photographs are accepted."""

import io

import numpy as np
import pytest
from PIL import Image

from mlmodel.network.analyser import get_analyser
from mlmodel.pictures.picture import decode
from mlmodel.retraining import Cases, near_copies
from mlmodel.retraining.base_set import joined
from tests.conftest import PHOTOGRAPHS

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def photographs():
    return [path.read_bytes() for path in sorted(PHOTOGRAPHS.glob("*.jpg"))[:4]]


def features_of(photographs):
    engine = get_analyser().engine
    return np.concatenate(
        [engine.run(engine.prepare(decode(data).pixels)[None]).features.astype(np.float16) for data in photographs]
    )


def test_photographs_of_the_locked_test_are_found_and_hardly_one_of_another_lesion(base):
    assert near_copies(base.locked.features[::20], base.locked).all()
    others = np.concatenate([base.calibration.features, base.replay.features[::4]])
    assert near_copies(others, base.locked).mean() < 0.002


@pytest.mark.parametrize("changed", ["as it was", "saved again", "smaller"])
def test_a_locked_photograph_is_found_although_it_was_saved_again_or_scaled(photographs, base, changed):
    originals = features_of(photographs)
    labels, lesions = (
        np.zeros(len(originals), dtype=np.int64),
        np.array([f"sample {n}" for n in range(len(originals))]),
    )
    known = joined(base.locked, Cases(originals, labels, lesions))
    uploads = features_of([_changed(data, changed) for data in photographs])

    assert near_copies(uploads, known).all()


@pytest.mark.parametrize("changed", ["saved again", "smaller"])
def test_a_clinics_few_photographs_are_compared_beside_ordinary_ones(photographs, base, changed):
    count = len(photographs) // 2
    few = Cases(features_of(photographs[:count]), np.zeros(count, dtype=np.int64), np.arange(count).astype(str))
    uploads = features_of([_changed(data, changed) for data in photographs])

    found = near_copies(uploads, few, beside=base.locked)

    assert found.tolist() == [True] * count + [False] * (len(photographs) - count)


def test_of_nothing_there_are_no_copies(base):
    nothing = base.locked.take(np.zeros(len(base.locked), dtype=np.bool_))

    assert near_copies(nothing.features, base.locked).tolist() == []
    assert near_copies(base.locked.features[:3], nothing).tolist() == [False] * 3


def test_a_small_test_of_a_clinic_is_compared_as_well():
    generator = np.random.default_rng(0)
    known = Cases(
        generator.gamma(1.0, 1.0, (30, 200)).astype(np.float16),
        np.zeros(30, dtype=np.int64),
        np.arange(30).astype(str),
    )
    others = generator.gamma(1.0, 1.0, (20, 200)).astype(np.float16)

    assert near_copies(np.concatenate([known.features[:5], others]), known).tolist() == [True] * 5 + [False] * 20


def _changed(data: bytes, how: str) -> bytes:
    if how == "as it was":
        return data
    with Image.open(io.BytesIO(data)) as opened:
        picture = opened.convert("RGB")
        if how == "smaller":
            picture = picture.resize((picture.width * 3 // 4, picture.height * 3 // 4), Image.Resampling.LANCZOS)
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=85)
    return file.getvalue()
