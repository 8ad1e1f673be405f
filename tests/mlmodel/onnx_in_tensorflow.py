"""A backbone's ONNX file computed by TensorFlow, so that TensorFlow can differentiate the network that is shipped."""

from pathlib import Path

import numpy as np
import onnx
import tensorflow as tf
from onnx import helper, numpy_helper


def compute(path: Path, pixels: np.ndarray) -> dict[str, tf.Tensor]:
    """Return every output of the file for uint8 (B, side, side, 3), by name.

    Covers the operations that the export uses; another one raises KeyError.
    """
    graph = onnx.load(path).graph
    values = {tensor.name: tf.constant(numpy_helper.to_array(tensor)) for tensor in graph.initializer}
    values[graph.input[0].name] = tf.constant(pixels)
    for node in graph.node:
        settings = {each.name: helper.get_attribute_value(each) for each in node.attribute}
        values[node.output[0]] = _OPERATIONS[node.op_type](*(values[name] for name in node.input), **settings)
    return {output.name: values[output.name] for output in graph.output}


def _conv(inputs, kernel, bias=None, *, strides, group, kernel_shape, pads=(0, 0, 0, 0), dilations=(1, 1)):
    assert tuple(dilations) == (1, 1)
    kernel = tf.transpose(kernel, (2, 3, 1, 0))  # rows, columns, in, out
    rows_first = _padded(inputs, pads, 0.0)
    if group == 1:
        found = tf.nn.conv2d(rows_first, kernel, strides, "VALID")
    else:
        assert group == inputs.shape[1], "only depthwise groups"
        found = tf.nn.depthwise_conv2d(rows_first, tf.transpose(kernel, (0, 1, 3, 2)), (1, *strides, 1), "VALID")
    return tf.transpose(found if bias is None else found + bias, (0, 3, 1, 2))


def _max_pool(inputs, *, kernel_shape, strides, pads=(0, 0, 0, 0)):
    rows_first = _padded(inputs, pads, inputs.dtype.min)
    return tf.transpose(tf.nn.max_pool2d(rows_first, kernel_shape, strides, "VALID"), (0, 3, 1, 2))


def _padded(inputs, pads, value):
    """From channels first to channels last, with a margin."""
    top, left, bottom, right = pads
    margins = ((0, 0), (top, bottom), (left, right), (0, 0))
    return tf.pad(tf.transpose(inputs, (0, 2, 3, 1)), margins, constant_values=value)


def _slice(values, starts, ends, axes, steps=None):
    starts, ends, axes = (each.numpy().tolist() for each in (starts, ends, axes))
    steps = [1] * len(axes) if steps is None else steps.numpy().tolist()
    places = [slice(None)] * len(values.shape)
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        # Backwards is always the whole axis: mirror images.
        assert step > 0 or ((start == -1 or start >= values.shape[axis] - 1) and end < -values.shape[axis])
        places[axis] = slice(start, end, step) if step > 0 else slice(None, None, step)
    return values[tuple(places)]


_OPERATIONS = {
    "Add": tf.add,
    "Mul": tf.multiply,
    "Relu": tf.nn.relu,
    "Conv": _conv,
    "MaxPool": _max_pool,
    "Cast": lambda values, *, to: tf.cast(values, helper.tensor_dtype_to_np_dtype(to)),
    "Concat": lambda *parts, axis: tf.concat(parts, axis),
    "GlobalAveragePool": lambda values: tf.reduce_mean(values, (2, 3), keepdims=True),
    "ReduceMean": lambda values, *, axes, keepdims: tf.reduce_mean(values, axes, keepdims=bool(keepdims)),
    "Reshape": lambda values, shape: tf.reshape(values, shape),
    "Slice": _slice,
    "Squeeze": lambda values, axes: tf.squeeze(values, axes.numpy().tolist()),
    "Transpose": lambda values, *, perm: tf.transpose(values, perm),
}
