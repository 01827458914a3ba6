"""The table of workloads: inputs with their shapes, the reference, what must be computed and moved at least.

flops count multiplications and additions of the arithmetic that cannot be avoided, a transcendental function as one; bytes are those of inputs and results, each
once. Inputs are uniform between two bounds; labels are integers. `dispatch` marks workloads that are so small that for libraries called from Python the way into
the library, not the work, is what is measured.
"""
import dataclasses
import math
import zlib

import numpy as np

import references


@dataclasses.dataclass(frozen=True)
class Input:
    name: str
    shape: tuple
    low: float = -1.0
    high: float = 1.0
    dtype: type = np.float32

    @property
    def size(self):
        return math.prod(self.shape)


@dataclasses.dataclass(frozen=True)
class Workload:
    name: str
    title: str
    family: str
    kind: str
    sizes: tuple
    inputs: tuple
    reference: callable
    flops: float
    bytes: float
    tolerance: float = 2e-5
    dispatch: bool = False
    latencies: bool = False

    def make_inputs(self):
        generator = np.random.default_rng(zlib.crc32(self.name.encode()))
        make = lambda i: generator.integers(int(i.low), int(i.high), i.shape, np.int32) if i.dtype is np.int32 else generator.uniform(i.low, i.high, i.shape).astype(np.float32)
        return {i.name: make(i) for i in self.inputs}

    def expected(self, inputs):
        return self.reference(*(inputs[i.name].astype(np.float64) if i.dtype is np.float32 else inputs[i.name] for i in self.inputs))


table = []


def add(kind, sizes, title, family, inputs, flops, results=(), reference=None, **more):
    name = kind + ("-" + "x".join(map(str, sizes)) if sizes else "")
    moved = 4.0 * (sum(i.size for i in inputs) + sum(math.prod(shape) for shape in results))
    table.append(Workload(name, title, family, kind, tuple(sizes), tuple(inputs), reference or getattr(references, kind), float(flops), moved, **more))


def short(n):
    for unit, scale in (("Mi", 1 << 20), ("Ki", 1 << 10)):
        if n % scale == 0:
            return f"{n // scale} {unit}"
    return str(n)


for n in (4 << 10, 64 << 10, 1 << 20, 16 << 20):
    line = lambda *names: [Input(name, (n,)) for name in names]
    add("copy", (n,), f"copy, {short(n)} floats", "elementwise", line("x"), 0, [(n,)], dispatch=n < 10000)
    add("triad", (n,), f"triad b + 3 c, {short(n)} floats", "elementwise", line("b", "c"), 2 * n, [(n,)], dispatch=n < 10000)
    chain = [Input("a", (n,), -2, 2), Input("x", (n,), -2, 2), Input("b", (n,))]
    add("gelu_chain", (n,), f"GELU of a x + b, {short(n)} floats", "elementwise", chain, 11 * n, [(n,)], dispatch=n < 10000)
    add("gelu_gradient", (n,), f"GELU gradient (of the sum of GELU of a x + b), {short(n)} floats", "elementwise", chain, 22 * n, [(n,)] * 3, dispatch=n < 10000)

for columns in (64, 256, 1024, 8192):
    rows = (256 << 10) // columns
    shape, n = (rows, columns), rows * columns
    where = f"{rows} x {columns}"
    x, g, labels = Input("x", shape, -4, 4), Input("g", shape), Input("labels", (rows,), 0, columns, np.int32)
    affine = [Input("gamma", (columns,), 0.5, 1.5), Input("beta", (columns,))]
    add("softmax", shape, f"softmax, {where}", "rows", [x], 4 * n, [shape])
    add("softmax_gradient", shape, f"softmax forward and backward, {where}", "rows", [x, g], 8 * n, [shape] * 2)
    add("layer_norm", shape, f"layer norm, {where}", "rows", [x, *affine], 8 * n, [shape])
    add("layer_norm_gradient", shape, f"layer norm forward and backward, {where}", "rows", [x, *affine, g], 20 * n, [shape] * 2 + [(columns,)] * 2)
    add("cross_entropy", shape, f"cross-entropy, {where}", "rows", [x, labels], 4 * n)
    add("cross_entropy_gradient", shape, f"cross-entropy forward and backward, {where}", "rows", [x, labels], 6 * n, [shape])

square = [Input("x", (1024, 1024))]
add("sum_over_rows", (1024, 1024), "sum over the rows of 1024 x 1024", "reductions", square, 1 << 20, [(1024,)])
add("sum_over_columns", (1024, 1024), "sum over the columns of 1024 x 1024", "reductions", square, 1 << 20, [(1024,)])
add("sum_all", (1024, 1024), "sum of 1024 x 1024", "reductions", square, 1 << 20)

for m, n, k in [(n, n, n) for n in (2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048)] + [(1, 256, 256), (256, 10, 256), (32, 256, 784), (32, 784, 256)]:
    add("matmul", (m, n, k), f"matmul, {m} x {n} x {k} (m x n x k)", "matmul", [Input("a", (m, k)), Input("b", (k, n))], 2 * m * n * k, [(m, n)], dispatch=m * n * k < 1 << 18)
