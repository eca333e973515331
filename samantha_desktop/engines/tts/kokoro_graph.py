"""Kokoro's graph, cut in two and made quicker when it is loaded.

The published int8 graph does two things slower than need be on a processor:

1. It computes half a second of silence before and after every clause. Cutting
   it from the durations swallows the first sound, since the melody is predicted
   from them; cutting it from the vocoder's input alone changes its instance
   normalisation, which takes mean and variance over time. So the graph is split
   between the two: `prosody` says what is to be heard in each frame of 25 ms;
   `vocoder` turns frames into sound and takes a weight for each. A frame of
   silence is then computed once and counted as often as it was there.
2. Its convolutions (`ConvInteger`) multiply unsigned by unsigned bytes, which
   no instruction of the x86-64 does. As matrix products of unsigned by signed
   bytes, weights packed beforehand, the same sums take half the time.

The sound differs from the plain graph's by rounding only (correlation 0.99),
apart from the silence.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from numpy.typing import NDArray
from onnx import helper, numpy_helper

FRAME_SAMPLES = 600
"""What the vocoder makes of one frame: 25 ms at 24 kHz."""

DURATIONS = "/encoder/Clip_output_0"
"""Output of `prosody`: (1, n_tokens) float32, frames of each token, pads included."""

ENERGY = "/encoder/Reshape_1_output_0"
"""Output of `prosody`: (1, 2 * n_frames) float32, the logarithm of the loudness."""

FRAME_TENSORS = {"/encoder/MatMul_1_output_0": 1, "/encoder/Reshape_output_0": 2, ENERGY: 2}
"""What goes from `prosody` to `vocoder` (sounds, pitch, energy), and steps per frame;
time is the last axis."""

WEIGHTS = {1: "weights_1", 2: "weights_2", 20: "weights_20", 120: "weights_120"}
"""Inputs of `vocoder` by its steps per frame: (n_steps, 1) float32, of sum 1.
The last has one step more, in front: the graph pads there."""

_AUDIO = "audio"
_MIN_CHANNELS = 64  # below, a convolution is too small to gain anything


class UnknownGraph(ValueError):
    """The model is not an export of Kokoro v1.0 whose parts are known."""


@dataclass(frozen=True)
class SplitModel:
    """Two serialized ONNX models."""

    prosody: bytes
    vocoder: bytes


def split(model: bytes, *, is_signed: bool) -> SplitModel:
    """Cut the graph in two and make it quicker.

    Args:
        model: the published file's bytes.
        is_signed: multiply by signed bytes (see `onnxruntime`'s note on U8S8: right
            only where the processor does not saturate, `multiplies_signed_exactly`).
    Raises:
        UnknownGraph: its parts are not where they are expected.
    """
    try:
        proto = onnx.load_model_from_string(model)
    except DecodeError as error:
        raise UnknownGraph("not an ONNX file") from error
    graph = _Graph(proto)
    missing = [name for name in (DURATIONS, *FRAME_TENSORS, _AUDIO) if name not in graph.producer]
    if missing:
        raise UnknownGraph(f"no tensor {missing[0]} in it")
    _replace_convolutions(graph, is_signed)
    _weigh_statistics(graph)
    return SplitModel(
        prosody=graph.part([], [DURATIONS, *FRAME_TENSORS]).SerializeToString(),
        vocoder=graph.part([*FRAME_TENSORS, *WEIGHTS.values()], [_AUDIO]).SerializeToString(),
    )


class _Graph:
    """A graph whose nodes are found by the tensors they make and take."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self.model = model
        self.producer: dict[str, onnx.NodeProto] = {}
        self.consumers: dict[str, list[onnx.NodeProto]] = defaultdict(list)
        self.constants = {tensor.name: tensor for tensor in model.graph.initializer}
        for node in model.graph.node:
            for name in node.output:
                self.producer[name] = node
            for name in node.input:
                self.consumers[name].append(node)

    def of_kind(self, op_type: str) -> list[onnx.NodeProto]:
        return [node for node in self.model.graph.node if node.op_type == op_type]

    def array(self, name: str) -> NDArray[np.generic]:
        return numpy_helper.to_array(self.constants[name])

    def constant(self, name: str, value: NDArray[np.generic]) -> str:
        self.constants.setdefault(name, numpy_helper.from_array(value, name))
        return name

    def add(self, op_type: str, inputs: list[str], output: str, **attributes: Any) -> str:
        """A new node that makes `output`, in place of whatever made it before."""
        domain = "com.microsoft" if op_type == "MatMulIntegerToFloat" else ""
        self.producer[output] = helper.make_node(
            op_type, inputs, [output], name=f"quick {output}", domain=domain, **attributes
        )
        return output

    def part(self, inputs: list[str], outputs: list[str]) -> onnx.ModelProto:
        """The model of what `outputs` need, from `inputs` and the graph's own inputs on."""
        needed: dict[int, onnx.NodeProto] = {}
        tensors: set[str] = set()
        stack = list(outputs)
        while stack:
            name = stack.pop()
            if name in tensors:
                continue
            tensors.add(name)
            node = self.producer.get(name)
            if node is not None and name not in inputs and id(node) not in needed:
                needed[id(node)] = node
                stack.extend(node.input)
        given = [value for value in self.model.graph.input if value.name in tensors]
        given += [_float_value(name) for name in inputs if name in tensors]
        graph = helper.make_graph(
            list(needed.values())[::-1],
            self.model.graph.name,
            given,
            [_float_value(name) for name in outputs],
            [tensor for name, tensor in self.constants.items() if name in tensors],
        )
        model = helper.make_model(graph, opset_imports=list(self.model.opset_import))
        model.ir_version = self.model.ir_version
        return model


