"""Storage of an ONNX graph's weights in half precision for computation in single precision."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

# Small arrays (biases, folded scales) stay in single precision: they take little space, and rounding shifts channels.
_HALVED_FROM = 1024


def store_in_half_precision(graph: onnx.GraphProto) -> None:
    """Replace large float32 arrays of ``graph`` by float16 ones with a cast."""
    casts = []
    for tensor in list(graph.initializer):
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < _HALVED_FROM:
            continue
        stored = f"{tensor.name}:half"
        graph.initializer.remove(tensor)
        graph.initializer.append(numpy_helper.from_array(values.astype(np.float16), stored))
        casts.append(helper.make_node("Cast", [stored], [tensor.name], to=TensorProto.FLOAT))
    nodes = list(graph.node)
    del graph.node[:]
    graph.node.extend(casts + nodes)
