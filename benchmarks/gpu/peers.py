"""The workloads of gpu_bench on PyTorch (eager and compiled), JAX and CuPy, where they are installed, as JSON: {name: {peer: seconds}}. Medians over 20 calls, by the GPU's events (JAX: by the clock of the host, which waits
for the last call).

usage: peers.py OUT.json [--only TEXT]

Every workload has gpu_bench's name. Arrays are made on the GPU before the clock starts; each peer runs a few calls first, which compile what it compiles.
"""

import json
import statistics
import sys

results = {}
only = sys.argv[sys.argv.index("--only") + 1] if "--only" in sys.argv else ""


def keep(name, peer, seconds):
    results.setdefault(name, {})[peer] = seconds
    print(f"{name:50} {peer:16} {seconds * 1e6:10.1f} us", flush=True)


def guarded(name, peer, run):
    if only in name:
        try:
            keep(name, peer, run())
        except Exception as error:  # a peer that cannot do one workload still does the others
            print(f"{name:50} {peer:16} {type(error).__name__}: {str(error).splitlines()[0][:100]}", flush=True)


def with_torch():
    import torch
    import torch.nn.functional as F

    torch.manual_seed(1)
    device = "cuda"
    calls, repetitions = 20, 9

    def seconds(f):
        for _ in range(5):
            f()
        times = []
        for _ in range(repetitions):
            begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
            begin.record()
            for _ in range(calls):
                f()
            end.record()
            end.synchronize()
            times.append(begin.elapsed_time(end) * 1e-3 / calls)
        return statistics.median(times)

    def both(name, f, *args):
        guarded(name, "torch", lambda: seconds(lambda: f(*args)))
        # Without dynamic shapes: what is compiled for the second size would otherwise be for any size.
        torch._dynamo.reset()
        guarded(name, "torch.compile", lambda: seconds(lambda g=torch.compile(f, dynamic=False): g(*args)))

    for n in (1 << 20, 1 << 26):
        a, b, c = (torch.randn(n, device=device) for _ in range(3))
        y = torch.empty_like(a)
        guarded(f"copy/{n}", "torch", lambda: seconds(lambda: y.copy_(a)))
        both(f"scale/{n}", lambda a: a * 2.0, a)
        both(f"chain/{n}", lambda a, b, c: torch.tanh(a * b + c), a, b, c)
        both(f"sum/{n}", lambda a: a.sum(), a)

        def chain_gradient(a, b, c):
            with torch.enable_grad():
                x = [v.detach().requires_grad_() for v in (a, b, c)]
                return torch.autograd.grad(torch.tanh(x[0] * x[1] + x[2]).sum(), x)

        both(f"chain gradient/{n}", chain_gradient, a, b, c)
        del a, b, c, y
    for rows, columns in ((8192, 1024), (8192, 4096), (512, 32768)):
        size = f"/{rows}x{columns}"
        x, g = torch.randn(rows, columns, device=device), torch.randn(rows, columns, device=device)
        gamma, beta = torch.randn(columns, device=device), torch.randn(columns, device=device)
        labels = torch.randint(0, columns, (rows,), device=device)
        both("softmax" + size, lambda x: torch.softmax(x, -1), x)
        both("layer norm" + size, lambda x, s, t: F.layer_norm(x, (columns,), s, t), x, gamma, beta)

        def norm_gradient(x, s, t, g):
            with torch.enable_grad():
                v = [u.detach().requires_grad_() for u in (x, s, t)]
                return torch.autograd.grad((F.layer_norm(v[0], (columns,), v[1], v[2]) * g).sum(), v)

        both("layer norm gradient" + size, norm_gradient, x, gamma, beta, g)

        def entropy_gradient(x, labels):
            with torch.enable_grad():
                v = x.detach().requires_grad_()
                loss = F.cross_entropy(v, labels)
                return loss, torch.autograd.grad(loss, v)

        both("cross entropy and gradient" + size, entropy_gradient, x, labels)
        both("sum of columns" + size, lambda x: x.sum(0), x)
        both("sum of rows" + size, lambda x: x.sum(1), x)
    w = torch.randn(4096, 4096, device=device, requires_grad=True)
    w.grad = torch.randn_like(w)
    optimizer = torch.optim.AdamW([w], lr=1e-3, fused=True)
    guarded("adamw/16777216", "torch", lambda: seconds(optimizer.step))

    def products(kind, m, k, n):
        torch.backends.cuda.matmul.allow_tf32 = kind == "tf32"
        dtype = torch.bfloat16 if kind == "bfloat16" else torch.float32
        a, b, bias = torch.randn(m, k, device=device, dtype=dtype), torch.randn(k, n, device=device, dtype=dtype), torch.randn(n, device=device, dtype=dtype)
        both(f"product {kind}/{m}x{k}x{n}", lambda a, b: a @ b, a, b)
        both(f"layer {kind}/{m}x{k}x{n}", lambda a, b, c: torch.relu(a @ b + c), a, b, bias)

    for n in (256, 1024, 4096):
        for kind in ("float32", "tf32", "bfloat16"):
            products(kind, n, n, n)
    products("bfloat16", 8192, 8192, 8192)
    products("bfloat16", 8192, 64, 8192)
    products("tf32", 256, 784, 256)
    products("tf32", 784, 65536, 256)
    products("bfloat16", 256, 65536, 16)

    def attention(kind, length, causal):
        torch.backends.cuda.matmul.allow_tf32 = False
        dtype = torch.bfloat16 if kind == "bfloat16" else torch.float32
        q, k, v, g = (torch.randn(1, 96, length, 64, device=device, dtype=dtype) for _ in range(4))
        name, size = ("causal attention " if causal else "attention ") + kind, f"/96x{length}x64"
        both(name + size, lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=causal), q, k, v)

        def gradient(q, k, v, g):
            with torch.enable_grad():
                x = [u.detach().requires_grad_() for u in (q, k, v)]
                return torch.autograd.grad((F.scaled_dot_product_attention(*x, is_causal=causal) * g).sum(), x)

        both(name + " gradient" + size, gradient, q, k, v, g)

    attention("float32", 1024, False)
    attention("float32", 1024, True)
    attention("bfloat16", 4096, True)

    class Block(torch.nn.Module):
        def __init__(self, width=128, heads=4):
            super().__init__()
            self.heads = heads
            self.norm1, self.norm2 = torch.nn.LayerNorm(width), torch.nn.LayerNorm(width)
            self.qkv, self.out = torch.nn.Linear(width, 3 * width), torch.nn.Linear(width, width)
            self.up, self.down = torch.nn.Linear(width, 4 * width), torch.nn.Linear(4 * width, width)

        def forward(self, x):
            n, t, w = x.shape
            q, k, v = (u.view(n, t, self.heads, w // self.heads).transpose(1, 2) for u in self.qkv(self.norm1(x)).split(w, -1))
            h = x + self.out(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(n, t, w))
            return h + self.down(F.gelu(self.up(self.norm2(h)), approximate="tanh"))

    classifier = lambda: torch.nn.Sequential(torch.nn.Linear(784, 256), torch.nn.ReLU(), torch.nn.Linear(256, 128), torch.nn.ReLU(), torch.nn.Linear(128, 10))
    data = {
        "classifier step/256": (classifier, torch.randn(256, 784, device=device), torch.randint(0, 10, (256,), device=device), F.cross_entropy),
        "transformer block step/8x64x128": (Block, torch.randn(8, 64, 128, device=device), torch.randn(8, 64, 128, device=device), F.mse_loss),
    }
    for kind in (" float32", " tf32, graph"):
        torch.backends.cuda.matmul.allow_tf32 = "tf32" in kind
        for name, (make, x, wanted, loss) in data.items():
            for peer, options in (("torch", None), ("torch.compile", {}), ("torch.compile, graph", {"mode": "reduce-overhead"})):
                model = make().to(device)
                torch._dynamo.reset()
                run = model if options is None else torch.compile(model, dynamic=False, **options)
                optimizer = torch.optim.SGD(model.parameters(), lr=0.05, foreach=True)

                def step():
                    optimizer.zero_grad(set_to_none=True)
                    loss(run(x), wanted).backward()
                    optimizer.step()

                guarded(name + kind, peer, lambda: seconds(step))


def with_jax():
    import time

    import jax
    import jax.numpy as jnp

    def seconds(f, *args, calls=20, repetitions=9):
        g = jax.jit(f)
        jax.block_until_ready(g(*args))
        times = []
        for _ in range(repetitions):
            begin = time.perf_counter()
            for _ in range(calls):
                y = g(*args)
            jax.block_until_ready(y)
            times.append((time.perf_counter() - begin) / calls)
        return statistics.median(times)

    def add(name, f, *args):
        guarded(name, "jax", lambda: seconds(f, *args))

    keys = jax.random.split(jax.random.key(1), 4)
    for n in (1 << 20, 1 << 26):
        a, b, c = (jax.random.normal(k, (n,)) for k in keys[:3])
        add(f"scale/{n}", lambda a: a * 2.0, a)
        add(f"chain/{n}", lambda a, b, c: jnp.tanh(a * b + c), a, b, c)
        add(f"sum/{n}", jnp.sum, a)
        add(f"chain gradient/{n}", jax.grad(lambda a, b, c: jnp.tanh(a * b + c).sum(), (0, 1, 2)), a, b, c)
        del a, b, c

    def normalize(x, s, t):
        return (x - x.mean(-1, keepdims=True)) * jax.lax.rsqrt(x.var(-1, keepdims=True) + 1e-5) * s + t

    def entropy(x, labels):
        return -jnp.take_along_axis(jax.nn.log_softmax(x), labels[:, None], 1).mean()

    for rows, columns in ((8192, 1024), (8192, 4096), (512, 32768)):
        size = f"/{rows}x{columns}"
        x, g = jax.random.normal(keys[0], (rows, columns)), jax.random.normal(keys[1], (rows, columns))
        s, t = jax.random.normal(keys[2], (columns,)), jax.random.normal(keys[3], (columns,))
        labels = jax.random.randint(keys[0], (rows,), 0, columns)
        add("softmax" + size, jax.nn.softmax, x)
        add("layer norm" + size, normalize, x, s, t)
        add("layer norm gradient" + size, jax.grad(lambda x, s, t, g: (normalize(x, s, t) * g).sum(), (0, 1, 2)), x, s, t, g)
        add("cross entropy and gradient" + size, jax.value_and_grad(entropy), x, labels)
        add("sum of columns" + size, lambda x: x.sum(0), x)
        add("sum of rows" + size, lambda x: x.sum(1), x)
    for n in (256, 1024, 4096):
        for kind, precision, dtype in (("float32", "highest", jnp.float32), ("tf32", "default", jnp.float32), ("bfloat16", "default", jnp.bfloat16)):
            a, b, c = jax.random.normal(keys[0], (n, n), dtype), jax.random.normal(keys[1], (n, n), dtype), jax.random.normal(keys[2], (n,), dtype)
            add(f"product {kind}/{n}x{n}x{n}", lambda a, b, p=precision: jnp.matmul(a, b, precision=p), a, b)
            add(f"layer {kind}/{n}x{n}x{n}", lambda a, b, c, p=precision: jax.nn.relu(jnp.matmul(a, b, precision=p) + c), a, b, c)
    for kind, dtype, length, causal in (("float32", jnp.float32, 1024, False), ("float32", jnp.float32, 1024, True), ("bfloat16", jnp.bfloat16, 4096, True)):
        # [batch, length, heads, width]
        q, k, v, g = (jax.random.normal(key, (1, length, 96, 64), dtype) for key in keys)
        name, size = ("causal attention " if causal else "attention ") + kind, f"/96x{length}x64"

        def attend(q, k, v, causal=causal):
            with jax.default_matmul_precision("highest"):
                return jax.nn.dot_product_attention(q, k, v, is_causal=causal)

        add(name + size, attend, q, k, v)
        add(name + " gradient" + size, jax.grad(lambda q, k, v, g, attend=attend: (attend(q, k, v) * g).sum(), (0, 1, 2)), q, k, v, g)


def with_cupy():
    import cupy

    def seconds(f, *args, calls=20, repetitions=9):
        for _ in range(5):
            f(*args)
        times = []
        for _ in range(repetitions):
            begin, end = cupy.cuda.Event(), cupy.cuda.Event()
            begin.record()
            for _ in range(calls):
                f(*args)
            end.record()
            end.synchronize()
            times.append(cupy.cuda.get_elapsed_time(begin, end) * 1e-3 / calls)
        return statistics.median(times)

    def add(name, f, *args):
        guarded(name, "cupy", lambda: seconds(f, *args))

    for n in (1 << 20, 1 << 26):
        a, b, c = (cupy.random.standard_normal(n, dtype=cupy.float32) for _ in range(3))
        add(f"scale/{n}", lambda a: a * cupy.float32(2), a)
        add(f"chain/{n}", cupy.fuse(lambda a, b, c: cupy.tanh(a * b + c)), a, b, c)
        add(f"sum/{n}", cupy.sum, a)


for name, run in (("PyTorch", with_torch), ("JAX", with_jax), ("CuPy", with_cupy)):
    try:
        run()
    except ImportError as error:
        print(f"{name} is left out: {error}")
with open(sys.argv[1], "w") as out:
    json.dump(results, out, indent=1, sort_keys=True)
