"""The shipped segmenter on real photographs, its doubts, and what happens to a file that was altered."""

import json
import shutil

import numpy as np
import pytest

from mlmodel.pictures.picture import decode
from mlmodel.releases.release_files import SHIPPED, ReleaseError, sha256_of
from mlmodel.segmentation.measuring import measure_picture
from mlmodel.segmentation.outlines import signed_area
from mlmodel.segmentation.segmenter import (
    INPUT_SIDE,
    SEGMENTER,
    SEGMENTER_FACTS,
    OutlineProblem,
    get_segmenter,
    load_segmenter,
    read_probabilities,
    segmenter_facts,
)
from tests.conftest import PHOTOGRAPHS


def picture(name):
    return decode((PHOTOGRAPHS / f"{name}.jpg").read_bytes())


def field(*circles, level=1.0):
    """Probabilities of discs: (x, y, radius) in [0, 1]."""
    axis = (np.arange(INPUT_SIDE) + 0.5) / INPUT_SIDE
    x, y = np.meshgrid(axis, axis)
    inside = [np.clip((r - np.hypot(x - a, y - b)) * INPUT_SIDE / 2 + 0.5, 0, 1) for a, b, r in circles]
    return (level * np.max(inside, axis=0)).astype(np.float32)


# Boxes that lie in the lesion, and places that do not, read off the photographs: x and y across the centre square.
SEEN = {
    "ISIC_0024315": ((0.30, 0.52), (0.08, 0.08)),
    "ISIC_0024318": ((0.50, 0.45), (0.05, 0.95)),
    "ISIC_0024327": ((0.55, 0.45), (0.05, 0.95)),
    "ISIC_0024322": ((0.55, 0.50), (0.95, 0.95)),
}


@pytest.mark.parametrize("name", SEEN)
def test_the_outline_holds_the_lesion_and_leaves_the_skin_out(name):
    (inside_x, inside_y), (outside_x, outside_y) = SEEN[name]
    found = get_segmenter().segment(picture(name).pixels)
    mask = found.mask(100)

    assert found.doubt is None
    assert found.outline is not None
    assert mask[int(inside_y * 100), int(inside_x * 100)]
    assert not mask[int(outside_y * 100), int(outside_x * 100)]
    assert mask.mean() == pytest.approx(found.area, abs=0.02)
    assert found.area == pytest.approx(signed_area(found.outline))


@pytest.mark.parametrize("path", sorted(PHOTOGRAPHS.glob("*.jpg")), ids=lambda path: path.stem)
def test_every_sample_is_measured_or_says_why_not(path):
    values = measure_picture(decode(path.read_bytes())).as_values()

    assert json.loads(json.dumps(values, allow_nan=False)) == values
    if values["doubt"] is None:
        assert 0 < sum(values["colours"].values()) <= 1.001
        assert 0 < values["diameter"] <= 1.42
        assert (values["asymmetry"] is None) == (values["border"] is None) == values["is_cut"]
        assert len(values["outline"]) == 120
    else:
        assert values["asymmetry"] is values["colours"] is values["diameter"] is None
        OutlineProblem(values["doubt"])


def test_it_is_a_function_of_the_pixels_and_turns_with_them():
    pixels = np.ascontiguousarray(picture("ISIC_0024318").pixels[:, 75:525])
    segmenter = get_segmenter()

    first, again = segmenter.segment(pixels), segmenter.segment(pixels)
    turned = segmenter.segment(np.ascontiguousarray(np.rot90(pixels)))

    assert first.outline is not None
    assert again.outline is not None
    assert np.array_equal(first.outline, again.outline)
    one, other = first.mask(128), np.rot90(turned.mask(128), -1)
    assert 2 * (one & other).sum() / (one.sum() + other.sum()) > 0.9


def test_a_camera_with_more_pixels_sees_the_same_outline():
    from PIL import Image

    small = picture("ISIC_0024318").pixels
    large = np.asarray(Image.fromarray(small).resize((1800, 1350), Image.Resampling.BICUBIC))

    one, other = (get_segmenter().segment(each).mask(128) for each in (small, large))

    assert 2 * (one & other).sum() / (one.sum() + other.sum()) > 0.97


@pytest.mark.parametrize(
    ("probabilities", "doubt"),
    [
        (np.zeros((INPUT_SIDE, INPUT_SIDE), dtype=np.float32), OutlineProblem.NO_REGION),
        (field((0.5, 0.5, 0.02)), OutlineProblem.TINY),
        (np.ones((INPUT_SIDE, INPUT_SIDE), dtype=np.float32), OutlineProblem.WHOLE_FRAME),
        (field((0.25, 0.25, 0.15), (0.75, 0.75, 0.14)), OutlineProblem.SCATTERED),
        (field((0.5, 0.5, 0.3), level=0.6), OutlineProblem.UNSURE),
        (field((0.5, 0.5, 0.3)), None),
        (field((0.4, 0.4, 0.3), (0.9, 0.9, 0.03)), None),
    ],
)
def test_what_is_not_to_be_trusted_says_why(probabilities, doubt):
    assert read_probabilities(probabilities, least_certainty=0.8).doubt is doubt


def test_a_lesion_that_the_frame_cuts_is_said_to_be_cut():
    assert read_probabilities(field((0.5, 0.5, 0.3))).is_cut is False
    assert read_probabilities(field((0.5, 0.31, 0.3))).is_cut is False, "near the frame is not beyond it"
    assert read_probabilities(field((0.5, 0.2, 0.3))).is_cut is True


@pytest.mark.parametrize("pixels", [np.zeros((300, 400, 3)), np.full((300, 300, 3), 255), np.full((1, 1, 3), 120)])
def test_pictures_of_nothing_are_answered_too(pixels):
    found = get_segmenter().segment(pixels.astype(np.uint8))

    assert 0 <= found.area <= 1
    assert 0 <= found.certainty <= 1


def test_the_shipped_file_is_small_and_does_what_was_asked_for():
    facts = segmenter_facts()

    assert (SHIPPED / SEGMENTER).stat().st_size < 1_500_000
    assert facts["locked_test"]["scores"]["network, Dice"]["all"]["value"] >= 0.85
    assert facts["training"]["train_folds"] == "0–6"


@pytest.fixture
def release(tmp_path):
    for name in (SEGMENTER, SEGMENTER_FACTS):
        shutil.copyfile(SHIPPED / name, tmp_path / name)
    return tmp_path


def test_an_untouched_copy_loads(release):
    assert load_segmenter(release).sha256 == sha256_of(SHIPPED / SEGMENTER)


def test_an_altered_file_is_refused(release):
    data = bytearray((release / SEGMENTER).read_bytes())
    data[len(data) // 2] ^= 1
    (release / SEGMENTER).write_bytes(data)

    with pytest.raises(ReleaseError, match=r"segmenter\.onnx was altered"):
        load_segmenter(release)


@pytest.mark.parametrize("name", [SEGMENTER, SEGMENTER_FACTS])
def test_a_missing_file_is_refused(release, name):
    (release / name).unlink()

    with pytest.raises(ReleaseError, match="cannot be loaded"):
        load_segmenter(release)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"file": "segmenter.onnx"}'])
def test_facts_that_are_none_are_refused(release, text):
    (release / SEGMENTER_FACTS).write_text(text)

    with pytest.raises(ReleaseError):
        load_segmenter(release)
