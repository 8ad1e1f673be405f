"""Heat maps depend on the learned weights: with random weights they change.

The model parameter randomisation test of Adebayo et al., Sanity Checks for Saliency Maps, NeurIPS 2018, on the shipped
network and the shipped photographs. ``research/randomised_weights.py`` prints more of it, against lesion masks.
"""

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("scipy")

from mlmodel.network.analyser import get_analyser
from mlmodel.network.engine import Engine
from mlmodel.network.heat_map import combined
from mlmodel.pictures.picture import decode
from mlmodel.taxonomy import CODES
from research.backbone_file import write_randomised
from research.explained import Network
from research.randomised_weights import rank_correlation, redrawn_head
from tests.mlmodel.ham10000_like import SAMPLES

pytestmark = pytest.mark.slow

# Spearman's rank correlation, mean over the photographs: 1 if weights do not matter. Lesions lie in the middle, so the
# maps of two different photographs are alike by nearly 0.4. Of the first fine-tuned network, none of the changes below
# leaves more than 0.2.
BOUND = 0.5


@pytest.fixture(autouse=True)
def _the_engine_itself() -> None:
    """These tests change networks: what one says of the same pixels may be remembered here as elsewhere."""


@pytest.fixture(scope="module")
def network():
    analyser = get_analyser()
    return Network(analyser.engine, analyser.head)


@pytest.fixture(scope="module")
def photographs():
    return [decode(path.read_bytes()).pixels for path in sorted(SAMPLES.glob("*.jpg"))]


@pytest.fixture(scope="module")
def explained(network, photographs):
    """The class that each photograph is taken for, and its heat map."""
    found = [network.parts(pixels) for pixels in photographs]
    return [(index, combined(parts.values())) for index, parts in found]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_another_head_gives_another_map(network, photographs, explained, seed):
    changed = Network(network.engine, redrawn_head(network.head, seed=seed))

    assert _likeness(changed, photographs, explained).mean() < BOUND


@pytest.mark.parametrize("from_stage", ["block12", "block4", "block2"])
def test_another_backbone_gives_another_map(network, photographs, explained, tmp_path, from_stage):
    """Blocks 9 to 14, 4 to 14, and all of them."""
    write_randomised(get_analyser().release.backbone, tmp_path / "backbone.onnx", from_stage=from_stage)
    changed = Network(Engine(tmp_path / "backbone.onnx"), network.head)

    assert _likeness(changed, photographs, explained).mean() < BOUND


def test_the_same_weights_give_the_same_map(network, photographs, explained, tmp_path):
    """Without which the tests above would say nothing: the copying itself changes no map."""
    write_randomised(get_analyser().release.backbone, tmp_path / "backbone.onnx", from_stage=None)
    copy = Network(Engine(tmp_path / "backbone.onnx"), network.head)

    for pixels, (index, heat_map) in zip(photographs, explained, strict=True):
        assert np.array_equal(combined(copy.parts(pixels, index)[1].values()), heat_map)
    assert np.allclose(_likeness(copy, photographs, explained), 1.0)


def test_what_is_compared_is_what_is_shown(network, photographs, explained):
    analyser = get_analyser()
    for path, (index, heat_map) in zip(sorted(SAMPLES.glob("*.jpg")), explained, strict=True):
        shown = analyser.analyse(decode(path.read_bytes()), force=True).assessment
        assert shown is not None
        assert np.allclose(shown.heat_maps[CODES[index]], heat_map, atol=1e-6)


def _likeness(changed, photographs, explained):
    """Of the photographs that have a map: what is even everywhere is like nothing."""
    return np.array(
        [
            rank_correlation(heat_map, combined(changed.parts(pixels, index)[1].values()))
            for pixels, (index, heat_map) in zip(photographs, explained, strict=True)
            if heat_map.any()
        ]
    )
