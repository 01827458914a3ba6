"""PyTorch, eager or through torch.compile: torch_worker.py <threads> <eager|compile>."""
import sys
import types

import torch
import torch.nn.functional as F

import references
import serve

threads, mode = int(sys.argv[1]), sys.argv[2]
torch.set_num_threads(threads)


def made(f):
    """Compiled programs belong to a function's code, and are searched for one that fits: each workload has a copy of its own."""
    if mode == "eager":
        return f
    alone = types.FunctionType(f.__code__.replace(), f.__globals__, f.__name__, f.__defaults__, f.__closure__)
    return torch.compile(alone, fullgraph=True, dynamic=False)


def tensors(inputs):
    return {name: torch.from_numpy(array.copy()) for name, array in inputs.items()}


def values(results):
    return [r.detach().numpy() for r in results]


def forward(f, **options):
    """Of a function without derivatives."""
    def make(workload, inputs):
        args = list(tensors(inputs).values())
        g = made(f)
        last = []

        def call():
            with torch.inference_mode():
                last[:] = [g(*args)]
        return serve.Task(call, lambda: values(last))
    return make


def into(f):
    """Eager functions with a place for their result."""
    def make(workload, inputs):
        if mode == "compile":
            raise NotImplementedError("nothing to compile")
        args = list(tensors(inputs).values())
        out = torch.empty_like(f(*args))
        def call():
            with torch.inference_mode():
                f(*args, out=out)
        return serve.Task(call, lambda: values([out]))
    return make


def derivative(f, of, cotangent=None, keep_value=True):
    """The value and the derivatives by the named inputs, or those pulled back from a cotangent."""
    def make(workload, inputs):
        t = tensors(inputs)
        g = t.pop(cotangent) if cotangent else None
        by = [t[name].requires_grad_() for name in of]
        args = list(t.values())
        run = made(f)
        last = []

        def call():
            y = run(*args)
            gradients = torch.autograd.grad(y, by, g)
            last[:] = ([y] if keep_value else []) + list(gradients)
        return serve.Task(call, lambda: values(last))
    return make


def training(loss_of, count_of_data):
    """Forward, backward, and an SGD update in place of all parameters at once."""
    def make(workload, inputs):
        t = list(tensors(inputs).values())
        data, parameters = t[:count_of_data], [p.requires_grad_() for p in t[count_of_data:]]
        start = [p.detach().clone() for p in parameters]
        run = made(loss_of)
        last = []

        def reset():
            with torch.no_grad():
                torch._foreach_copy_(parameters, start)

        def call():
            loss = run(*data, *parameters)
            gradients = torch.autograd.grad(loss, parameters)
            with torch.no_grad():
                torch._foreach_add_(parameters, gradients, alpha=-references.learning_rate)
            last[:] = [loss]
        return serve.Task(call, lambda: values(last + parameters), reset)
    return make


def policy(x, w1, b1, w2, b2, w3, b3):
    return torch.addmm(b3, torch.tanh(torch.addmm(b2, torch.tanh(torch.addmm(b1, x, w1)), w2)), w3)


def mlp_loss(x, labels, w1, b1, w2, b2, w3, b3):
    return F.cross_entropy(torch.addmm(b3, torch.relu(torch.addmm(b2, torch.relu(torch.addmm(b1, x, w1)), w2)), w3), labels)


def conv_loss(x, labels, k1, c1, k2, c2, w, b):
    h = F.max_pool2d(torch.relu(F.conv2d(x.permute(0, 3, 1, 2), k1.permute(3, 2, 0, 1), c1)), 2)
    h = F.max_pool2d(torch.relu(F.conv2d(h, k2.permute(3, 2, 0, 1), c2)), 2)
    return F.cross_entropy(torch.addmm(b, h.permute(0, 2, 3, 1).reshape(x.shape[0], -1), w), labels)


def block(x, gamma1, beta1, wqkv, bqkv, wo, bo, gamma2, beta2, w1, b1, w2, b2):
    batch, time, width = x.shape
    qkv = F.layer_norm(x, (width,), gamma1, beta1) @ wqkv + bqkv
    q, k, v = (t.reshape(batch, time, references.heads, -1).transpose(1, 2) for t in qkv.split(width, -1))
    h = x + F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(batch, time, width) @ wo + bo
    return h + F.gelu(F.layer_norm(h, (width,), gamma2, beta2) @ w1 + b1, approximate="tanh") @ w2 + b2


