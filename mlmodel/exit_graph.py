"""A backbone's ONNX file, edited: another exit flow laid beside its own, or a piece of it cut out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from mlmodel.exit_weights import CONVOLUTIONS, ENTRY_STAGE, EXIT_STAGES, PREFIX, ExitFlowError, Weights
from mlmodel.stages import STAGES

if TYPE_CHECKING:
    import onnx


@dataclass
class BackboneGraph:
    """A backbone's ONNX file, its stages told apart by where they lie: names are up to the exporter."""

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
        before = behind(self.maps[ENTRY_STAGE], self.made_by)
        after = set().union(*(behind(self.maps[stage], self.made_by) for stage in EXIT_STAGES)) - before
        return [node for node in self.graph.node if node.output[0] in after and node.op_type != "Cast"]

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
        needed = set().union(*(behind(end, self.made_by) for end in ends))
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


def behind(tensor: str, made_by: "Mapping[str, onnx.NodeProto]") -> set[str]:
    """Return the names of all that a tensor is computed from, itself and weights included.

    Args:
        tensor: its name.
        made_by: the node that makes each tensor, by name.
    """
    found: set[str] = set()
    waiting = [tensor]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += made_by[name].input if name in made_by else []
    return found
