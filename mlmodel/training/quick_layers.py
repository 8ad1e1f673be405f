"""Layers for Keras's Xception that compute the same in half the time on a CPU.

Keras computes batch normalisation in separate operations, each of which reads and writes the whole map, and TensorFlow
computes the gradient of a 1 × 1 convolution as for any convolution, which costs three times the equivalent matrix
product. ``benchmarks/training_step.py`` measures a step with and without these layers.
"""

from typing import Any

import keras
import tensorflow as tf

# Channels per SIMD vector.
_VECTOR = 16


class QuickBatchNormalization(keras.layers.BatchNormalization):
    """Batch normalisation over the channels with TensorFlow's fused operation in training."""

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Return ``inputs``, (B, rows, columns, channels), normalised; see Keras's own."""
        if not training or not self.trainable:
            return super().call(inputs, training=training, mask=mask)
        # If channels do not fill the vectors, like Xception's 728, the operation takes eight times as long.
        channels = inputs.shape[-1]
        spare = -channels % _VECTOR
        normalised, mean, variance = tf.compat.v1.nn.fused_batch_norm(
            tf.pad(inputs, (*((0, 0),) * 3, (0, spare))) if spare else inputs,
            *(tf.pad(tf.convert_to_tensor(values), ((0, spare),)) for values in (self.gamma, self.beta)),
            epsilon=self.epsilon,
            is_training=True,
        )
        if spare:
            normalised = tf.slice(normalised, (0,) * 4, tf.shape(inputs))
        # It returns the unbiased variance; Keras uses the biased one.
        count = tf.cast(tf.size(inputs) / tf.shape(inputs)[-1], tf.float32)
        variance *= (count - 1.0) / count
        for moving, current in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(moving * self.momentum + current[:channels] * (1.0 - self.momentum))
        return normalised


class QuickSeparableConv2D(keras.layers.SeparableConv2D):
    """A depthwise convolution and a matrix product over the channels of each position."""

    def call(self, inputs: Any) -> Any:
        """Return float (B, rows, columns, filters) for (B, rows, columns, channels)."""
        depthwise, pointwise = (
            tf.convert_to_tensor(kernel) for kernel in (self.depthwise_kernel, self.pointwise_kernel)
        )
        return _across_channels(tf.nn.depthwise_conv2d(inputs, depthwise, (1, 1, 1, 1), "SAME"), pointwise)


class QuickPointwiseConv2D(keras.layers.Conv2D):
    """A 1 × 1 convolution as a matrix product over the channels of every ``strides``-th position."""

    def call(self, inputs: Any) -> Any:
        """Return float (B, rows / stride, columns / stride, filters) for (B, rows, columns, channels)."""
        if self.strides != (1, 1):
            # Pooling single positions is a strided slice, which itself would take twenty times as long.
            inputs = tf.nn.avg_pool2d(inputs, 1, self.strides, "VALID")
        return _across_channels(inputs, tf.convert_to_tensor(self.kernel))


_QUICK = {
    keras.layers.BatchNormalization: QuickBatchNormalization,
    keras.layers.SeparableConv2D: QuickSeparableConv2D,
    keras.layers.Conv2D: QuickPointwiseConv2D,
}


def with_quick_layers(base: keras.Model) -> keras.Model:
    """Return ``base`` with its weights and with the layers above where these are equivalent."""
    quick = keras.models.clone_model(base, clone_function=_quick)
    quick.set_weights(base.get_weights())
    return quick


def _quick(layer: keras.layers.Layer) -> keras.layers.Layer:
    kind: Any = _QUICK.get(type(layer))
    if kind is None or not _computes_the_same(layer):
        kind = type(layer)
    copy: keras.layers.Layer = kind.from_config(layer.get_config())
    return copy


def _computes_the_same(layer: Any) -> bool:
    if isinstance(layer, keras.layers.BatchNormalization):
        return layer.axis in (-1, 3) and layer.center and layer.scale and not layer.renorm
    plain = not layer.use_bias and layer.activation is keras.activations.linear and layer.padding == "same"
    if isinstance(layer, keras.layers.SeparableConv2D):
        return plain and layer.strides == (1, 1) and layer.dilation_rate == (1, 1)
    return plain and layer.kernel_size == (1, 1) and layer.groups == 1


def _across_channels(values: Any, kernel: Any) -> Any:
    """Return (B, rows, columns, filters) for (B, rows, columns, channels) and a kernel (1, 1, channels, filters)."""
    shape = tf.shape(values)
    channels, filters = kernel.shape[-2:]
    product = tf.matmul(tf.reshape(values, (-1, channels)), tf.reshape(kernel, (channels, filters)))
    result = tf.reshape(product, tf.concat([shape[:3], [filters]], axis=0))
    result.set_shape((*values.shape[:3], filters))
    return result
