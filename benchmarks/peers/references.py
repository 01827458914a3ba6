"""What every workload must give, in float64 NumPy: derivatives by hand, so that no peer is measured by another one's automatic ones."""
import numpy as np


def gelu(z):
    return 0.5 * z * (1 + np.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z**3)))


def gelu_slope(z):
    t = np.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z**3))
    return 0.5 * (1 + t) + 0.5 * z * (1 - t * t) * np.sqrt(2 / np.pi) * (1 + 3 * 0.044715 * z * z)


def copy(x):
    return [x]


def triad(b, c):
    return [b + 3 * c]


def gelu_chain(a, x, b):
    return [gelu(a * x + b)]


def gelu_gradient(a, x, b):
    slope = gelu_slope(a * x + b)
    return [slope * x, slope * a, slope]


def soft(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def softmax(x):
    return [soft(x)]


def softmax_gradient(x, g):
    y = soft(x)
    return [y, y * (g - (g * y).sum(-1, keepdims=True))]


epsilon = 1e-5


def normalize(x):
    centred = x - x.mean(-1, keepdims=True)
    scale = 1 / np.sqrt((centred**2).mean(-1, keepdims=True) + epsilon)
    return centred * scale, scale


def normalize_back(unit, scale, d):
    return scale * (d - d.mean(-1, keepdims=True) - unit * (d * unit).mean(-1, keepdims=True))


def layer_norm(x, gamma, beta):
    return [normalize(x)[0] * gamma + beta]


def layer_norm_gradient(x, gamma, beta, g):
    unit, scale = normalize(x)
    return [unit * gamma + beta, normalize_back(unit, scale, g * gamma), (g * unit).sum(0), g.sum(0)]


def losses(x, labels):
    top = x.max(-1)
    return np.log(np.exp(x - top[:, None]).sum(-1)) + top - x[np.arange(len(x)), labels]


def cross_entropy(x, labels):
    return [losses(x, labels).mean()]


def cross_entropy_gradient(x, labels):
    d = soft(x)
    d[np.arange(len(x)), labels] -= 1
    return [losses(x, labels).mean(), d / len(x)]


def sum_over_rows(x):
    return [x.sum(0)]


def sum_over_columns(x):
    return [x.sum(1)]


def sum_all(x):
    return [x.sum()]


def matmul(a, b):
    return [a @ b]


def dense(x, w, b):
    return [np.maximum(x @ w + b, 0)]


def policy(x, w1, b1, w2, b2, w3, b3):
    return [np.tanh(np.tanh(x @ w1 + b1) @ w2 + b2) @ w3 + b3]


learning_rate = 0.05


def mlp_step(x, labels, w1, b1, w2, b2, w3, b3):
    h1 = np.maximum(x @ w1 + b1, 0)
    h2 = np.maximum(h1 @ w2 + b2, 0)
    loss, d3 = cross_entropy_gradient(h2 @ w3 + b3, labels)
    d2 = (d3 @ w3.T) * (h2 > 0)
    d1 = (d2 @ w2.T) * (h1 > 0)
    gradients = [x.T @ d1, d1.sum(0), h1.T @ d2, d2.sum(0), h2.T @ d3, d3.sum(0)]
    return [loss] + [p - learning_rate * g for p, g in zip((w1, b1, w2, b2, w3, b3), gradients)]


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm(xs, w, u, bias):
    """Gates in the order input, forget, candidate, output."""
    h = c = np.zeros(u.shape[0])
    hs = []
    for x in xs:
        i, f, g, o = np.split(x @ w + h @ u + bias, 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        hs.append(h)
    return [np.array(hs)]


heads = 4


def block_forward(x, p):
    """y, and what the backward pass needs."""
    gamma1, beta1, wqkv, bqkv, wo, bo, gamma2, beta2, w1, b1, w2, b2 = p
    batch, time, width = x.shape
    unit1, scale1 = normalize(x)
    n1 = unit1 * gamma1 + beta1
    q, k, v = (t.reshape(batch, time, heads, -1).transpose(0, 2, 1, 3) for t in np.split(n1 @ wqkv + bqkv, 3, axis=-1))
    a = soft(q @ k.transpose(0, 1, 3, 2) / np.sqrt(width // heads))
    joined = (a @ v).transpose(0, 2, 1, 3).reshape(x.shape)
    h = x + joined @ wo + bo
    unit2, scale2 = normalize(h)
    n2 = unit2 * gamma2 + beta2
    z = n2 @ w1 + b1
    act = gelu(z)
    return h + act @ w2 + b2, (unit1, scale1, n1, q, k, v, a, joined, unit2, scale2, n2, z, act)


def transformer(x, *p):
    return [block_forward(x, p)[0]]


def transformer_step(x, target, *p):
    gamma1, beta1, wqkv, bqkv, wo, bo, gamma2, beta2, w1, b1, w2, b2 = p
    y, (unit1, scale1, n1, q, k, v, a, joined, unit2, scale2, n2, z, act) = block_forward(x, p)
    flat = lambda t: t.reshape(-1, t.shape[-1])
    weight = lambda inputs, d: flat(inputs).T @ flat(d)
    total = lambda d: flat(d).sum(0)

    dy = 2 * (y - target) / y.size
    dz = (dy @ w2.T) * gelu_slope(z)
    dn2 = dz @ w1.T
    dh = dy + normalize_back(unit2, scale2, dn2 * gamma2)
    split = lambda t: t.reshape(x.shape[0], x.shape[1], heads, -1).transpose(0, 2, 1, 3)
    join = lambda t: t.transpose(0, 2, 1, 3).reshape(x.shape)
    dv_heads = split(dh @ wo.T)
    dv = a.transpose(0, 1, 3, 2) @ dv_heads
    da = dv_heads @ v.transpose(0, 1, 3, 2)
    ds = a * (da - (da * a).sum(-1, keepdims=True)) / np.sqrt(q.shape[-1])
    dqkv = np.concatenate([join(ds @ k), join(ds.transpose(0, 1, 3, 2) @ q), join(dv)], -1)
    dn1 = dqkv @ wqkv.T
    gradients = [total(dn1 * unit1), total(dn1), weight(n1, dqkv), total(dqkv), weight(joined, dh), total(dh), total(dn2 * unit2), total(dn2), weight(n2, dz), total(dz), weight(act, dy), total(dy)]
    return [((y - target)**2).mean()] + [w - learning_rate * g for w, g in zip(p, gradients)]


def logistic_hessian(w, x, sign):
    s = sigmoid(sign * (x @ w))
    return [(x * (sign**2 * s * (1 - s))[:, None]).T @ x / len(x)]


def mlp_jacobian(x, w1, b1, w2, b2):
    h = np.tanh(x @ w1 + b1)
    return [(w1 * (1 - h * h) @ w2).T]


adamw_options = {"learning_rate": 1e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weight_decay": 0.01, "steps_before": 9}


def adamw(p, g, m, v):
    o = adamw_options
    t = o["steps_before"] + 1
    m = o["beta1"] * m + (1 - o["beta1"]) * g
    v = o["beta2"] * v + (1 - o["beta2"]) * g * g
    step = o["learning_rate"] * (m / (1 - o["beta1"]**t)) / (np.sqrt(v / (1 - o["beta2"]**t)) + o["epsilon"])
    return [p * (1 - o["learning_rate"] * o["weight_decay"]) - step, m, v]


def patches(x):
    """[batch, rows, columns, channels] -> [batch, rows - 2, columns - 2, 3, 3, channels]"""
    return np.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(1, 2)).transpose(0, 1, 2, 4, 5, 3)


def convolve(x, k):
    return np.tensordot(patches(x), k, 3)


def convolve_back(x, k, d):
    """Of the input, and of the filters."""
    dk = np.tensordot(patches(x), d, ((0, 1, 2), (0, 1, 2)))
    padded = np.pad(d, ((0, 0), (2, 2), (2, 2), (0, 0)))
    return convolve(padded, k[::-1, ::-1].transpose(0, 1, 3, 2)), dk


def pool(x):
    """Maximum of 2 x 2; what is left over at the end is dropped."""
    batch, rows, columns, channels = x.shape
    x = x[:, :rows // 2 * 2, :columns // 2 * 2]
    return x.reshape(batch, rows // 2, 2, columns // 2, 2, channels).max((2, 4))


def pool_back(x, y, d):
    dx = np.zeros_like(x)
    rows, columns = 2 * y.shape[1], 2 * y.shape[2]
    up = lambda t: t.repeat(2, 1).repeat(2, 2)
    dx[:, :rows, :columns] = up(d) * (x[:, :rows, :columns] == up(y))
    return dx


def conv_step(x, labels, k1, c1, k2, c2, w, b):
    z1 = convolve(x, k1) + c1
    p1 = pool(z1)
    h1 = np.maximum(p1, 0)
    z2 = convolve(h1, k2) + c2
    p2 = pool(z2)
    h2 = np.maximum(p2, 0).reshape(len(x), -1)
    loss, d = cross_entropy_gradient(h2 @ w + b, labels)
    d2 = pool_back(z2, p2, (d @ w.T).reshape(p2.shape) * (p2 > 0))
    dh1, dk2 = convolve_back(h1, k2, d2)
    d1 = pool_back(z1, p1, dh1 * (p1 > 0))
    gradients = [convolve_back(x, k1, d1)[1], d1.sum((0, 1, 2)), dk2, d2.sum((0, 1, 2)), h2.T @ d, d.sum(0)]
    return [loss] + [p - learning_rate * g for p, g in zip((k1, c1, k2, c2, w, b), gradients)]
