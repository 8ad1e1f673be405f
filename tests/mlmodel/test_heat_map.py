"""The closed-form heat map against TensorFlow's own gradient."""

import io

import numpy as np
import pytest
from PIL import Image

from mlmodel.analysis import get_analyser
from mlmodel.engine import MAPPED_STAGES, STAGES, stage_slice
from mlmodel.heat_map import MAP_SIDE, grad_cam, overlay_png, stage_cam
from mlmodel.pictures import decode
from mlmodel.taxonomy import CODES


@pytest.fixture(scope="module")
def tensorflow():
    pytest.importorskip("tensorflow")
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import tensorflow

        return tensorflow


@pytest.mark.slow
@pytest.mark.parametrize("stage", MAPPED_STAGES)
def test_each_stage_equals_tensorflows_gradient(tensorflow, photograph, stage):
    """Real photograph, real weights: differentiate the head through the pooling, average, weigh, sum."""
    analyser = get_analyser()
    output = analyser.engine.run(analyser.engine.prepare(decode(photograph).pixels)[None], maps=True)
    features, activation = output.features[0], output.maps[stage][0]
    class_index = CODES.index("mel")

    expected = _tensorflow_cam(tensorflow, analyser.head, features, activation, stage, class_index)

    found = stage_cam(activation, analyser.head.gradient(features, class_index=class_index)[stage_slice(stage)])
    # Both are float32 sums over up to 2,048 channels; 1e-4 of the peak is their rounding.
    assert np.abs(found - expected).max() <= 1e-4 * np.abs(expected).max()


@pytest.mark.slow
def test_the_last_stage_equals_grad_cam_through_the_whole_network(tensorflow):
    """Textbook Grad-CAM on a Keras Xception, weights at random: differentiate from a logit back to the last map."""
    import keras

    from mlmodel.head import Head
    from mlmodel.training.backbone import xception_stages

    keras.utils.set_random_seed(3)
    stages = xception_stages(keras.applications.Xception(weights=None, include_top=False, input_shape=(299, 299, 3)))
    count = sum(channels for _, channels in STAGES)
    generator = np.random.default_rng(3)
    head = Head(
        hidden_weights=generator.normal(0, 0.05, (count, 16)).astype(np.float32),
        hidden_bias=generator.normal(0, 0.05, 16).astype(np.float32),
        output_weights=generator.normal(0, 0.5, (16, 7)).astype(np.float32),
        output_bias=np.zeros(7, dtype=np.float32),
    )
    pixels = generator.uniform(-1, 1, (1, 299, 299, 3)).astype(np.float32)
    with tensorflow.GradientTape() as tape:
        maps = stages(pixels, training=False)
        tape.watch(maps)
        pooled = tensorflow.concat([tensorflow.reduce_mean(values, (1, 2)) for values in maps], axis=1)
        hidden = tensorflow.nn.relu(pooled @ head.hidden_weights + head.hidden_bias)
        logit = (hidden @ head.output_weights)[0, 4]
    slope = tape.gradient(logit, maps[-1])[0].numpy()
    activation = maps[-1][0].numpy()
    expected = activation @ slope.mean(axis=(0, 1))

    gradient = head.gradient(pooled[0].numpy(), class_index=4)
    found = stage_cam(activation, gradient[stage_slice("block14")])

    assert np.abs(expected).max() > 0
    assert np.abs(found - expected).max() <= 1e-4 * np.abs(expected).max()


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


def _tensorflow_cam(tensorflow, head, features, activation, stage, class_index):
    place = stage_slice(stage)
    maps = tensorflow.constant(activation)
    with tensorflow.GradientTape() as tape:
        tape.watch(maps)
        pooled = tensorflow.concat(
            [features[: place.start], tensorflow.reduce_mean(maps, (0, 1)), features[place.stop :]], axis=0
        )
        hidden = tensorflow.nn.relu(pooled[None] @ head.hidden_weights + head.hidden_bias)
        logit = (hidden @ head.output_weights + head.output_bias)[0, class_index]
    weights = tensorflow.reduce_mean(tape.gradient(logit, maps), (0, 1))
    return (activation @ weights.numpy()[:, None])[..., 0]
