"""Changes to an exported graph: weights stored as f16, quantized layers as ONNX Runtime's block operators."""

from collections.abc import Callable

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from .pack import BLOCK

# Quants and scales of a weight, by its name and bits.
Blocks = Callable[[str, int], tuple[np.ndarray, np.ndarray]]

# In the names of the backbone's weights; the heads stay f32, as in the pack.
BACKBONE = "model/"
# Activations as int8 inside `MatMulNBits`: ONNX Runtime's fast path.
ACCURACY_LEVEL = 4


def copy_of(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy that may be changed."""
    return onnx.ModelProto.FromString(model.SerializeToString())


def replace(model: onnx.ModelProto, nodes: list, weights: list) -> None:
    """Gives the graph other nodes and other weights."""
    del model.graph.node[:], model.graph.initializer[:]
    model.graph.node.extend(nodes)
    model.graph.initializer.extend(weights)


def store_as_f16(model: onnx.ModelProto, keeps_f32: Callable[[str], bool] = lambda name: False) -> onnx.ModelProto:
    """The backbone's matrices become f16 constants behind a cast, which the session folds when it starts.

    Quantized layers have scales under a matrix's name, so those become f16 too; `keeps_f32` names matrices to be left alone.
    """
    out = copy_of(model)
    casts, weights = [], []
    for weight in out.graph.initializer:
        is_matrix = weight.data_type == TensorProto.FLOAT and len(weight.dims) > 1
        if not (is_matrix and BACKBONE in weight.name) or keeps_f32(weight.name):
            weights.append(weight)
            continue
        half = numpy_helper.to_array(weight).astype(np.float16)
        weights.append(numpy_helper.from_array(half, f"{weight.name}.f16"))
        casts.append(helper.make_node("Cast", [f"{weight.name}.f16"], [weight.name], to=TensorProto.FLOAT))
    replace(out, casts + list(out.graph.node), weights)
    return out


def gemms(model: onnx.ModelProto) -> dict[str, np.ndarray]:
    """Weights `[d_out, d_in]` of the backbone's linear layers, by name."""
    names = {node.input[1] for node in model.graph.node if node.op_type == "Gemm"}
    return {
        weight.name: numpy_helper.to_array(weight)
        for weight in model.graph.initializer
        if weight.name in names and BACKBONE in weight.name
    }


def tables(model: onnx.ModelProto) -> dict[str, np.ndarray]:
    """The backbone's tables that rows are looked up in, by name."""
    names = {node.input[0] for node in model.graph.node if node.op_type == "Gather"}
    found = (weight for weight in model.graph.initializer if weight.name in names and BACKBONE in weight.name)
    return {weight.name: numpy_helper.to_array(weight) for weight in found if len(weight.dims) == 2}


def replace_gemms(model: onnx.ModelProto, replaced: dict, product_of, weights: list) -> onnx.ModelProto:
    """A copy with `product_of(node, output)` and `Add` for each `Gemm` with a weight of `replaced`, with further weights."""
    out = copy_of(model)
    nodes = []
    for node in out.graph.node:
        if node.op_type != "Gemm" or node.input[1] not in replaced:
            nodes.append(node)
            continue
        has_bias = len(node.input) > 2
        product = f"{node.output[0]}.product" if has_bias else node.output[0]
        nodes.append(product_of(node, product))
        if has_bias:
            nodes.append(helper.make_node("Add", [product, node.input[2]], list(node.output), name=f"{node.name}.add"))
    kept = [weight for weight in out.graph.initializer if weight.name not in replaced]
    replace(out, nodes, kept + weights)
    return out


def quantize_as_pack(model: onnx.ModelProto, bits_of: Callable[[str], int | None], blocks_of: Blocks) -> onnx.ModelProto:
    """`MatMulNBits` for the linear layers and `GatherBlockQuantized` for the tables to which `bits_of(name)` gives bits.

    `blocks_of(name, bits)` gives quants and scales, so that the graph can hold the very numbers of a pack.
    """
    layers = {name: x for name, x in gemms(model).items() if bits_of(name)}
    gathered = {name: x for name, x in tables(model).items() if bits_of(name)}
    weights, bits = [], {name: bits_of(name) for name in layers | gathered}
    for name in bits:
        quants, scales = blocks_of(name, bits[name])
        words = words_of(quants, bits[name])
        words = words.reshape(len(words), -1) if name in gathered else words
        weights.append(numpy_helper.from_array(words, f"{name}.words"))
        weights.append(numpy_helper.from_array(scales.astype(np.float32), f"{name}.scales"))

    def product(node, output):
        name = node.input[1]
        d_out, d_in = layers[name].shape
        sizes = {"K": d_in, "N": d_out, "bits": bits[name], "block_size": BLOCK, "accuracy_level": ACCURACY_LEVEL}
        inputs = [node.input[0], f"{name}.words", f"{name}.scales"]
        return helper.make_node("MatMulNBits", inputs, [output], name=node.name, domain="com.microsoft", **sizes)

    def look_up(node):
        name = node.input[0]
        inputs = [f"{name}.words", node.input[1], f"{name}.scales"]
        sizes = {"bits": bits[name], "block_size": BLOCK, "gather_axis": 0, "quantize_axis": 1}
        return helper.make_node(
            "GatherBlockQuantized", inputs, list(node.output), name=node.name, domain="com.microsoft", **sizes
        )

    out = replace_gemms(model, layers, product, weights)
    nodes = [look_up(node) if node.op_type == "Gather" and node.input[0] in gathered else node for node in out.graph.node]
    replace(out, nodes, [weight for weight in out.graph.initializer if weight.name not in gathered])
    if not any(entry.domain == "com.microsoft" for entry in out.opset_import):
        out.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    return out


def words_of(quants: np.ndarray, bits: int) -> np.ndarray:
    """Quants `[rows, n_blocks, 32]` around 0 as the operator stores them: unsigned, low nibble first."""
    if bits == 8:
        return (quants + 128).astype(np.uint8)
    nibbles = (quants + 8).astype(np.uint8)
    return nibbles[..., 0::2] | (nibbles[..., 1::2] << 4)
