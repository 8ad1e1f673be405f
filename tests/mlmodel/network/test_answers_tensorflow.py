"""The engine's answers against those of TensorFlow, which computes the shipped file itself."""

import warnings

import numpy as np
import pytest

from mlmodel.network.analyser import get_analyser
from mlmodel.pictures.picture import decode
from tests.mlmodel.ham10000_like import SAMPLES

pytestmark = pytest.mark.slow

# What storing features in half precision may move a probability by; a thousand photographs: ``research.agreement``.
MOVED = 0.005


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.jpg")), ids=lambda path: path.stem)
def test_the_same_class_comes_first(path):
    """Each sample, turned and mirrored, is four photographs: forty-eight, of which none may differ."""
    pytest.importorskip("tensorflow")
    pytest.importorskip("onnx")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from tests.mlmodel.onnx_in_tensorflow import compute
    analyser = get_analyser()
    square = analyser.engine.prepare(decode(path.read_bytes()).pixels)
    pixels = np.stack([square, square[::-1], square[:, ::-1], np.rot90(square)])

    ours = analyser.engine.run(pixels).features.astype(np.float16).astype(np.float32)
    theirs = np.asarray(compute(analyser.release.backbone, pixels)["features"])

    here, there = (analyser.calibration.probabilities(analyser.head.logits(each)) for each in (ours, theirs))
    assert (here.argmax(axis=1) == there.argmax(axis=1)).all()
    assert np.abs(here - there).max() <= MOVED