for m, n, k in [(256, 256, 256), (32, 256, 784)]:
    add("dense", (m, n, k), f"relu of matmul and bias, {m} x {n} x {k} (m x n x k)", "matmul", [Input("x", (m, k)), Input("w", (k, n)), Input("b", (n,))], 2 * m * n * k, [(m, n)])


def layers(*widths):
    for i, (a, b) in enumerate(zip(widths, widths[1:]), 1):
        yield Input(f"w{i}", (a, b), -1 / math.sqrt(a), 1 / math.sqrt(a))
        yield Input(f"b{i}", (b,), -1 / math.sqrt(a), 1 / math.sqrt(a))


def weights_of(inputs):
    return sum(i.size for i in inputs if len(i.shape) == 2)


for batch in (1, 64):
    inputs = [Input("x", (batch, 48)), *layers(48, 256, 128, 12)]
    add("policy", (batch,), f"policy MLP (48-256-128-12), inference at batch {batch}", "networks", inputs, 2 * batch * weights_of(inputs[1:]), [(batch, 12)], dispatch=batch == 1, latencies=batch == 1)
for batch in (32, 256):
    inputs = [Input("x", (batch, 784), 0, 1), Input("labels", (batch,), 0, 10, np.int32), *layers(784, 256, 128, 10)]
    add("mlp_step", (batch,), f"MLP (784-256-128-10), training step at batch {batch}", "networks", inputs, 2 * batch * (3 * weights_of(inputs[2:]) - 784 * 256), [i.shape for i in inputs[2:]])
bound = 1 / 8
lstm = [Input("xs", (128, 64)), Input("w", (64, 256), -bound, bound), Input("u", (64, 256), -bound, bound), Input("bias", (256,), -bound, bound)]
add("lstm", (128, 64), "LSTM of width 64, 128 steps", "networks", lstm, 128 * (2 * 128 * 256 + 64 * 9), [(128, 64)])

batch, time, width, wide = 8, 64, 128, 512
matrix = lambda name, a, b: [Input("w" + name, (a, b), -1 / math.sqrt(a), 1 / math.sqrt(a)), Input("b" + name, (b,), -0.1, 0.1)]
norm = lambda i: [Input(f"gamma{i}", (width,), 0.5, 1.5), Input(f"beta{i}", (width,), -0.5, 0.5)]
block = [*norm(1), *matrix("qkv", width, 3 * width), *matrix("o", width, width), *norm(2), *matrix("1", width, wide), *matrix("2", wide, width)]
tokens = (batch, time, width)
block_flops = 2 * batch * time * (weights_of(block) + 2 * time * width)
add("transformer", tokens, "transformer block (d = 128, 4 heads, 64 tokens, batch 8)", "networks", [Input("x", tokens), *block], block_flops, [tokens])
add("transformer_step", tokens, "transformer block (the same), training step", "networks", [Input("x", tokens), Input("target", tokens), *block], 3 * block_flops, [i.shape for i in block])

# Declared before every worker can do it: what cannot is left out by its worker.
filters = [Input("k1", (3, 3, 1, 8), -1 / 3, 1 / 3), Input("c1", (8,), -1 / 3, 1 / 3), Input("k2", (3, 3, 8, 16), -0.1, 0.1), Input("c2", (16,), -0.1, 0.1)]
picture = [Input("x", (32, 28, 28, 1), 0, 1), Input("labels", (32,), 0, 10, np.int32), *filters, Input("w", (5 * 5 * 16, 10), -0.05, 0.05), Input("b", (10,), -0.05, 0.05)]
conv_flops = 2 * 32 * (26 * 26 * 72 + 11 * 11 * 72 * 16 + 4000)
add("conv_step", (32,), "conv net (28 x 28; 3 x 3 x 8, pool, 3 x 3 x 16, pool, dense 10), training step at batch 32", "networks", picture, 3 * conv_flops, [i.shape for i in picture[2:]])

add("logistic_hessian", (256, 32), "Hessian of logistic regression (32 parameters, 256 samples)", "derivatives",
    [Input("w", (32,)), Input("x", (256, 32)), Input("sign", (256,), -1, 1)], 2 * 256 * 32 * 33, [(32, 32)], dispatch=True)
add("mlp_jacobian", (32,), "Jacobian of an MLP 32-64-32", "derivatives", [Input("x", (32,)), *layers(32, 64, 32)], 2 * 32 * 64 * 33, [(32, 32)], dispatch=True)
n = 1 << 20
add("adamw", (n,), "AdamW update of 1 Mi parameters", "derivatives", [Input("p", (n,)), Input("g", (n,), -0.1, 0.1), Input("m", (n,), -0.1, 0.1), Input("v", (n,), 1e-4, 1e-2)], 14 * n, [(n,)] * 3)

by_name = {workload.name: workload for workload in table}
families = list(dict.fromkeys(workload.family for workload in table))
