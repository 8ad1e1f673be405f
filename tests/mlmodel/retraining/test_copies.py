"""A photograph of the locked test is known again when it is uploaded; other photographs are let through."""

import io

import numpy as np
import pytest
from PIL import Image

from mlmodel.analysis import get_analyser
from mlmodel.pictures import decode
from mlmodel.retraining import Cases, near_copies
from tests.conftest import PHOTOGRAPHS


@pytest.fixture
def engine():
    return get_analyser().engine


def features_of(engine, data):
    return engine.run(engine.prepare(decode(data).pixels)[None]).features.astype(np.float16)


def test_photographs_of_the_locked_test_are_found_and_those_of_other_lesions_are_not(base):
    uploaded = np.concatenate([base.locked.features[::20], base.calibration.features[::5]])
    count = len(base.locked.features[::20])

    found = near_copies(uploaded, base.locked)

    assert found[:count].all()
    assert not found[count:].any()


@pytest.mark.parametrize("changed", ["as it was", "saved again", "smaller"])
def test_a_locked_photograph_is_found_although_it_was_saved_again_or_scaled(engine, base, changed):
    paths = sorted(PHOTOGRAPHS.glob("*.jpg"))[:6]
    originals = np.concatenate([features_of(engine, path.read_bytes()) for path in paths])
    # Beside the base's own, so that what is usual for a feature is known.
    known = Cases(
        np.concatenate([base.calibration.features[::2], originals]),
        np.zeros(len(base.calibration.features[::2]) + len(originals), dtype=np.int64),
        np.arange(len(base.calibration.features[::2]) + len(originals)).astype(str),
    )
    uploads = np.concatenate([features_of(engine, _changed(path.read_bytes(), changed)) for path in paths])

    assert near_copies(uploads, known).all()


def test_of_nothing_there_are_no_copies(base):
    nothing = base.locked.take(np.zeros(len(base.locked), dtype=np.bool_))

    assert near_copies(nothing.features, base.locked).tolist() == []
    assert near_copies(base.locked.features[:3], nothing).tolist() == [False] * 3


def _changed(data: bytes, how: str) -> bytes:
    if how == "as it was":
        return data
    with Image.open(io.BytesIO(data)) as picture:
        if how == "smaller":
            picture = picture.resize((picture.width * 3 // 4, picture.height * 3 // 4), Image.Resampling.LANCZOS)
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=85)
    return file.getvalue()
