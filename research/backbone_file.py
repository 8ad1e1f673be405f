"""Copy a backbone's ONNX file with the feature maps of other stages, or with randomised weights.

Both work on any file from ``manage.py export_backbone`` and need neither the training run nor TensorFlow. Stages are
identified by the graph's structure, because tensor names depend on the exporter.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from mlmodel.network.stages import STAGES

_NAMES = [stage for stage, _ in STAGES]


def write_with_maps(source: Path, target: Path, stages: Iterable[str]) -> None:
    """Write a copy of a backbone that outputs the features and the maps of exactly these stages."""
    model = onnx.load(source)
    graph = model.graph
    tensors = _stage_tensors(graph)
    _drop_maps(graph)
    for stage in stages:
        tensor, is_channels_last = tensors[stage]
        if tensor != stage:
            graph.node.append(
                helper.make_node("Identity", [tensor], [stage])
                if is_channels_last
                else helper.make_node("Transpose", [tensor], [stage], perm=[0, 2, 3, 1])
            )
        graph.output.append(helper.make_tensor_value_info(stage, TensorProto.FLOAT, [None, None, None, None]))
    onnx.save(model, target)


def write_randomised(source: Path, target: Path, *, from_stage: str | None, seed: int = 0) -> None:
    """Write a copy of a backbone with random weights from ``from_stage`` to the end.

    Each tensor is drawn from a normal distribution with its own mean and standard deviation, so that activations keep
    their scale and only what was learnt is lost.

    Args:
        source: the backbone's file.
        target: the file to write.
        from_stage: the first stage with random weights; None for an unchanged copy.
        seed: the seed of the random weights.
    """
    model = onnx.load(source)
    graph = model.graph
    generator = np.random.default_rng(seed)
    redrawn = set() if from_stage is None else _weights_from(graph, from_stage)
    for tensor in graph.initializer:
        if tensor.name not in redrawn:
            continue
        values = numpy_helper.to_array(tensor)
        mean, deviation = values.mean(dtype=np.float64), values.std(dtype=np.float64)
        drawn = generator.normal(mean, deviation, values.shape)
        tensor.CopyFrom(numpy_helper.from_array(drawn.astype(values.dtype), tensor.name))
    onnx.save(model, target)


def _stage_tensors(graph: onnx.GraphProto) -> dict[str, tuple[str, bool]]:
    """Return, by stage, the name of the map before pooling and whether its channels are last."""
    made_by = _made_by(graph)
    tensors = {}
    for stage, pooled in zip(_NAMES, made_by["features"].input, strict=True):
        node = made_by[pooled]
        while node.op_type not in {"GlobalAveragePool", "ReduceMean"}:
            node = made_by[node.input[0]]
        # Averages over mirror images are computed and pooled with channels last.
        tensors[stage] = node.input[0], node.op_type == "ReduceMean"
    return tensors


def _weights_from(graph: onnx.GraphProto, stage: str) -> set[str]:
    """Return the names of the weights used from ``stage`` on and not before it."""
    tensors, made_by = _stage_tensors(graph), _made_by(graph)
    earlier = _NAMES[: _NAMES.index(stage)]
    before = _behind(tensors[earlier[-1]][0], made_by) if earlier else set()
    after = _behind(tensors[_NAMES[-1]][0], made_by) - before
    convolutions = [node for node in graph.node if node.op_type == "Conv" and node.output[0] in after]
    read = {name for node in convolutions for name in node.input[1:]}
    # Half-precision weights pass through a Cast node.
    return {made_by[name].input[0] if name in made_by else name for name in read}


def _drop_maps(graph: onnx.GraphProto) -> None:
    read = {name for node in graph.node for name in node.input}
    for node in [node for node in graph.node if set(node.output) & set(_NAMES) - read]:
        graph.node.remove(node)
    for output in [output for output in graph.output if output.name in _NAMES]:
        graph.output.remove(output)


def _made_by(graph: onnx.GraphProto) -> dict[str, onnx.NodeProto]:
    return {name: node for node in graph.node for name in node.output}


def _behind(tensor: str, made_by: Mapping[str, onnx.NodeProto]) -> set[str]:
    """Return the names of all tensors that a tensor depends on, including itself and weights."""
    names: set[str] = set()
    waiting = [tensor]
    while waiting:
        name = waiting.pop()
        if name not in names:
            names.add(name)
            waiting += made_by[name].input if name in made_by else []
    return names
