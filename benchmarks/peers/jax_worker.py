"""JAX, every workload under jit: jax_worker.py <threads>. The number of threads is that of the cores the process may run on."""
import sys

import jax
import jax.numpy as jnp

import references
import serve

# A call that is waited for at once gains nothing from being dispatched to another thread.
jax.config.update("jax_cpu_enable_async_dispatch", False)


def plain(f):
    """`f` of all inputs, as one program."""
    def make(workload, inputs):
        args = [jnp.asarray(a) for a in inputs.values()]
        g = jax.jit(f)
        last = []

        def call():
            last[:] = [jax.block_until_ready(g(*args))]
        return serve.Task(call, lambda: jax.tree.leaves(last[0]))
    return make


def stateful(step, first, count):
    """`step(state, *rest) -> (state, other results)`; inputs first .. first + count are the state, whose memory is given to the next one."""
    def make(workload, inputs):
        args = list(inputs.values())
        start, rest = args[first:first + count], [jnp.asarray(a) for a in args[:first] + args[first + count:]]
        g = jax.jit(step, donate_argnums=0)
        now = []

        def reset():
            now[:] = [[jnp.array(a) for a in start], ()]

        def call():
            now[:] = jax.block_until_ready(g(now[0], *rest))
        reset()
        return serve.Task(call, lambda: jax.tree.leaves((now[1], now[0])), reset)
    return make


def training(loss_of, count):
    def step(parameters, *data):
        loss, gradients = jax.value_and_grad(lambda p: loss_of(*data, *p))(parameters)
        return [p - references.learning_rate * g for p, g in zip(parameters, gradients)], loss
    return stateful(step, 2, count)


def gelu_of(a, x, b):
    return jax.nn.gelu(a * x + b, approximate=True)


def pulled_back(f):
    """f(*args), and its derivatives along the last argument."""
    def both(*args):
        y, back = jax.vjp(f, *args[:-1])
        return y, back(args[-1])
    return both


def norm(x, gamma, beta):
    centred = x - x.mean(-1, keepdims=True)
    return centred * jax.lax.rsqrt((centred * centred).mean(-1, keepdims=True) + references.epsilon) * gamma + beta


def cross_entropy(x, labels):
    return (jax.nn.logsumexp(x, -1) - jnp.take_along_axis(x, labels[:, None], -1)[:, 0]).mean()


def policy(x, w1, b1, w2, b2, w3, b3):
    return jnp.tanh(jnp.tanh(x @ w1 + b1) @ w2 + b2) @ w3 + b3


def mlp_loss(x, labels, w1, b1, w2, b2, w3, b3):
    return cross_entropy(jax.nn.relu(jax.nn.relu(x @ w1 + b1) @ w2 + b2) @ w3 + b3, labels)


def lstm(xs, w, u, bias):
    width = u.shape[0]
    inputs = xs @ w + bias

    def cell(state, x):
        h, c = state
        i, f, g, o = jnp.split(x + h @ u, 4)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        h = jax.nn.sigmoid(o) * jnp.tanh(c)
        return (h, c), h
    return jax.lax.scan(cell, (jnp.zeros(width), jnp.zeros(width)), inputs)[1]


def block(x, gamma1, beta1, wqkv, bqkv, wo, bo, gamma2, beta2, w1, b1, w2, b2):
    batch, time, width = x.shape
    qkv = norm(x, gamma1, beta1) @ wqkv + bqkv
    q, k, v = (t.reshape(batch, time, references.heads, -1) for t in jnp.split(qkv, 3, -1))
    h = x + jax.nn.dot_product_attention(q, k, v).reshape(x.shape) @ wo + bo
    return h + jax.nn.gelu(norm(h, gamma2, beta2) @ w1 + b1, approximate=True) @ w2 + b2


def conv_loss(x, labels, k1, c1, k2, c2, w, b):
    convolve = lambda x, k: jax.lax.conv_general_dilated(x, k, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC"))
    pool = lambda x: jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
    h = pool(jax.nn.relu(convolve(x, k1) + c1))
    h = pool(jax.nn.relu(convolve(h, k2) + c2))
    return cross_entropy(h.reshape(x.shape[0], -1) @ w + b, labels)


def adamw_step(state, g):
    p, m, v, t = state
    o = references.adamw_options
    t = t + 1
    m = o["beta1"] * m + (1 - o["beta1"]) * g
    v = o["beta2"] * v + (1 - o["beta2"]) * g * g
    step = o["learning_rate"] / (1 - o["beta1"]**t) * m / (jnp.sqrt(v / (1 - o["beta2"]**t)) + o["epsilon"])
    return [p * (1 - o["learning_rate"] * o["weight_decay"]) - step, m, v, t], ()


def adamw(workload, inputs):
    state = {"p": inputs["p"], "m": inputs["m"], "v": inputs["v"], "t": jnp.float32(references.adamw_options["steps_before"]), "g": inputs["g"]}
    task = stateful(adamw_step, 0, 4)(workload, state)
    return serve.Task(task.call, lambda: task.results()[:3], task.reset)


makers = {
    "copy": plain(lambda x: jnp.copy(x)),
    "triad": plain(lambda b, c: b + 3 * c),
    "gelu_chain": plain(gelu_of),
    "gelu_gradient": plain(jax.grad(lambda *args: gelu_of(*args).sum(), (0, 1, 2))),
    "softmax": plain(lambda x: jax.nn.softmax(x, -1)),
    "softmax_gradient": plain(pulled_back(lambda x: jax.nn.softmax(x, -1))),
    "layer_norm": plain(norm),
    "layer_norm_gradient": plain(pulled_back(norm)),
    "cross_entropy": plain(cross_entropy),
    "cross_entropy_gradient": plain(jax.value_and_grad(cross_entropy)),
    "sum_over_rows": plain(lambda x: x.sum(0)),
    "sum_over_columns": plain(lambda x: x.sum(1)),
    "sum_all": plain(lambda x: x.sum()),
    "matmul": plain(jnp.matmul),
    "dense": plain(lambda x, w, b: jax.nn.relu(x @ w + b)),
    "policy": plain(policy),
    "mlp_step": training(mlp_loss, 6),
    "lstm": plain(lstm),
    "transformer": plain(block),
    "transformer_step": training(lambda x, target, *p: jnp.square(block(x, *p) - target).mean(), 12),
    "conv_step": training(conv_loss, 6),
    "logistic_hessian": plain(jax.hessian(lambda w, x, sign: jax.nn.softplus(-sign * (x @ w)).mean())),
    "mlp_jacobian": plain(jax.jacrev(lambda x, w1, b1, w2, b2: jnp.tanh(x @ w1 + b1) @ w2 + b2)),
    "adamw": adamw,
}
serve.serve("JAX", jax.__version__, makers, int(sys.argv[1]))
