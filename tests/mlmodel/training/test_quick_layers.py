"""The layers that training computes with give what Keras's own give: answers, gradients and moving statistics."""

from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def tensorflow() -> Any:
    return pytest.importorskip("tensorflow", reason="training's libraries are not installed")


def block(channels: int, *, stride: int = 2) -> Any:
    """One of Xception's blocks on ``channels`` channels: with a shortcut of a stride, and odd sizes on the way."""
    import keras

    keras.utils.set_random_seed(3)
    given = keras.Input((None, None, channels))
    values = keras.layers.BatchNormalization(momentum=0.9)(given)
    values = keras.layers.Activation("relu")(values)
    values = keras.layers.SeparableConv2D(channels, 3, padding="same", use_bias=False)(values)
    values = keras.layers.BatchNormalization(momentum=0.9)(values)
    values = keras.layers.MaxPooling2D(3, stride, padding="same")(values)
    shortcut = keras.layers.Conv2D(channels, 1, strides=stride, padding="same", use_bias=False)(given)
    return keras.Model(given, keras.layers.add([values, shortcut]))


@pytest.mark.parametrize(("channels", "stride"), [(32, 2), (40, 2), (40, 1)])
def test_a_block_answers_and_learns_as_keras_has_it(tensorflow, channels, stride):
    from mlmodel.training.quick_layers import with_quick_layers

    plain = block(channels, stride=stride)
    quick = with_quick_layers(plain)
    assert sum("quick" in type(layer).__name__.lower() for layer in quick.layers) == 4
    shown = tensorflow.constant(np.random.default_rng(0).normal(1.0, 2.0, (3, 9, 9, channels)).astype(np.float32))
    np.testing.assert_allclose(quick(shown, training=False), plain(shown, training=False), atol=1e-5)

    found = []
    for network in (plain, quick):
        with tensorflow.GradientTape() as tape:
            tape.watch(shown)
            # Squares, since the mean of what is normalised depends on nothing before it.
            loss = tensorflow.reduce_mean(tensorflow.square(network(shown, training=True)) ** 2)
        found.append((loss, *tape.gradient(loss, [shown, *network.trainable_variables])))
        found[-1] += tuple(network.non_trainable_variables)
    assert len(found[0]) == len(found[1]) > 8
    for theirs, ours in zip(*found, strict=True):
        expected = np.asarray(theirs)
        # Sums in another order.
        np.testing.assert_allclose(np.asarray(ours), expected, rtol=1e-3, atol=1e-4 * max(np.abs(expected).max(), 1))


def test_layers_that_are_frozen_or_of_another_kind_stay_as_keras_has_them(tensorflow):
    import keras

    from mlmodel.training.quick_layers import with_quick_layers

    given = keras.Input((8, 8, 16))
    values = keras.layers.SeparableConv2D(8, 3, strides=2, padding="same", use_bias=False)(given)
    values = keras.layers.Conv2D(8, 1, activation="relu")(values)
    values = keras.layers.Conv2D(8, 3, padding="same", use_bias=False)(values)
    quick = with_quick_layers(keras.Model(given, keras.layers.BatchNormalization(scale=False)(values)))
    assert not any("quick" in type(layer).__name__.lower() for layer in quick.layers)

    frozen = with_quick_layers(block(16))
    frozen.trainable = False
    before = [weight.numpy() for weight in frozen.weights]
    frozen(np.ones((2, 8, 8, 16), dtype=np.float32), training=True)
    for weight, kept in zip(frozen.weights, before, strict=True):
        np.testing.assert_array_equal(weight.numpy(), kept)


def test_adam_in_one_operation_steps_as_adamw_does(tensorflow):
    import keras

    from mlmodel.training.layer_rates import LayerwiseAdam

    start = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    ours, theirs = (keras.Variable(start, name="kernel") for _ in range(2))
    adams = (
        LayerwiseAdam(1e-2, factors={"kernel": 0.5}, decay=0.1, global_clipnorm=1.0),
        keras.optimizers.AdamW(5e-3, weight_decay=0.1, global_clipnorm=1.0),
    )
    for seed in range(5):
        gradient = np.random.default_rng(seed).normal(size=start.shape).astype(np.float32)
        for adam, variable in zip(adams, (ours, theirs), strict=True):
            adam.apply([tensorflow.constant(gradient)], [variable])
    assert np.abs(ours.numpy() - start).max() > 1e-2
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-5, atol=1e-6)