def _float_value(name: str) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None)


def step_weights(frame_weights: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    """The vocoder's inputs `WEIGHTS`, from how many frames each frame stands for."""
    inputs = {}
    for steps, name in WEIGHTS.items():
        weights = np.repeat(frame_weights, steps)
        if steps == max(WEIGHTS):
            weights = np.concatenate([weights[:1], weights])
        inputs[name] = (weights / weights.sum())[:, None].astype(np.float32)
    return inputs


def _replace_convolutions(graph: _Graph, is_signed: bool) -> None:
    for node in graph.of_kind("ConvInteger"):
        weights = graph.array(node.input[1])
        if weights.shape[0] >= _MIN_CHANNELS and weights.dtype == np.uint8:
            _replace_convolution(graph, node, weights, is_signed)


def _replace_convolution(
    graph: _Graph, node: onnx.NodeProto, weights: NDArray[np.generic], is_signed: bool
) -> None:
    """ConvInteger, Add (bias), Cast, Mul (scales) become one matrix product to float."""
    attributes = {item.name: helper.get_attribute_value(item) for item in node.attribute}
    n_out, n_in, n_taps = weights.shape
    end = graph.consumers[node.output[0]][0]
    bias = ""
    if end.op_type == "Add":
        # The bias was quantized for the integer sum: Reshape(Cast(Floor(bias / scale))).
        quantized = end.input[1]
        for _ in range(3):
            quantized = graph.producer[quantized].input[0]
        bias = graph.producer[quantized].input[0]
        end = graph.consumers[end.output[0]][0]
    scaled = graph.consumers[end.output[0]][0]
    scales = graph.producer[scaled.input[1]].input
    if (end.op_type, scaled.op_type) != ("Cast", "Mul") or (bias and bias not in graph.constants):
        raise UnknownGraph(f"unknown nodes after {node.name}")

    zero = graph.array(node.input[3]).astype(np.int16)
    matrix = weights.transpose(2, 1, 0).reshape(n_taps * n_in, n_out).astype(np.int16)
    if is_signed:  # the same differences, moved into the range of int8
        matrix, zero = (matrix - 128).astype(np.int8), (zero - 128).astype(np.int8)
    else:
        matrix, zero = matrix.astype(np.uint8), zero.astype(np.uint8)
    name = node.name
    rows = _rows(
        graph, node, n_in, n_taps, attributes["strides"][0], attributes["dilations"][0],
        attributes["pads"][0],
    )  # fmt: skip
    product = graph.add(
        "MatMulIntegerToFloat",
        [
            rows, graph.constant(f"{name} matrix", np.ascontiguousarray(matrix)),
            *scales, node.input[2], graph.constant(f"{name} zero", zero), bias,
        ],
        f"{name} product",
    )  # fmt: skip
    graph.add("Transpose", [product], scaled.output[0], perm=[0, 2, 1])


def _rows(
    graph: _Graph,
    node: onnx.NodeProto,
    n_in: int,
    n_taps: int,
    stride: int,
    dilation: int,
    pad: int,
) -> str:
    """What each step of the output sees, as a row: (1, n_steps, n_taps * n_in) bytes."""
    name = node.name
    rows = graph.add("Transpose", [node.input[0]], f"{name} steps first", perm=[0, 2, 1])
    if n_taps == 1 and stride == 1:
        return rows
    if pad:
        pads = graph.constant(f"pads {pad}", np.array([0, pad, 0, 0, pad, 0], np.int64))
        rows = graph.add("Pad", [rows, pads, node.input[2]], f"{name} padded")
    span = dilation * (n_taps - 1)
    n_steps = graph.add("Shape", [rows], f"{name} shape", start=1, end=2)
    n_steps = graph.add("Squeeze", [n_steps], f"{name} length")
    last = graph.constant(f"span {span}", np.array(span, np.int64))
    end = graph.add("Sub", [n_steps, last], f"{name} end")
    zero = graph.constant("zero", np.array(0, np.int64))
    step = graph.constant(f"stride {stride}", np.array(stride, np.int64))
    starts = graph.add("Range", [zero, end, step], f"{name} starts")
    axis = graph.constant("axis 1", np.array([1], np.int64))
    starts = graph.add("Unsqueeze", [starts, axis], f"{name} column")
    offsets = np.arange(n_taps, dtype=np.int64)[None, :] * dilation
    taps = graph.constant(f"taps {n_taps} {dilation}", offsets)
    indices = graph.add("Add", [starts, taps], f"{name} indices")
    rows = graph.add("Gather", [rows, indices], f"{name} gathered", axis=1)
    width = n_taps * n_in
    shape = graph.constant(f"rows of {width}", np.array([1, -1, width], np.int64))
    return graph.add("Reshape", [rows, shape], f"{name} rows")


def _weigh_statistics(graph: _Graph) -> None:
    """Mean and variance over time become weighted ones."""
    for node in graph.of_kind("ReduceMean"):
        if node.name.startswith("/decoder/"):
            weights = WEIGHTS[_steps_per_frame(node.name)]
            graph.add("MatMul", [node.input[0], weights], node.output[0])


def _steps_per_frame(name: str) -> int:
    generator, _, block = name.partition("/generator/")
    if not block:
        return 2 if "/decode.3/norm2/" in generator else 1
    kind, number = block.split("/")[0].split(".")
    is_late = int(number) >= 1 if kind == "noise_res" else int(number) >= 3
    return 120 if is_late else 20


def multiplies_signed_exactly() -> bool:
    """Whether this processor multiplies unsigned by signed bytes without saturating.

    AVX2 without VNNI adds two products in 16 bits, which clips large ones.
    Source: onnxruntime documentation, "Quantize ONNX models", on U8S8.
    """
    import onnxruntime

    n_terms = 64
    matrix = numpy_helper.from_array(np.full((n_terms, 16), 127, np.int8), "matrix")
    graph = helper.make_graph(
        [helper.make_node("MatMulInteger", ["rows", "matrix"], ["sums"])],
        "probe",
        [helper.make_tensor_value_info("rows", onnx.TensorProto.UINT8, [4, n_terms])],
        [helper.make_tensor_value_info("sums", onnx.TensorProto.INT32, [4, 16])],
        [matrix],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    sums = session.run(None, {"rows": np.full((4, n_terms), 255, np.uint8)})[0]
    return bool((sums == 255 * 127 * n_terms).all())
