"""The heat map and its drawing; ``test_heat_map_tensorflow.py`` compares it with Grad-CAM as TensorFlow has it."""

import io

import numpy as np
import pytest
from PIL import Image

from mlmodel.network.analyser import get_analyser
from mlmodel.network.engine import Engine
from mlmodel.network.heat_map import MAP_SIDE, grad_cam, overlay_png, stage_cam
from mlmodel.network.stages import STAGES, stage_slice
from mlmodel.pictures.picture import decode


def test_the_parts_sum_to_the_change_of_the_logit(photograph):
    """What a stage's map sums to is what the stage adds to the logit while no hidden unit switches."""
    analyser = get_analyser()
    output = analyser.engine.run(analyser.engine.prepare(decode(photograph).pixels)[None], maps=True)
    features = output.features[0]
    gradient = analyser.head.gradient(features, class_index=0)
    stage = "block14"
    step = 1e-3
    changed = features.copy()
    changed[stage_slice(stage)] *= 1 - step
    before, after = analyser.head.logits(np.stack([features, changed]))[:, 0]

    contribution = stage_cam(output.maps[stage][0], gradient[stage_slice(stage)]).sum()

    # A step of a thousandth switches next to no hidden unit; float32 differences of it are good to a few per cent.
    assert (before - after) / step == pytest.approx(contribution, rel=0.1, abs=0.02)


def test_a_heat_map_is_between_zero_and_one_and_points_somewhere(photograph):
    found = get_analyser().analyse(decode(photograph)).assessment

    assert found is not None
    assert found.heat_map.shape == (MAP_SIDE, MAP_SIDE)
    assert found.heat_map.min() >= 0
    assert found.heat_map.max() == 1
    assert found.heat_map.mean() < 0.6, "a map that is bright everywhere points nowhere"


@pytest.mark.parametrize("stages", [("block14",), ("block8", "block12", "block13", "block14")])
def test_a_backbones_file_says_which_maps_it_has(tmp_path, photograph, stages):
    """An export with other stages is served as it is: same features, its own maps, a heat map of them."""
    pytest.importorskip("onnx")
    from research.backbone_file import write_with_maps

    analyser = get_analyser()
    write_with_maps(analyser.release.backbone, tmp_path / "backbone.onnx", stages)
    engine = Engine(tmp_path / "backbone.onnx")
    pixels = engine.prepare(decode(photograph).pixels)[None]
    output, shipped = engine.run(pixels, maps=True), analyser.engine.run(pixels, maps=True)

    assert engine.mapped_stages == stages == tuple(output.maps)
    assert np.array_equal(output.features, shipped.features)
    for stage, channels in STAGES:
        if stage in stages:
            assert output.maps[stage].shape[-1] == channels
            means = output.maps[stage].mean(axis=(1, 2))
            assert np.allclose(means, output.features[:, stage_slice(stage)], rtol=1e-3, atol=1e-4)
    for stage in set(stages) & set(shipped.maps):
        assert np.array_equal(output.maps[stage], shipped.maps[stage])


def test_nothing_positive_gives_an_empty_map():
    maps = {"block14": np.ones((10, 10, 2048), dtype=np.float32)}
    gradient = np.full(sum(channels for _, channels in STAGES), -1.0, dtype=np.float32)

    assert grad_cam(maps, gradient).max() == 0


def test_the_overlay_covers_the_photograph_and_is_clear_outside_the_square():
    heat_map = np.zeros((MAP_SIDE, MAP_SIDE), dtype=np.float32)
    heat_map[10:28, 10:28] = 1.0

    with Image.open(io.BytesIO(overlay_png(heat_map, width=600, height=450))) as overlay:
        pixels = np.asarray(overlay)

    assert pixels.shape == (450, 600, 4)
    assert pixels[:, :75, 3].max() == 0
    assert pixels[:, -75:, 3].max() == 0
    assert pixels[225, 300, 3] > 200
    assert pixels[225, 300, 0] > pixels[225, 300, 2], "what counted most is red, not blue"


@pytest.mark.parametrize(("width", "height"), [(600, 450), (450, 600), (299, 300)])
def test_the_edge_of_the_square_does_not_show(width, height):
    """A map that counts everywhere, which is the worst case: opacity never jumps from one pixel to the next."""
    opacity = _opacity(np.ones((MAP_SIDE, MAP_SIDE), dtype=np.float32), width=width, height=height)

    across, along = (0, 1) if height > width else (1, 0)
    assert opacity.max(initial=0) > 200
    assert np.abs(np.diff(opacity, axis=across)).max() < 30
    assert np.abs(np.diff(opacity, axis=along)).max() == 0, "where the photograph ends with the square nothing fades"


def test_a_square_photograph_is_covered_to_its_edges():
    assert _opacity(np.ones((MAP_SIDE, MAP_SIDE), dtype=np.float32), width=300, height=300).min() > 200


def test_next_to_nothing_is_not_drawn():
    heat_map = np.full((MAP_SIDE, MAP_SIDE), 0.09, dtype=np.float32)
    heat_map[19, 19] = 1.0

    opacity = _opacity(heat_map, width=380, height=380)

    assert opacity[:150].max() == 0
    assert opacity[195, 195] > 200


def _opacity(heat_map, *, width, height):
    with Image.open(io.BytesIO(overlay_png(heat_map, width=width, height=height))) as overlay:
        return np.asarray(overlay)[..., 3].astype(np.int64)
