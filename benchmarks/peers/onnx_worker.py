"""ONNX Runtime, inference only: onnx_worker.py <threads>. Weights are constants of the model, results have a place of their own (I/O binding)."""
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

import references
import serve

threads = int(sys.argv[1])
opset = 21


class Graph:
    """Collects nodes; every method gives the name of its result."""

    def __init__(self, inputs):
        self.nodes, self.constants, self.inputs = [], [], inputs

    def constant(self, array):
        self.constants.append(numpy_helper.from_array(np.asarray(array), f"c{len(self.constants)}"))
        return self.constants[-1].name

    def node(self, kind, *operands, outputs=1, **attributes):
        names = [f"n{len(self.nodes)}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(kind, list(operands), names, **attributes))
        return names[0] if outputs == 1 else names

    def dense(self, x, w, b):
        return self.node("Gemm", x, self.constant(w), self.constant(b))

    def last_dense(self, x, w, b):
        """For more than two axes, where Gemm is not defined."""
        return self.node("Add", self.node("MatMul", x, self.constant(w)), self.constant(b))

    def norm(self, x, gamma, beta):
        return self.node("LayerNormalization", x, self.constant(gamma), self.constant(beta), axis=-1, epsilon=references.epsilon)


def session(build, inputs, fed):
    """`build(graph, names, inputs)` gives the name of the result; the inputs in `fed` are those of a call."""
    graph = Graph(inputs)
    result = build(graph, {name: name for name in fed}, inputs)
    kinds = {np.dtype(np.float32): TensorProto.FLOAT, np.dtype(np.int32): TensorProto.INT32}
    feeds = [helper.make_tensor_value_info(name, kinds[inputs[name].dtype], inputs[name].shape) for name in fed]
    made = helper.make_graph(graph.nodes, "workload", feeds, [helper.make_tensor_value_info(result, TensorProto.FLOAT, None)], graph.constants)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"]), result


def inference(build, fed):
    def make(workload, inputs):
        run, result = session(build, inputs, fed)
        binding = run.io_binding()
        values = {name: onnxruntime.OrtValue.ortvalue_from_numpy(inputs[name]) for name in fed}
        shape = run.run([result], {name: inputs[name] for name in fed})[0].shape
        out = onnxruntime.OrtValue.ortvalue_from_shape_and_type(shape, np.float32)
        for name, value in values.items():
            binding.bind_ortvalue_input(name, value)
        binding.bind_ortvalue_output(result, out)
        task = serve.Task(lambda: run.run_with_iobinding(binding), lambda: [out.numpy()])
        task.held = values
        return task
    return make


def triad(g, x, inputs):
    return g.node("Add", x["b"], g.node("Mul", x["c"], g.constant(np.float32(3))))


def gelu_chain(g, x, inputs):
    return g.node("Gelu", g.node("Add", g.node("Mul", x["a"], x["x"]), x["b"]), approximate="tanh")


def layer_norm(g, x, inputs):
    return g.norm(x["x"], inputs["gamma"], inputs["beta"])


def reduce(axes):
    def build(g, x, inputs):
        return g.node("ReduceSum", x["x"], g.constant(np.array(axes, np.int64)), keepdims=0)
    return build


def cross_entropy(g, x, inputs):
    return g.node("SoftmaxCrossEntropyLoss", x["x"], x["labels"], reduction="mean")


def policy(g, x, inputs):
    h = g.node("Tanh", g.dense(x["x"], inputs["w1"], inputs["b1"]))
    h = g.node("Tanh", g.dense(h, inputs["w2"], inputs["b2"]))
    return g.dense(h, inputs["w3"], inputs["b3"])


def lstm(g, x, inputs):
    # Its gates are in the order input, output, forget, candidate.
    width = inputs["u"].shape[0]
    order = np.concatenate([np.arange(width) + gate * width for gate in (0, 3, 1, 2)])
    pack = lambda w: g.constant(np.ascontiguousarray(w.T[order])[None])
    bias = g.constant(np.concatenate([inputs["bias"][order], np.zeros(4 * width, np.float32)])[None])
    sequence = g.node("Unsqueeze", x["xs"], g.constant(np.array([1], np.int64)))
    hs = g.node("LSTM", sequence, pack(inputs["w"]), pack(inputs["u"]), bias, hidden_size=width)
    return g.node("Squeeze", hs, g.constant(np.array([1, 2], np.int64)))


def transformer(g, x, inputs):
    batch, time, width = inputs["x"].shape
    heads = references.heads
    apart = g.constant(np.array([batch, time, heads, width // heads], np.int64))
    all_three = g.last_dense(g.norm(x["x"], inputs["gamma1"], inputs["beta1"]), inputs["wqkv"], inputs["bqkv"])
    q, k, v = g.node("Split", all_three, axis=-1, num_outputs=3, outputs=3)
    q, v = (g.node("Transpose", g.node("Reshape", t, apart), perm=[0, 2, 1, 3]) for t in (q, v))
    k = g.node("Transpose", g.node("Reshape", k, apart), perm=[0, 2, 3, 1])
    scores = g.node("Mul", g.node("MatMul", q, k), g.constant(np.float32((width // heads)**-0.5)))
    joined = g.node("Transpose", g.node("MatMul", g.node("Softmax", scores, axis=-1), v), perm=[0, 2, 1, 3])
    joined = g.node("Reshape", joined, g.constant(np.array([batch, time, width], np.int64)))
    h = g.node("Add", x["x"], g.last_dense(joined, inputs["wo"], inputs["bo"]))
    up = g.node("Gelu", g.last_dense(g.norm(h, inputs["gamma2"], inputs["beta2"]), inputs["w1"], inputs["b1"]), approximate="tanh")
    return g.node("Add", h, g.last_dense(up, inputs["w2"], inputs["b2"]))


makers = {
    "copy": inference(lambda g, x, inputs: g.node("Identity", x["x"]), ["x"]),
    "triad": inference(triad, ["b", "c"]),
    "gelu_chain": inference(gelu_chain, ["a", "x", "b"]),
    "softmax": inference(lambda g, x, inputs: g.node("Softmax", x["x"], axis=-1), ["x"]),
    "layer_norm": inference(layer_norm, ["x"]),
    "cross_entropy": inference(cross_entropy, ["x", "labels"]),
    "sum_over_rows": inference(reduce([0]), ["x"]),
    "sum_over_columns": inference(reduce([1]), ["x"]),
    "sum_all": inference(reduce([0, 1]), ["x"]),
    "matmul": inference(lambda g, x, inputs: g.node("MatMul", x["a"], x["b"]), ["a", "b"]),
    "dense": inference(lambda g, x, inputs: g.node("Relu", g.dense(x["x"], inputs["w"], inputs["b"])), ["x"]),
    "policy": inference(policy, ["x"]),
    "lstm": inference(lstm, ["xs"]),
    "transformer": inference(transformer, ["x"]),
}
serve.serve("ONNX Runtime", onnxruntime.__version__, makers, threads)
