"""The heat map that is shown against Grad-CAM as TensorFlow computes it, from pixels to picture."""

import warnings

import numpy as np
import pytest
from PIL import Image

from mlmodel.network.analyser import get_analyser
from mlmodel.network.engine import Engine
from mlmodel.network.head import Head
from mlmodel.network.heat_map import MAP_SIDE, grad_cam, stage_cam
from mlmodel.network.stages import FEATURE_COUNT, STAGES, stage_slice
from mlmodel.pictures.picture import decode
from mlmodel.taxonomy import CODES
from tests.mlmodel.ham10000_like import SAMPLES

pytestmark = pytest.mark.slow

# Of the peak. What is found is about 2e-6: float32 sums over up to 2,048 channels, in another order.
TOLERANCE = 1e-4


@pytest.fixture(scope="module")
def tensorflow():
    pytest.importorskip("tensorflow")
    pytest.importorskip("onnx")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import tensorflow

        return tensorflow


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.jpg")), ids=lambda path: path.stem)
def test_what_is_shown_is_tensorflows_grad_cam(tensorflow, path):
    """The shipped network, real photographs: TensorFlow runs the backbone, differentiates, averages, weighs, adds."""
    from tests.mlmodel.onnx_in_tensorflow import compute

    analyser = get_analyser()
    picture = decode(path.read_bytes())
    found = analyser.analyse(picture, force=True).assessment
    assert found is not None

    outputs = compute(analyser.release.backbone, analyser.engine.prepare(picture.pixels)[None])
    assert {found.explained_code, found.code} == set(found.heat_maps)
    for code, shown in found.heat_maps.items():
        expected = _drawn(tensorflow, analyser.head, outputs, CODES.index(code))
        # Of some photographs nothing that can be drawn speaks for a class; the test below says that they are few.
        assert expected.std() > 0.05 or not expected.any(), "a map that is even everywhere would prove nothing"
        assert np.abs(shown - expected).max() <= TOLERANCE


def test_nearly_every_photograph_has_something_to_draw():
    pictures = [decode(path.read_bytes()) for path in SAMPLES.glob("*.jpg")]

    shown = [get_analyser().analyse(picture, force=True).assessment for picture in pictures]

    assert sum(each is not None and bool(each.heat_map.any()) for each in shown) >= 0.9 * len(shown)


def test_more_stages_are_added_as_tensorflow_adds_them(tensorflow, photograph, tmp_path):
    """A backbone with the maps of four stages, and a head to which more than one of them matters."""
    from research.backbone_file import write_with_maps
    from tests.mlmodel.onnx_in_tensorflow import compute

    analyser = get_analyser()
    write_with_maps(analyser.release.backbone, tmp_path / "backbone.onnx", [stage for stage, _ in STAGES[-4:]])
    engine = Engine(tmp_path / "backbone.onnx")
    pixels = engine.prepare(decode(photograph).pixels)[None]
    output = engine.run(pixels, maps=True)
    head = _head(seed=5)
    gradient = head.gradient(output.features[0].astype(np.float16).astype(np.float32), class_index=2)
    maps = {stage: values[0] for stage, values in output.maps.items()}
    found = grad_cam(maps, gradient)

    expected = _drawn(tensorflow, head, compute(tmp_path / "backbone.onnx", pixels), 2)

    assert len(maps) == 4
    assert np.abs(found - expected).max() <= TOLERANCE
    without = [{name: values for name, values in maps.items() if name != stage} for stage in maps]
    assert sum(np.abs(grad_cam(fewer, gradient) - expected).max() > 100 * TOLERANCE for fewer in without) >= 2


def test_each_stage_is_its_own_grad_cam(tensorflow, photograph):
    """Before they are added, in units of the logit, and for a class that is not the likeliest too."""
    from tests.mlmodel.onnx_in_tensorflow import compute

    analyser = get_analyser()
    pixels = analyser.engine.prepare(decode(photograph).pixels)[None]
    output = analyser.engine.run(pixels, maps=True)
    outputs = compute(analyser.release.backbone, pixels)
    assert set(output.maps) == set(outputs) - {"features"}
    for class_index in range(len(CODES)):
        gradient = analyser.head.gradient(output.features[0], class_index=class_index)
        expected = _grad_cams(
            tensorflow,
            analyser.head,
            outputs["features"][0],
            {stage: outputs[stage][0] for stage in output.maps},
            class_index,
        )
        for stage, activation in output.maps.items():
            found = stage_cam(activation[0], gradient[stage_slice(stage)])
            assert np.abs(found - expected[stage].numpy()).max() <= TOLERANCE * np.abs(expected[stage].numpy()).max()