def lstm(workload, inputs):
    if mode == "compile":
        raise NotImplementedError("torch.compile leaves nn.LSTM as it is")
    width = inputs["u"].shape[0]
    model = torch.nn.LSTM(inputs["xs"].shape[1], width)
    with torch.no_grad():
        model.weight_ih_l0.copy_(torch.from_numpy(inputs["w"].T))
        model.weight_hh_l0.copy_(torch.from_numpy(inputs["u"].T))
        model.bias_ih_l0.copy_(torch.from_numpy(inputs["bias"]))
        model.bias_hh_l0.zero_()
    xs = torch.from_numpy(inputs["xs"].copy())
    last = []

    def call():
        with torch.inference_mode():
            last[:] = [model(xs)[0]]
    return serve.Task(call, lambda: values(last))


def adamw(workload, inputs):
    """The fused implementation; the state is put where the optimizer would have it after its first steps."""
    t, o = tensors(inputs), references.adamw_options
    p = torch.nn.Parameter(t["p"].clone())
    p.grad = t["g"]
    optimizer = torch.optim.AdamW([p], lr=o["learning_rate"], betas=(o["beta1"], o["beta2"]), eps=o["epsilon"], weight_decay=o["weight_decay"], fused=True)
    state = optimizer.state[p]
    state.update(step=torch.tensor(0.0), exp_avg=t["m"].clone(), exp_avg_sq=t["v"].clone())

    def reset():
        with torch.no_grad():
            p.copy_(t["p"])
        state["step"].fill_(o["steps_before"])
        state["exp_avg"].copy_(t["m"])
        state["exp_avg_sq"].copy_(t["v"])
    step = made_step(optimizer.step)
    return serve.Task(step, lambda: values([p, state["exp_avg"], state["exp_avg_sq"]]), reset)


def made_step(step):
    if mode == "compile":
        raise NotImplementedError("the optimizer is fused without it")
    return step


def logistic_loss(w, x, sign):
    return F.softplus(-sign * (x @ w)).mean()


def small_mlp(x, w1, b1, w2, b2):
    return torch.tanh(x @ w1 + b1) @ w2 + b2


def gelu_of(a, x, b):
    return F.gelu(torch.addcmul(b, a, x), approximate="tanh")


makers = {
    "copy": into(lambda x, out=None: x.clone() if out is None else out.copy_(x)),
    "triad": forward(lambda b, c: b + 3 * c) if mode == "compile" else into(lambda b, c, out=None: torch.add(b, c, alpha=3, out=out)),
    "gelu_chain": forward(gelu_of),
    "gelu_gradient": derivative(lambda a, x, b: gelu_of(a, x, b).sum(), ["a", "x", "b"], keep_value=False),
    "softmax": forward(lambda x: torch.softmax(x, -1)),
    "softmax_gradient": derivative(lambda x: torch.softmax(x, -1), ["x"], "g"),
    "layer_norm": forward(lambda x, gamma, beta: F.layer_norm(x, gamma.shape, gamma, beta)),
    "layer_norm_gradient": derivative(lambda x, gamma, beta: F.layer_norm(x, gamma.shape, gamma, beta), ["x", "gamma", "beta"], "g"),
    "cross_entropy": forward(lambda x, labels: F.cross_entropy(x, labels)),
    "cross_entropy_gradient": derivative(lambda x, labels: F.cross_entropy(x, labels), ["x"]),
    "sum_over_rows": forward(lambda x: x.sum(0)),
    "sum_over_columns": forward(lambda x: x.sum(1)),
    "sum_all": forward(lambda x: x.sum()),
    "matmul": into(torch.mm) if mode == "eager" else forward(lambda a, b: torch.mm(a, b)),
    "dense": forward(lambda x, w, b: torch.relu(torch.addmm(b, x, w))),
    "policy": forward(policy),
    "mlp_step": training(mlp_loss, 2),
    "lstm": lstm,
    "transformer": forward(block),
    "transformer_step": training(lambda x, target, *p: F.mse_loss(block(x, *p), target), 2),
    "conv_step": training(conv_loss, 2),
    "logistic_hessian": forward(lambda *args: torch.func.hessian(logistic_loss)(*args)),
    "mlp_jacobian": forward(lambda *args: torch.func.jacrev(small_mlp)(*args)),
    "adamw": adamw,
}


def with_long_labels(make):
    """Class numbers are int64 in PyTorch: converted once, not in every call."""
    def make_it(workload, inputs):
        return make(workload, {name: array.astype("int64") if array.dtype == "int32" else array for name, array in inputs.items()})
    return make_it


serve.serve("PyTorch" if mode == "eager" else "torch.compile", torch.__version__, {kind: with_long_labels(make) for kind, make in makers.items()}, threads)
