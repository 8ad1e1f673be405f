"""An exit flow in TensorFlow, with weights that learn: what ``mlmodel.exit_flow`` keeps, as the engine computes it."""

from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from mlmodel.exit_weights import CONVOLUTIONS, Weights, pack, unpack

_ROWS = 64


class ExitNetwork(tf.Module):
    """From maps of block 12 to the pooled features of blocks 13 and 14 (Chollet, CVPR 2017, figure 5).

    Batch normalisation is folded into the convolutions and so stays what it was, as is usual where batches are small.
    """

    def __init__(self, exit_flow: bytes) -> None:
        """Take the weights of an exit flow's file.

        Raises:
            ExitFlowError: it is none.
        """
        super().__init__()
        stored = unpack(exit_flow)
        self._dtypes = {name: values.dtype for name, values in stored.items()}
        self.weights = {
            name: tf.Variable(_for_tensorflow(name, values.astype(np.float32)), name=name)
            for name, values in sorted(stored.items())
        }

    def __call__(self, maps: Any) -> Any:
        """Return float32 (B, 3072) of float32 (B, 728, rows, columns)."""
        entered = tf.transpose(maps, (0, 2, 3, 1))
        values = self._separable("block13", 1, tf.nn.relu(entered))
        values = self._separable("block13", 2, tf.nn.relu(values))
        values = tf.nn.max_pool2d(values, 3, 2, "SAME") + self._convolved("block13_shortcut", entered, stride=2)
        last = tf.nn.relu(self._separable("block14", 1, values))
        last = tf.nn.relu(self._separable("block14", 2, last))
        return tf.concat([tf.reduce_mean(values, (1, 2)), tf.reduce_mean(last, (1, 2))], axis=-1)

    def features(self, maps: npt.NDArray[np.float16]) -> npt.NDArray[np.float16]:
        """Return float16 (N, 3072) of float16 (N, 728, rows, columns), some at a time."""
        parts = [
            np.asarray(self._pass(tf.constant(maps[start : start + _ROWS].astype(np.float32))), dtype=np.float16)
            for start in range(0, len(maps), _ROWS)
        ]
        return np.concatenate(parts) if parts else np.zeros((0, 3072), dtype=np.float16)

    def file(self) -> bytes:
        """Return the exit flow's file: the weights as they are now, rounded as they are kept."""
        return pack(self._stored())

    def values(self) -> dict[str, npt.NDArray[np.float32]]:
        """Return the weights as they are now, by name."""
        return {name: variable.numpy() for name, variable in self.weights.items()}

    def take(self, values: dict[str, npt.NDArray[np.float32]]) -> None:
        """Go on with other weights, as ``values`` gives them."""
        for name, variable in self.weights.items():
            variable.assign(values[name])

    def round(self) -> None:
        """Round the weights as they are kept, so that what is judged is what will be served."""
        self.take({name: _for_tensorflow(name, values.astype(np.float32)) for name, values in self._stored().items()})

    def _stored(self) -> Weights:
        return {
            name: _for_onnx(name, variable.numpy()).astype(self._dtypes[name])
            for name, variable in self.weights.items()
        }

    @tf.function(reduce_retracing=True)
    def _pass(self, maps: Any) -> Any:
        return self(maps)

    def _separable(self, block: str, number: int, values: Any) -> Any:
        kernel = self.weights[f"{block}_depthwise{number}_kernel"]
        values = tf.nn.depthwise_conv2d(values, kernel, (1, 1, 1, 1), "SAME")
        return self._convolved(f"{block}_pointwise{number}", values)

    def _convolved(self, name: str, values: Any, *, stride: int = 1) -> Any:
        return tf.nn.conv2d(values, self.weights[f"{name}_kernel"], stride, "SAME") + self.weights[f"{name}_bias"]


def _for_tensorflow(name: str, values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Kernels lie as (out, in, rows, columns) in the file; TensorFlow wants rows and columns first."""
    if values.ndim == 1:
        return values
    return values.transpose((2, 3, 0, 1) if _is_depthwise(name) else (2, 3, 1, 0))


def _for_onnx(name: str, values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    if values.ndim == 1:
        return values
    return np.ascontiguousarray(values.transpose((2, 3, 0, 1) if _is_depthwise(name) else (3, 2, 0, 1)))


def _is_depthwise(name: str) -> bool:
    return name.removesuffix("_kernel") in {each for each in CONVOLUTIONS if "depthwise" in each}
