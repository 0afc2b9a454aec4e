"""A small GPT-style transformer: forward pass in JAX for training, and the same computation as an ONNX graph.

Layer norm before each block, learned positions, no biases in the projections, output layer tied to the embedding. The
graph is written node by node, so that the file holds nothing but the operators and weights that are meant.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 17
# What a masked score gets. Finite, so that a row in which everything is masked gives no NaN.
MASKED = -1e9


@dataclass(frozen=True)
class Shape:
    """Sizes of the network."""

    vocabulary: int
    context: int = 512
    width: int = 64
    heads: int = 4
    layers: int = 2

    @property
    def head(self) -> int:
        """Width of one head."""
        return self.width // self.heads


def initial(shape: Shape, seed: int) -> dict[str, np.ndarray]:
    """Random weights by name; those that write into the residual stream are smaller the more layers there are."""
    random = np.random.default_rng(seed)
    width, residual = shape.width, 0.02 / np.sqrt(2 * shape.layers)
    weights = {
        "token": random.normal(0, 0.02, (shape.vocabulary, width)),
        "position": random.normal(0, 0.02, (shape.context, width)),
    }
    for layer in range(shape.layers):
        weights |= {
            f"{layer}.qkv": random.normal(0, 1 / np.sqrt(width), (width, 3 * width)),
            f"{layer}.out": random.normal(0, residual, (width, width)),
            f"{layer}.up": random.normal(0, 1 / np.sqrt(width), (width, 4 * width)),
            f"{layer}.down": random.normal(0, residual, (4 * width, width)),
        }
    for norm in [f"{layer}.{place}" for layer in range(shape.layers) for place in ("norm1", "norm2")] + ["norm"]:
        weights |= {f"{norm}.scale": np.ones(width), f"{norm}.bias": np.zeros(width)}
    return {name: value.astype(np.float32) for name, value in weights.items()}


def normalize(weights: dict, name: str, x: jax.Array) -> jax.Array:
    """Layer norm over the last axis."""
    centred = x - x.mean(-1, keepdims=True)
    deviation = jnp.sqrt(jnp.square(centred).mean(-1, keepdims=True) + 1e-5)
    return centred / deviation * weights[f"{name}.scale"] + weights[f"{name}.bias"]


def forward(weights: dict, shape: Shape, ids: jax.Array, mask: jax.Array, dropout: float = 0.0, key=None) -> jax.Array:
    """Logits [batch, sequence, vocabulary]; `dropout` only in training, with its `key`."""
    keys = iter(jax.random.split(key, 1 + 2 * shape.layers)) if dropout else None

    batch, length = ids.shape

    def drop(x: jax.Array) -> jax.Array:
        # The same for all positions of a text, which is cheaper and does as well.
        return x * jax.random.bernoulli(next(keys), 1 - dropout, (batch, 1, shape.width)) / (1 - dropout) if dropout else x

    # Positions count what is not masked, so that padding on either side changes nothing.
    positions = jnp.maximum(jnp.cumsum(mask, 1) - 1, 0)
    x = drop(weights["token"][ids] + weights["position"][positions])
    causal = jnp.arange(length)[None, :] <= jnp.arange(length)[:, None]
    bias = jnp.where(causal & (mask > 0)[:, None, None, :], 0.0, MASKED)
    for layer in range(shape.layers):
        inner = normalize(weights, f"{layer}.norm1", x) @ weights[f"{layer}.qkv"]
        q, k, v = (
            part.reshape(batch, length, shape.heads, shape.head).transpose(0, 2, 1, 3)
            for part in jnp.split(inner, 3, axis=-1)
        )
        attention = jax.nn.softmax(q @ k.swapaxes(2, 3) * shape.head**-0.5 + bias, axis=-1)
        mixed = (attention @ v).transpose(0, 2, 1, 3).reshape(batch, length, shape.width)
        x = x + drop(mixed @ weights[f"{layer}.out"])
        inner = normalize(weights, f"{layer}.norm2", x) @ weights[f"{layer}.up"]
        x = x + drop(jax.nn.gelu(inner, approximate=False) @ weights[f"{layer}.down"])
    return normalize(weights, "norm", x) @ weights["token"].T


class Graph:
    """Collects nodes and constants; each node is named after its output."""

    def __init__(self, weights: dict[str, np.ndarray]) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants = {name: np.asarray(value, np.float32) for name, value in weights.items()}

    def constant(self, value) -> str:
        """Name of a constant; Python integers become int64, as shapes and axes need."""
        array = np.asarray(value)
        array = array.astype(np.float32 if array.dtype.kind == "f" else np.int64)
        name = f"constant.{array.dtype}.{'x'.join(map(str, array.flatten()))}.{array.ndim}"
        self.constants[name] = array
        return name

    def add(self, operator: str, *inputs, outputs: list[str] | None = None, **attributes):
        """Adds a node; inputs that are no names are constants. Gives the name of its output, or all if they are named."""
        names = [value if isinstance(value, str) else self.constant(value) for value in inputs]
        made = outputs or [f"{operator.lower()}.{len(self.nodes)}"]
        self.nodes.append(helper.make_node(operator, names, made, name=made[0], **attributes))
        return made if len(made) > 1 else made[0]

    def norm(self, name: str, x: str) -> str:
        """Layer norm with the weights of that name."""
        return self.add("LayerNormalization", x, f"{name}.scale", f"{name}.bias", axis=-1, epsilon=1e-5)


def attention_bias(graph: Graph) -> str:
    """0 where a position may look, `MASKED` where it is later or padding: [batch, 1, sequence, sequence]."""
    length = graph.add("Gather", graph.add("Shape", "input_ids"), 1)
    places = graph.add("Range", 0, length, 1)
    rows, columns = (graph.add("Unsqueeze", places, [axis]) for axis in (1, 0))
    causal = graph.add("LessOrEqual", columns, rows)
    real = graph.add("Unsqueeze", graph.add("Greater", "attention_mask", 0), [1, 2])
    return graph.add("Where", graph.add("And", causal, real), 0.0, MASKED)


def to_onnx(weights: dict[str, np.ndarray], shape: Shape, name: str) -> onnx.ModelProto:
    """The model as ONNX: `input_ids` and `attention_mask` to `logits`, batch and sequence of any size."""
    graph = Graph(weights)
    add = graph.add
    counted = add("Sub", add("CumSum", "attention_mask", 1), 1)
    positions = add("Gather", "position", add("Max", counted, 0))
    x = add("Add", add("Gather", "token", "input_ids"), positions)
    bias = attention_bias(graph)
    for layer in range(shape.layers):
        inner = add("MatMul", graph.norm(f"{layer}.norm1", x), f"{layer}.qkv")
        parts = add("Split", inner, [shape.width] * 3, axis=-1, outputs=[f"{layer}.{part}" for part in "qkv"])
        q, k, v = (
            add("Transpose", add("Reshape", part, [0, 0, shape.heads, shape.head]), perm=perm)
            for part, perm in zip(parts, ([0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3]))
        )
        scores = add("Add", add("Mul", add("MatMul", q, k), shape.head**-0.5), bias)
        mixed = add("MatMul", add("Softmax", scores, axis=-1), v)
        joined = add("Reshape", add("Transpose", mixed, perm=[0, 2, 1, 3]), [0, 0, shape.width])
        x = add("Add", x, add("MatMul", joined, f"{layer}.out"))
        inner = add("MatMul", graph.norm(f"{layer}.norm2", x), f"{layer}.up")
        # GELU by its definition, since opset 17 has no operator for it.
        share = add("Mul", add("Add", add("Erf", add("Mul", inner, 2.0**-0.5)), 1.0), 0.5)
        x = add("Add", x, add("MatMul", add("Mul", inner, share), f"{layer}.down"))
    add("MatMul", graph.norm("norm", x), add("Transpose", "token", perm=[1, 0]), outputs=["logits"])

    sizes = ["batch_size", "sequence_length"]
    inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, sizes) for name in ("input_ids", "attention_mask")]
    output = helper.make_tensor_value_info("logits", TensorProto.FLOAT, [*sizes, shape.vocabulary])
    constants = [numpy_helper.from_array(value, name) for name, value in graph.constants.items()]
    body = helper.make_graph(graph.nodes, name, inputs, [output], constants)
    model = helper.make_model(body, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8, producer_name="assay")
    onnx.checker.check_model(model, full_check=True)
    return model
