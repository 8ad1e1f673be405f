"""A version's own exit flow: blocks 13 and 14 with weights of its own, beside those of the shipped backbone.

The exit flow is what Xception ends with (Chollet, CVPR 2017, figure 5). A retraining may fine-tune it; all that comes
before it is shared, and so one pass gives the features of both. The shipped ones go on serving whatever was made for
them (the judges of a photograph's kind, similar cases, drift); the head reads the new ones in their place.

Batch normalisation is folded into the backbone's convolutions, so an exit flow is nine convolutions: four depthwise
separable ones, and the shortcut beside block 13. Files are edited with ``onnx``, which is imported only when needed.
"""

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

from mlmodel.stages import STAGES, stage_slice

if TYPE_CHECKING:
    import onnx

EXIT_STAGES = ("block13", "block14")
# Whose map the exit flow begins with.
ENTRY_STAGE = "block12"
EXIT_FEATURE_COUNT = sum(channels for stage, channels in STAGES if stage in EXIT_STAGES)
# Each convolution of an exit flow; depthwise ones have no bias of their own.
CONVOLUTIONS = (
    "block13_depthwise1", "block13_pointwise1", "block13_depthwise2", "block13_pointwise2", "block13_shortcut",
    "block14_depthwise1", "block14_pointwise1", "block14_depthwise2", "block14_pointwise2",
)  # fmt: skip
# Of the file's further outputs: ``exit:features``, ``exit:block13``, ``exit:block14``.
PREFIX = "exit:"

Weights = dict[str, npt.NDArray[Any]]
_Values = TypeVar("_Values", bound=npt.NDArray[Any])
_FIRST = stage_slice(EXIT_STAGES[0]).start


class ExitFlowError(ValueError):
    """What was given is no exit flow, or a backbone that has none which could be replaced."""


def as_read(features: _Values, exit_features: npt.NDArray[Any]) -> _Values:
    """Return what a head reads over an exit flow: features (…, 5640) with the parts of its stages replaced.

    Args:
        features: (…, 5640), of the shipped backbone.
        exit_features: (…, 3072), of the exit flow for the same photographs; cast to the dtype of ``features``.
    """
    return np.concatenate([features[..., :_FIRST], exit_features.astype(features.dtype)], axis=-1)  # type: ignore[return-value]


def exit_flow_of(backbone: Path) -> bytes:
    """Return what is in the file of the backbone's own exit flow: nine kernels and five biases, as they are stored.

    Raises:
        ExitFlowError: the backbone is no Xception as it is exported, or looks at mirror images.
    """
    graph = _Graph(_loaded(backbone))
    weights: Weights = {}
    for name, node in graph.convolutions().items():
        for part, tensor in zip(("kernel", "bias"), node.input[1:], strict=False):
            weights[f"{name}_{part}"] = graph.stored(tensor)
    return pack(weights)


def pack(weights: Weights) -> bytes:
    """Return the file of an exit flow. The same weights give the same bytes.

    Raises:
        ExitFlowError: arrays are missing or have other shapes.
    """
    _check(weights)
    buffer = io.BytesIO()
    np.savez(buffer, **{name: weights[name] for name in sorted(weights)})  # type: ignore[arg-type]
    return buffer.getvalue()