def test_the_last_stage_equals_grad_cam_through_keras(tensorflow):
    """Textbook Grad-CAM on a Keras Xception, weights at random: differentiate from a logit back to the last map."""
    import keras

    from mlmodel.training.backbone import xception_stages

    keras.utils.set_random_seed(3)
    stages = xception_stages(keras.applications.Xception(weights=None, include_top=False, input_shape=(160, 160, 3)))
    head = _head(seed=3)
    pixels = np.random.default_rng(3).uniform(-1, 1, (1, 160, 160, 3)).astype(np.float32)
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
    assert np.abs(found - expected).max() <= TOLERANCE * np.abs(expected).max()


def test_the_file_in_tensorflow_is_the_file_in_the_engine(tensorflow):
    """What the comparison stands on: both run the same network."""
    from tests.mlmodel.onnx_in_tensorflow import compute

    engine = get_analyser().engine
    with Image.open(min(SAMPLES.glob("*.jpg"))) as picture:
        pixels = engine.prepare(np.asarray(picture))[None]
    expected = engine.run(pixels).features

    found = compute(get_analyser().release.backbone, pixels)["features"].numpy()

    assert np.abs(found - expected).max() <= 1e-5 * np.abs(expected).max()


def _drawn(tensorflow, head, outputs, class_index):
    """The picture that TensorFlow makes of a network's outputs: each stage's Grad-CAM, resized, added, cut, scaled."""
    # Features are judged as they are stored.
    features = tensorflow.cast(tensorflow.cast(outputs["features"][0], "float16"), "float32")
    maps = {stage: values[0] for stage, values in outputs.items() if stage != "features"}
    total = sum(
        tensorflow.image.resize(part[..., None], (MAP_SIDE, MAP_SIDE), method="bicubic", antialias=True)[..., 0]
        for part in _grad_cams(tensorflow, head, features, maps, class_index).values()
    )
    return (tensorflow.nn.relu(total) / tensorflow.reduce_max(total)).numpy()


def _head(seed):
    generator = np.random.default_rng(seed)
    return Head(
        hidden_weights=generator.normal(0, 0.05, (FEATURE_COUNT, 16)).astype(np.float32),
        hidden_bias=generator.normal(0, 0.05, 16).astype(np.float32),
        output_weights=generator.normal(0, 0.5, (16, 7)).astype(np.float32),
        output_bias=np.zeros(7, dtype=np.float32),
    )


def _grad_cams(tensorflow, head, features, maps, class_index):
    """Each map's Grad-CAM before the ReLU, by TensorFlow: pool it, have the head read it, differentiate, average."""
    with tensorflow.GradientTape() as tape:
        tape.watch(maps)
        # The values that were judged, with the slope of the pooling that they came from.
        pooled = {
            stage: features[stage_slice(stage)] + _slope_alone(tensorflow, tensorflow.reduce_mean(values, (0, 1)))
            for stage, values in maps.items()
        }
        read = [pooled.get(stage, features[stage_slice(stage)]) for stage, _ in STAGES]
        hidden = tensorflow.nn.relu(tensorflow.concat(read, axis=0)[None] @ head.hidden_weights + head.hidden_bias)
        logit = (hidden @ head.output_weights + head.output_bias)[0, class_index]
    slopes = tape.gradient(logit, maps)
    return {
        stage: tensorflow.tensordot(values, tensorflow.reduce_mean(slopes[stage], (0, 1)), 1)
        for stage, values in maps.items()
    }


def _slope_alone(tensorflow, values):
    """Zero, whose gradient is that of ``values``."""
    return values - tensorflow.stop_gradient(values)
