"""Changes to an exported graph: weights stored as f16, linear layers as `MatMulNBits`."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

from .pack import BLOCK

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


def store_as_f16(model: onnx.ModelProto) -> onnx.ModelProto:
    """The backbone's matrices become f16 constants behind a cast, which the session folds when it starts.

    Quantized layers have scales under a matrix's name, so those become f16 too.
    """
    out = copy_of(model)
    casts, weights = [], []
    for weight in out.graph.initializer:
        is_matrix = weight.data_type == TensorProto.FLOAT and len(weight.dims) > 1
        if not (is_matrix and BACKBONE in weight.name):
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


def replace_gemms(model: onnx.ModelProto, product_of, weights: list) -> onnx.ModelProto:
    """A copy whose backbone has `product_of(node, output)` and `Add` where it had `Gemm`, with further weights."""
    out, replaced = copy_of(model), gemms(model)
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


def quantize_by_onnxruntime(model: onnx.ModelProto, bits: int) -> onnx.ModelProto:
    """ONNX Runtime's own weight quantizer: block 32, symmetric."""
    matmul = lambda node, output: helper.make_node("MatMul", [node.input[0], f"{node.input[1]}.T"], [output], name=node.name)
    transposed = [numpy_helper.from_array(x.T.copy(), f"{name}.T") for name, x in gemms(model).items()]
    spread = replace_gemms(model, matmul, transposed)
    quantizer = MatMulNBitsQuantizer(spread, bits=bits, block_size=BLOCK, is_symmetric=True, accuracy_level=ACCURACY_LEVEL)
    quantizer.process()
    return quantizer.model.model


def quantize_as_pack(model: onnx.ModelProto, bits: int, blocks_of) -> onnx.ModelProto:
    """`MatMulNBits` with the numbers of our own packs; `blocks_of(name)` gives quants and scales of a weight."""
    layers, weights = gemms(model), []
    for name in layers:
        quants, scales = blocks_of(name.replace("/", "."))
        weights.append(numpy_helper.from_array(words_of(quants, bits), f"{name}.words"))
        weights.append(numpy_helper.from_array(scales.astype(np.float32), f"{name}.scales"))

    def product(node, output):
        d_out, d_in = layers[node.input[1]].shape
        names = [node.input[0], f"{node.input[1]}.words", f"{node.input[1]}.scales"]
        sizes = {"K": d_in, "N": d_out, "bits": bits, "block_size": BLOCK, "accuracy_level": ACCURACY_LEVEL}
        return helper.make_node("MatMulNBits", names, [output], name=node.name, domain="com.microsoft", **sizes)

    out = replace_gemms(model, product, weights)
    if not any(entry.domain == "com.microsoft" for entry in out.opset_import):
        out.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    return out


def words_of(quants: np.ndarray, bits: int) -> np.ndarray:
    """Quants `[rows, n_blocks, 32]` around 0 as the operator stores them: unsigned, low nibble first."""
    if bits == 8:
        return (quants + 128).astype(np.uint8)
    nibbles = (quants + 8).astype(np.uint8)
    return nibbles[..., 0::2] | (nibbles[..., 1::2] << 4)