def unpack(content: bytes) -> Weights:
    """Return the weights in the file of an exit flow, by name, as they are stored: float16, small biases float32.

    Raises:
        ExitFlowError: it is none.
    """
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            weights = {name: arrays[name] for name in arrays.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise ExitFlowError(f"this is no file of an exit flow: {error}") from error
    _check(weights)
    return weights


def backbone_with_exit(backbone: Path, content: bytes) -> bytes:
    """Return the backbone's ONNX file with further outputs: features and maps of another exit flow.

    All outputs that it has stay what they are, to the bit.

    Args:
        backbone: the shipped file.
        content: an exit flow for it.

    Raises:
        ExitFlowError: one of the two is not what it should be.
    """
    graph = _Graph(_loaded(backbone))
    graph.add_exit(unpack(content))
    return graph.model.SerializeToString()


def exit_alone(backbone: Path, content: bytes) -> bytes:
    """Return an ONNX file from the map of ``ENTRY_STAGE``, float32 (B, 728, rows, columns), to ``exit:features``.

    Raises:
        ExitFlowError: as ``backbone_with_exit``.
    """
    graph = _Graph(_loaded(backbone))
    graph.add_exit(unpack(content))
    return graph.between(graph.maps[ENTRY_STAGE], ENTRY_STAGE, [f"{PREFIX}features"])


def backbone_to_entry(backbone: Path) -> bytes:
    """Return an ONNX file that ends with the map of ``ENTRY_STAGE``, float32 (B, 728, rows, columns), named so.

    Raises:
        ExitFlowError: as ``exit_flow_of``.
    """
    graph = _Graph(_loaded(backbone))
    graph.convolutions()
    return graph.up_to(graph.maps[ENTRY_STAGE], ENTRY_STAGE)


def _loaded(backbone: Path) -> "onnx.ModelProto":
    try:
        import onnx
    except ImportError as error:
        raise ExitFlowError("an exit flow needs what edits networks: pip install onnx") from error
    return onnx.load(backbone)


@dataclass
class _Graph:
    model: "onnx.ModelProto"

    def __post_init__(self) -> None:
        self.graph = self.model.graph
        self.made_by = {name: node for node in self.graph.node for name in node.output}
        self.tensors = {tensor.name: tensor for tensor in self.graph.initializer}
        try:
            pooled = list(self.made_by["features"].input)
            self.pooling = {stage: self._pooling(name) for (stage, _), name in zip(STAGES, pooled, strict=True)}
        except (KeyError, ValueError) as error:
            raise ExitFlowError("the backbone does not pool the seven stages of Xception") from error
        self.maps = {stage: node.input[0] for stage, node in self.pooling.items()}

    def _pooling(self, name: str) -> "onnx.NodeProto":
        node = self.made_by[name]
        while node.op_type != "GlobalAveragePool":
            if node.op_type not in {"Squeeze", "Reshape", "Flatten"}:
                raise ExitFlowError("the exit flow of a backbone that looks at mirror images cannot be fine-tuned")
            node = self.made_by[node.input[0]]
        return node

    def convolutions(self) -> "dict[str, onnx.NodeProto]":
        """The exit flow's convolutions by name, told apart by where they lie: names are up to the exporter."""
        from onnx import helper

        found = [node for node in self._exit_nodes() if node.op_type == "Conv"]
        strided = [
            node
            for node in found
            for each in node.attribute
            if each.name == "strides" and list(helper.get_attribute_value(each)) == [2, 2]
        ]
        if len(found) != len(CONVOLUTIONS) or len(strided) != 1:
            raise ExitFlowError("the backbone does not end as Xception does")
        in_line = [node for node in found if node is not strided[0]]
        in_line.insert(CONVOLUTIONS.index("block13_shortcut"), strided[0])
        return dict(zip(CONVOLUTIONS, in_line, strict=True))

    def stored(self, tensor: str) -> npt.NDArray[Any]:
        """Weights as they lie in the file: half precision goes through a cast."""
        from onnx import numpy_helper

        return numpy_helper.to_array(self.tensors[self._stored_as(tensor)])

    def _stored_as(self, tensor: str) -> str:
        return self.made_by[tensor].input[0] if tensor in self.made_by else tensor

    def _exit_nodes(self) -> "list[onnx.NodeProto]":
        before = self._behind(self.maps[ENTRY_STAGE])
        after = set().union(*(self._behind(self.maps[stage]) for stage in EXIT_STAGES)) - before
        return [node for node in self.graph.node if node.output[0] in after and node.op_type != "Cast"]

    def _behind(self, tensor: str) -> set[str]:
        found: set[str] = set()
        waiting = [tensor]
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting += self.made_by[name].input if name in self.made_by else []
        return found

    def add_exit(self, weights: Weights) -> None:
        """Lay another exit flow beside the one there is."""
        import onnx
        from onnx import TensorProto, helper, numpy_helper

        renamed: dict[str, str] = {}
        for name, node in self.convolutions().items():
            for part, tensor in zip(("kernel", "bias"), node.input[1:], strict=False):
                values, new = weights[f"{name}_{part}"], f"{PREFIX}{name}_{part}"
                if values.shape != self.stored(tensor).shape:
                    raise ExitFlowError(f"{name}_{part} is {values.shape}, the backbone's is another")
                self.graph.initializer.append(numpy_helper.from_array(values, f"{new}:stored"))
                self.graph.node.append(helper.make_node("Cast", [f"{new}:stored"], [new], to=TensorProto.FLOAT))
                renamed[tensor] = new
        for node in self._exit_nodes():
            copy = onnx.NodeProto()
            copy.CopyFrom(node)
            copy.name = f"{PREFIX}{node.name}"
            del copy.input[:], copy.output[:]
            renamed.update({name: f"{PREFIX}{name}" for name in node.output})
            copy.input.extend(renamed.get(name, name) for name in node.input)
            copy.output.extend(renamed[name] for name in node.output)
            self.graph.node.append(copy)
        ends = []
        for stage in EXIT_STAGES:
            mapped, end = renamed[self.maps[stage]], f"{PREFIX}{stage}:pooled"
            self.graph.node.append(helper.make_node("GlobalAveragePool", [mapped], [f"{end}:square"]))
            self.graph.node.append(helper.make_node("Flatten", [f"{end}:square"], [end], axis=1))
            self.graph.node.append(helper.make_node("Transpose", [mapped], [f"{PREFIX}{stage}"], perm=[0, 2, 3, 1]))
            self._put_out(f"{PREFIX}{stage}", rank=4)
            ends.append(end)
        self.graph.node.append(helper.make_node("Concat", ends, [f"{PREFIX}features"], axis=1))
        self._put_out(f"{PREFIX}features", rank=2)

    def between(self, start: str, name: str, ends: list[str]) -> bytes:
        """The file of what lies between a tensor, which becomes its input called ``name``, and some outputs."""
        from onnx import TensorProto, helper

        for node in self.graph.node:
            for place, read in enumerate(node.input):
                if read == start:
                    node.input[place] = name
        channels = dict(STAGES)[ENTRY_STAGE]
        del self.graph.input[:]
        self.graph.input.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, channels, None, None]))
        return self._only(ends)

    def up_to(self, end: str, name: str) -> bytes:
        """The file of what comes before a tensor, which becomes its output called ``name``."""
        from onnx import helper

        self.graph.node.append(helper.make_node("Identity", [end], [name]))
        self._put_out(name, rank=4)
        return self._only([name])

    def _only(self, ends: list[str]) -> bytes:
        """The file with these outputs alone, and nothing that they do not need."""
        self.made_by = {name: node for node in self.graph.node for name in node.output}
        needed = set().union(*(self._behind(end) for end in ends))
        for kept, names in (
            (self.graph.node, lambda node: node.output),
            (self.graph.initializer, lambda tensor: [tensor.name]),
            (self.graph.output, lambda output: [output.name] if output.name in ends else []),
        ):
            left = [each for each in kept if needed & set(names(each))]
            del kept[:]
            kept.extend(left)
        del self.graph.value_info[:]
        return self.model.SerializeToString()

    def _put_out(self, name: str, *, rank: int) -> None:
        from onnx import TensorProto, helper

        self.graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, [None] * rank))


def _check(weights: Weights) -> None:
    wanted = {f"{name}_kernel" for name in CONVOLUTIONS}
    wanted |= {f"{name}_bias" for name in CONVOLUTIONS if "depthwise" not in name}
    if set(weights) != wanted:
        raise ExitFlowError("this is no exit flow: arrays are missing or unknown")
    if any(
        values.dtype not in (np.float16, np.float32) or not np.isfinite(values).all() for values in weights.values()
    ):
        raise ExitFlowError("this is no exit flow: its weights are not finite numbers")
