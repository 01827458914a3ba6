"""TensorFlow Lite (LiteRT) with XNNPACK: tflite_worker.py <threads>. The policy MLP; the model file is put together here, because its converter needs all of TensorFlow."""
import importlib.metadata
import sys

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

import serve

threads = int(sys.argv[1])


class Model:
    """One subgraph, whose tensors are numbered in the order of their making."""

    def __init__(self):
        self.model = schema.ModelT()
        self.model.version, self.model.description = 3, "dimity benchmark"
        self.model.buffers, self.model.operatorCodes = [schema.BufferT()], []
        self.graph = schema.SubGraphT()
        self.graph.tensors, self.graph.operators = [], []
        self.model.subgraphs = [self.graph]

    def tensor(self, shape, array=None):
        t = schema.TensorT()
        t.name, t.shape, t.type = f"t{len(self.graph.tensors)}", list(shape), schema.TensorType.FLOAT32
        t.buffer = 0
        if array is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(np.ascontiguousarray(array, np.float32).tobytes(), np.uint8)
            self.model.buffers.append(buffer)
            t.buffer = len(self.model.buffers) - 1
        self.graph.tensors.append(t)
        return len(self.graph.tensors) - 1

    def operator(self, code, inputs, shape, options=None, kind=0):
        builtin = schema.OperatorCodeT()
        builtin.builtinCode = code
        builtin.deprecatedBuiltinCode = min(code, 127)
        builtin.version = 1
        self.model.operatorCodes.append(builtin)
        o = schema.OperatorT()
        o.opcodeIndex = len(self.model.operatorCodes) - 1
        out = self.tensor(shape)
        o.inputs, o.outputs = list(inputs), [out]
        o.builtinOptionsType, o.builtinOptions = kind, options
        self.graph.operators.append(o)
        return out

    def dense(self, x, w, b, batch, activation=schema.ActivationFunctionType.NONE):
        options = schema.FullyConnectedOptionsT()
        options.fusedActivationFunction = activation
        weights, bias = self.tensor(w.T.shape, w.T), self.tensor(b.shape, b)
        return self.operator(schema.BuiltinOperator.FULLY_CONNECTED, [x, weights, bias], (batch, w.shape[1]), options, schema.BuiltinOptions.FullyConnectedOptions)

    def tanh(self, x):
        return self.operator(schema.BuiltinOperator.TANH, [x], self.graph.tensors[x].shape)

    def bytes(self, inputs, outputs):
        self.graph.inputs, self.graph.outputs = inputs, outputs
        builder = flatbuffers.Builder(1 << 20)
        builder.Finish(self.model.Pack(builder), b"TFL3")
        return bytes(builder.Output())


def interpret(content, feeds):
    run = Interpreter(model_content=content, num_threads=threads)
    run.allocate_tensors()
    for detail, array in zip(run.get_input_details(), feeds):
        run.set_tensor(detail["index"], array)
    out = run.get_output_details()[0]["index"]
    return serve.Task(run.invoke, lambda: [run.get_tensor(out)])


def policy(workload, inputs):
    m, batch = Model(), inputs["x"].shape[0]
    x = m.tensor(inputs["x"].shape)
    h = m.tanh(m.dense(x, inputs["w1"], inputs["b1"], batch))
    h = m.tanh(m.dense(h, inputs["w2"], inputs["b2"], batch))
    return interpret(m.bytes([x], [m.dense(h, inputs["w3"], inputs["b3"], batch)]), [inputs["x"]])


def dense(workload, inputs):
    m, batch = Model(), inputs["x"].shape[0]
    x = m.tensor(inputs["x"].shape)
    y = m.dense(x, inputs["w"], inputs["b"], batch, schema.ActivationFunctionType.RELU)
    return interpret(m.bytes([x], [y]), [inputs["x"]])


def softmax(workload, inputs):
    m = Model()
    x = m.tensor(inputs["x"].shape)
    options = schema.SoftmaxOptionsT()
    options.beta = 1.0
    return interpret(m.bytes([x], [m.operator(schema.BuiltinOperator.SOFTMAX, [x], inputs["x"].shape, options, schema.BuiltinOptions.SoftmaxOptions)]), [inputs["x"]])


serve.serve("TFLite", importlib.metadata.version("ai-edge-litert"), {"policy": policy, "dense": dense, "softmax": softmax}, threads)
