#!/usr/bin/env python3
"""Writes the golden files beside it: what NumPy gives, and what mpmath gives where NumPy has no such function or rounds less well.

Run once by hand with NumPy 2.4.6, mpmath 1.4.1 and ml_dtypes 0.6.0 (pip install numpy==2.4.6 mpmath==1.4.1 ml_dtypes==0.6.0); the files are committed, CI never regenerates them.

A file is "DIMITYG1" and records: u8 length of the name, name, u8 dtype (the number of dimity::dtype), u8 rank, u32 extents, elements; little endian.
"""
import itertools
import pathlib
import struct

import ml_dtypes
import mpmath
import numpy as np

HERE = pathlib.Path(__file__).parent
DTYPES = ["bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64"]
INTEGERS = DTYPES[1:9]
FLOATS = DTYPES[9:]
SHORT = {"float32": "f32", "float64": "f64"}
np.seterr(all="ignore")
mpmath.mp.prec = 1300  # enough to reduce the largest double modulo pi


class Golden:
    def __init__(self, name):
        self.path, self.records, self.names = HERE / (name + ".bin"), [], set()

    def add(self, name, value):
        value = np.asarray(value, order="C")
        assert name not in self.names, name
        self.names.add(name)
        head = struct.pack("B", len(name)) + name.encode() + struct.pack("BB", DTYPES.index(value.dtype.name), value.ndim)
        self.records.append(head + struct.pack(f"<{value.ndim}I", *value.shape) + value.tobytes())

    def write(self):
        self.path.write_bytes(b"DIMITYG1" + b"".join(self.records))
        print(self.path.name, self.path.stat().st_size)


# ---- elementwise functions

COUNT = 149  # nine vectors of 16 floats and an odd tail


def to_float(exact, dtype):
    """The nearest float: mpmath rounds to float64, and float32 is near enough from there."""
    if isinstance(exact, mpmath.mpc):
        return np.nan
    with np.errstate(all="ignore"):
        return np.dtype(dtype).type(float(exact))


def edges(dtype):
    info = np.finfo(dtype)
    return [0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, info.max, -info.max, info.tiny, -info.tiny, info.smallest_subnormal, -info.smallest_subnormal,
            info.tiny / 2, 0.5, -0.5, 2.0, -2.0, 1.5, 2.5, -2.5, 3.5, 1e-20, -1e-20, 1e10, -1e10, 1 - info.epsneg, 1 + info.eps, -1 + info.epsneg]


def operand(dtype, low, high, extra=(), seed=0):
    rng = np.random.default_rng(seed)
    head = edges(dtype) + list(extra)
    n = COUNT - len(head)
    linear = rng.uniform(low, high, n - n // 3)
    top = max(abs(low), abs(high))
    logarithmic = np.exp(rng.uniform(np.log(1e-6), np.log(top), n // 3)) * (rng.choice([-1, 1], n // 3) if low < 0 else 1)
    return np.array(head + list(linear) + list(logarithmic)).astype(dtype)


def sigmoid(x):
    return 1 / (1 + mpmath.exp(-x))


def softplus(x):
    return (x if x > 0 else 0) + mpmath.log1p(mpmath.exp(-abs(x)))


def gelu(x):
    return x * mpmath.erfc(-x / mpmath.sqrt(2)) / 2


def gelu_tanh(x):
    return x * (1 + mpmath.tanh(mpmath.sqrt(2 / mpmath.pi) * (x + mpmath.mpf("0.044715") * x**3))) / 2


def real_only(f, inside):
    return lambda x: f(x) if inside(x) else mpmath.mpf("nan")


INF, NAN = np.inf, np.nan
EXP_EXTRA = {"float32": [88.0, 88.5, 88.7, 88.72, 88.73, -87.3, -88, -100, -103.5, -104.5],
             "float64": [709.0, 709.5, 709.78, 709.79, -708.3, -709, -740, -745, -746]}
EXP2_EXTRA = {"float32": [126, 127, 127.9, 128, -126, -127, -130.5, -149, -150], "float64": [1022, 1023, 1023.9, 1024, -1022, -1023, -1040.5, -1074, -1075]}
BIG = [1e5, 1e9, 1e15, 1e22, -12345.678, np.pi, np.pi / 2]
# name: (range, exact function, value at inf, at -inf, at nan where it is not nan, additional operands)
UNARY = {
    "exp": ((-80, 80), mpmath.exp, INF, 0.0, EXP_EXTRA),
    "exp2": ((-120, 120), lambda x: mpmath.power(2, x), INF, 0.0, EXP2_EXTRA),
    "expm1": ((-40, 80), mpmath.expm1, INF, -1.0, EXP_EXTRA),
    "log": ((0, 1000), real_only(mpmath.log, lambda x: x > 0), INF, NAN, {}),
    "log2": ((0, 1000), real_only(lambda x: mpmath.log(x, 2), lambda x: x > 0), INF, NAN, {}),
    "log10": ((0, 1000), real_only(lambda x: mpmath.log(x, 10), lambda x: x > 0), INF, NAN, {}),
    "log1p": ((-1, 100), real_only(mpmath.log1p, lambda x: x > -1), INF, NAN, {}),
    "sqrt": ((0, 1000), real_only(mpmath.sqrt, lambda x: x >= 0), INF, NAN, {}),
    "rsqrt": ((0, 1000), real_only(lambda x: 1 / mpmath.sqrt(x), lambda x: x > 0), 0.0, NAN, {}),
    "cbrt": ((-1000, 1000), lambda x: mpmath.sign(x) * mpmath.cbrt(abs(x)), INF, -INF, {}),
    "sin": ((-100, 100), mpmath.sin, NAN, NAN, BIG),
    "cos": ((-100, 100), mpmath.cos, NAN, NAN, BIG),
    "tan": ((-100, 100), mpmath.tan, NAN, NAN, BIG),
    "asin": ((-1, 1), real_only(mpmath.asin, lambda x: abs(x) <= 1), NAN, NAN, {}),
    "acos": ((-1, 1), real_only(mpmath.acos, lambda x: abs(x) <= 1), NAN, NAN, {}),
    "atan": ((-10, 10), mpmath.atan, np.pi / 2, -np.pi / 2, {}),
    "sinh": ((-20, 20), mpmath.sinh, INF, -INF, {"float32": [88.8, 89.4, 89.5], "float64": [710.4, 710.5]}),
    "cosh": ((-20, 20), mpmath.cosh, INF, INF, {"float32": [88.8, 89.4, 89.5], "float64": [710.4, 710.5]}),
    "tanh": ((-10, 10), mpmath.tanh, 1.0, -1.0, {}),
    "asinh": ((-100, 100), mpmath.asinh, INF, -INF, {}),
    "acosh": ((1, 100), real_only(mpmath.acosh, lambda x: x >= 1), INF, NAN, {}),
    "atanh": ((-1, 1), real_only(mpmath.atanh, lambda x: abs(x) < 1), NAN, NAN, {}),
    "erf": ((-4, 4), mpmath.erf, 1.0, -1.0, {}),
    "erfc": ((-4, 9), mpmath.erfc, 0.0, 2.0, {"float32": [9.2, 10.0, 10.1], "float64": [20.0, 26.5, 27.2]}),
    "sigmoid": ((-30, 80), sigmoid, 1.0, 0.0, {}),
    "softplus": ((-80, 80), softplus, INF, 0.0, {}),
    "gelu": ((-6, 6), gelu, INF, None, {}),
    "gelu_tanh": ((-6, 6), gelu_tanh, INF, None, {}),
    "silu": ((-30, 30), lambda x: x * sigmoid(x), INF, None, {}),
}
ODD = {"expm1", "log1p", "sqrt", "cbrt", "sin", "tan", "asin", "atan", "sinh", "tanh", "asinh", "atanh", "erf", "gelu", "gelu_tanh", "silu"}  # -0 stays -0
AT_ZERO = {"log": -INF, "log2": -INF, "log10": -INF}


def unary_value(name, f, x, at_inf, at_minus_inf, dtype):
    x = float(x)
    if np.isnan(x):
        return NAN
    if np.isposinf(x):
        return at_inf
    if np.isneginf(x):
        return at_minus_inf
    if x == 0 and name in AT_ZERO:
        return AT_ZERO[name]
    if x == 0 and name == "rsqrt":
        return np.copysign(INF, x)
    if x == 0 and name in ODD:
        return x
    if x == -1 and name == "log1p":
        return -INF
    if abs(x) == 1 and name == "atanh":
        return np.copysign(INF, x)
    if abs(x) > 1e5:  # the argument would make mpmath build numbers of that many digits
        if name in ("exp", "exp2", "expm1", "sinh", "cosh", "tanh", "erf", "erfc", "sigmoid", "softplus", "gelu", "gelu_tanh", "silu"):
            near = {"softplus": max(x, 0.0), "gelu": max(x, -0.0), "gelu_tanh": max(x, -0.0), "silu": max(x, -0.0)}
            return near.get(name, at_inf if x > 0 else at_minus_inf)
    return to_float(f(mpmath.mpf(x)), dtype)


NUMPY_NAME = {"asin": "arcsin", "acos": "arccos", "atan": "arctan", "asinh": "arcsinh", "acosh": "arccosh", "atanh": "arctanh"}


def elementwise():
    out = Golden("elementwise")
    for dtype in FLOATS:
        for seed, (name, (bounds, f, at_inf, at_minus_inf, extra)) in enumerate(UNARY.items()):
            x = operand(dtype, *bounds, extra=extra.get(dtype, ()) if isinstance(extra, dict) else extra, seed=seed)
            if at_minus_inf is None:  # x * (..) is inf * 0 there
                x[np.isneginf(x)] = -1
            y = np.array([unary_value(name, f, v, at_inf, at_minus_inf, dtype) for v in x], dtype=dtype)
            theirs = getattr(np, NUMPY_NAME.get(name, name), None)
            if theirs is not None:  # the two references must agree in everything but rounding
                z = theirs(x)
                same = (np.isnan(y) & np.isnan(z)) | (y == z) | (np.abs(y - z) <= 8 * np.abs(np.spacing(y)))
                assert same.all() and (np.signbit(y) == np.signbit(z))[y == 0].all(), (name, dtype, x[~same], y[~same], z[~same])
            out.add(f"{name}/{SHORT[dtype]}/x", x)
            out.add(f"{name}/{SHORT[dtype]}", y)
        x = operand(dtype, -100, 100, [4503599627370497.0, 8388609.0, -0.49999997], 99)
        out.add(f"plain/{SHORT[dtype]}/x", x)
        for name, y in {"negative": -x, "abs": np.abs(x), "sign": np.sign(x), "square": np.square(x), "relu": np.maximum(x, 0), "floor": np.floor(x), "ceil": np.ceil(x),
                        "round": np.round(x), "trunc": np.trunc(x), "isnan": np.isnan(x), "isinf": np.isinf(x), "isfinite": np.isfinite(x),
                        "logical_not": np.logical_not(x), "clip": np.clip(x, -1, 50)}.items():
            out.add(f"{name}/{SHORT[dtype]}", y)

        # Every edge against every edge, and ordinary pairs.
        e = np.array([0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 2.0, -3.0, 0.5, 100.25])
        rng = np.random.default_rng(7)
        a = np.concatenate([np.repeat(e, 11), rng.uniform(-20, 20, COUNT - 121)]).astype(dtype)
        b = np.concatenate([np.tile(e, 11), rng.uniform(-4, 4, COUNT - 121)]).astype(dtype)
        out.add(f"pair/{SHORT[dtype]}/a", a)
        out.add(f"pair/{SHORT[dtype]}/b", b)
        for name, f in {"add": np.add, "subtract": np.subtract, "multiply": np.multiply, "divide": np.divide, "remainder": np.remainder, "floor_divide": np.floor_divide,
                        "pow": np.power, "atan2": np.arctan2, "hypot": np.hypot, "maximum": np.maximum, "minimum": np.minimum, "logaddexp": np.logaddexp, "less": np.less,
                        "less_equal": np.less_equal, "greater": np.greater, "greater_equal": np.greater_equal, "equal": np.equal, "not_equal": np.not_equal,
                        "logical_and": np.logical_and, "logical_or": np.logical_or, "logical_xor": np.logical_xor}.items():
            if name in ("pow", "atan2", "hypot", "logaddexp"):  # rounded once
                y = f(a.astype("float64"), b.astype("float64")).astype(dtype)
                if dtype == "float64":
                    exact = {"pow": lambda p, q: mpmath.power(p, q), "atan2": mpmath.atan2, "hypot": mpmath.hypot,
                             "logaddexp": lambda p, q: mpmath.log(mpmath.exp(p) + mpmath.exp(q))}[name]
                    for i in range(121, COUNT):
                        if np.isfinite(y[i]):
                            y[i] = to_float(exact(mpmath.mpf(float(a[i])), mpmath.mpf(float(b[i]))), dtype)
            else:
                y = f(a, b)
            out.add(f"{name}/{SHORT[dtype]}", y)
        out.add(f"where/{SHORT[dtype]}", np.where(np.less(a, b), a, b))
    out.write()


def integers():
    out = Golden("integers")
    for dtype in INTEGERS:
        info = np.iinfo(dtype)
        e = np.array([0, 1, 2, 3, 7, 100, info.max, info.max - 1, info.min, info.min + 1, info.max // 2], dtype=dtype)
        if info.min < 0:
            e = np.concatenate([e, np.array([-1, -2, -7, -100], dtype=dtype)])
        rng = np.random.default_rng(3)
        n = len(e) ** 2
        count = 233 if info.min < 0 else 137
        a = np.concatenate([np.repeat(e, len(e)), rng.integers(-50 if info.min < 0 else 0, 100, count - n).astype(dtype)])
        b = np.concatenate([np.tile(e, len(e)), rng.integers(-9 if info.min < 0 else 0, 12, count - n).astype(dtype)])
        out.add(f"{dtype}/a", a)
        out.add(f"{dtype}/b", b)
        for name, f in {"add": np.add, "subtract": np.subtract, "multiply": np.multiply, "remainder": np.remainder, "floor_divide": np.floor_divide, "maximum": np.maximum,
                        "minimum": np.minimum, "less": np.less, "less_equal": np.less_equal, "equal": np.equal, "not_equal": np.not_equal, "bitwise_and": np.bitwise_and,
                        "bitwise_or": np.bitwise_or, "bitwise_xor": np.bitwise_xor, "logical_and": np.logical_and, "logical_xor": np.logical_xor}.items():
            out.add(f"{dtype}/{name}", f(a, b))
        # NumPy refuses negative exponents; the rule here: 0, except for bases 1 and -1.
        power = np.power(a, np.where(b < 0, 0, b).astype(dtype))
        below = np.where(a == 1, 1, np.where((a == -1) if info.min < 0 else False, np.where(b % 2 == 0, 1, -1), 0)).astype(dtype)
        power = np.where(b < 0, below, power)
        out.add(f"{dtype}/pow", power)
        # Shift counts below 0 count as too large ones, as NumPy's do.
        out.add(f"{dtype}/left_shift", np.left_shift(a, b))
        out.add(f"{dtype}/right_shift", np.right_shift(a, b))
        for name, y in {"negative": np.negative(a), "abs": np.abs(a), "sign": np.sign(a), "square": np.square(a), "invert": np.invert(a), "relu": np.maximum(a, 0).astype(dtype),
                        "logical_not": np.logical_not(a), "divide": np.divide(a, b)}.items():
            out.add(f"{dtype}/{name}", y)
        out.add(f"{dtype}/sqrt", np.sqrt(np.abs(a.astype("float64"))))
        out.add(f"{dtype}/to_float32", a.astype("float32"))
    a, b = np.tile(np.array([0, 0, 1, 1], dtype=bool), 5)[:19], np.tile(np.array([0, 1], dtype=bool), 10)[:19]
    out.add("bool/a", a)
    out.add("bool/b", b)
    for name, f in {"add": np.add, "multiply": np.multiply, "maximum": np.maximum, "minimum": np.minimum, "less": np.less, "less_equal": np.less_equal, "equal": np.equal,
                    "not_equal": np.not_equal, "bitwise_and": np.bitwise_and, "bitwise_or": np.bitwise_or, "bitwise_xor": np.bitwise_xor, "remainder": np.remainder,
                    "floor_divide": np.floor_divide, "pow": np.power, "divide": np.divide, "left_shift": np.left_shift}.items():
        out.add(f"bool/{name}", f(a, b))
    out.add("bool/invert", ~a)
    out.add("bool/sqrt", np.sqrt(a.astype("float64")))
    out.write()


def promotion():
    rows = []
    for a in DTYPES:
        rows.append("    {" + ", ".join(str(DTYPES.index(np.promote_types(a, b).name)) for b in DTYPES) + "},")
    divide = ", ".join(str(DTYPES.index((np.ones(1, a) / np.ones(1, a)).dtype.name)) for a in DTYPES)
    total = ", ".join(str(DTYPES.index(np.ones(1, a).sum().dtype.name)) for a in DTYPES)
    average = ", ".join(str(DTYPES.index(np.ones(1, a).mean().dtype.name)) for a in DTYPES)
    python_int = ", ".join(str(DTYPES.index((np.ones(1, a) + 1).dtype.name)) for a in DTYPES)
    (HERE / "promotion.hpp").write_text(f"""// Written by make_golden.py with NumPy {np.__version__}: numbers of dimity::dtype.
#pragma once

namespace golden {{

// np.promote_types of every pair: bool, int8 .. int64, uint8 .. uint64, float32, float64
inline constexpr int promote_types[11][11] = {{
{chr(10).join(rows)}
}};
inline constexpr int divide_type[11] = {{{divide}}};
inline constexpr int sum_type[11] = {{{total}}};
inline constexpr int mean_type[11] = {{{average}}};
inline constexpr int plus_python_int_type[11] = {{{python_int}}};

}}  // namespace golden
""")


# ---- reductions

SHAPES = {"4x5x6": (4, 5, 6), "3x1x17": (3, 1, 17), "2x3x33": (2, 3, 33)}
SUBSETS = {"0": (0,), "1": (1,), "2": (2,), "01": (0, 1), "02": (0, 2), "12": (1, 2), "012": (0, 1, 2)}


def log_sum_exp(x, axis=None, keepdims=False):
    m = np.max(x, axis=axis, keepdims=True)
    m = np.where(np.isfinite(m), m, 0)
    return np.log(np.sum(np.exp(x - m), axis=axis, keepdims=keepdims)) + (m if keepdims else np.squeeze(m, axis=axis))


def reductions():
    out = Golden("reductions")
    functions = {"sum": np.sum, "prod": np.prod, "max": np.max, "min": np.min, "any": np.any, "all": np.all, "mean": np.mean, "var": np.var, "std": np.std,
                 "norm": lambda x, axis: np.sqrt(np.sum(np.square(x), axis=axis)), "logsumexp": log_sum_exp}
    for label, shape in SHAPES.items():
        rng = np.random.default_rng(11)
        x = (rng.uniform(0.5, 1.5, shape) * rng.choice([-1, 1, 1], shape)).astype("float32")  # its values are exact as float64 too
        x.flat[3] = 0
        out.add(f"x/{label}", x)
        wide = x.astype("float64")
        for (axes, axis), (name, f) in itertools.product(SUBSETS.items(), functions.items()):
            out.add(f"{name}/{label}/{axes}", f(wide, axis=axis))
        for axes, axis in SUBSETS.items():
            lse = log_sum_exp(wide, axis, True)
            out.add(f"softmax/{label}/{axes}", np.exp(wide - lse))
            out.add(f"log_softmax/{label}/{axes}", wide - lse)
        for axis in range(3):
            for name, f in {"argmax": np.argmax, "argmin": np.argmin}.items():
                out.add(f"{name}/{label}/{axis}", f(x, axis=axis))
            out.add(f"cumulative_sum/{label}/{axis}", np.cumsum(wide, axis=axis))
            out.add(f"cumulative_prod/{label}/{axis}", np.cumprod(wide, axis=axis))
        # Few distinct values: arg-reductions must give the first.
        k = rng.integers(-3, 4, shape).astype("int32")
        out.add(f"k/{label}", k)
        for name in ("sum", "prod", "max", "min", "any", "all", "mean"):
            for axes in ("0", "1", "2", "02", "012"):
                for dtype in ("int32", "uint8", "bool"):
                    out.add(f"{name}/{label}/{axes}/{dtype}", functions[name]((np.abs(k) if dtype == "uint8" else k).astype(dtype), axis=SUBSETS[axes]))
        for axis in range(3):
            out.add(f"argmax/{label}/{axis}/int32", np.argmax(k, axis=axis))
            out.add(f"argmin/{label}/{axis}/int32", np.argmin(k, axis=axis))
            out.add(f"cumulative_sum/{label}/{axis}/uint8", np.cumsum(np.abs(k).astype("uint8"), axis=axis))
        # nan in row 0, inf in row 1, -inf in row 2, all three in the last.
        s = rng.uniform(-2, 2, (5, 21)).astype("float32")
        s[0, 4] = s[4, 7] = np.nan
        s[1, 5] = s[4, 2] = s[3, 20] = np.inf
        s[2, 6] = s[3, 1] = -np.inf
        if label == "4x5x6":
            out.add("special/x", s)
            for name in ("sum", "prod", "max", "min", "any", "all", "mean", "var", "norm", "logsumexp"):
                out.add(f"special/{name}/1", functions[name](s.astype("float64"), axis=1))
                out.add(f"special/{name}/0", functions[name](s.astype("float64"), axis=0))
            out.add("special/argmax/1", np.argmax(s, axis=1))
            out.add("special/argmin/1", np.argmin(s, axis=1))
            m = np.max(s.astype("float64"), axis=1, keepdims=True)
            e = np.exp(s - np.where(np.isfinite(m), m, 0))
            out.add("special/softmax/1", e / e.sum(axis=1, keepdims=True))
    out.write()


# ---- broadcasting, layout, creation

PAIRS = [((2, 1, 3), (4, 1)), ((1,), (5,)), ((3, 4), (4,)), ((3, 4), (3, 1)), ((3, 1), (1, 4)), ((2, 3, 4), (3, 1)), ((2, 3, 4), (1, 1, 1)), ((), (2, 3)),
         ((5, 1, 17), (5, 3, 1)), ((2, 1, 1, 3), (4, 1, 3)), ((1, 33), (7, 1)), ((0, 3), (1, 3)), ((2, 3, 1), (2, 1, 37))]


def shape_name(shape):
    return "x".join(map(str, shape)) if shape else "scalar"


def layout():
    out = Golden("layout")
    for a, b in PAIRS:
        x = (np.arange(np.prod(a, dtype=int)).reshape(a) * 3 + 1).astype("int32")
        y = (np.arange(np.prod(b, dtype=int)).reshape(b) * -5 + 2).astype("int32")
        out.add(f"broadcast/{shape_name(a)}/{shape_name(b)}", np.asarray(x * y - x, dtype="int32"))
    x = np.arange(120, dtype="int32").reshape(4, 5, 6)
    m = np.arange(35, dtype="int32").reshape(5, 7)
    q = np.arange(36, dtype="int32").reshape(6, 6)
    b = np.arange(100, 160, dtype="int32").reshape(2, 5, 6)
    out.add("x", x)
    out.add("m", m)
    values = {
        "reshape": x.reshape(10, 12), "reshape_transposed": x.T.reshape(8, 15), "flatten": x.ravel(), "transpose": x.T, "matrix_transpose": np.matrix_transpose(x),
        "swap_axes": np.swapaxes(x, 0, 1), "permute": np.transpose(x, (2, 0, 1)), "permute_twice": np.transpose(np.transpose(x, (2, 0, 1)), (1, 0, 2)),
        "expand_dims": np.expand_dims(m, (0, 2)), "squeeze": np.expand_dims(m, (0, 2))[0, :, 0, :], "broadcast_to": np.broadcast_to(m[:1], (3, 5, 7)),
        "slice": x[:, 1:4], "slice_step": x[:, :, 1:6:2], "slice_negative": x[:, ::-1], "slice_from_end": x[-3:-1], "slice_back": x[:, :, 5:0:-2], "slice_back_to_end": x[:, 3::-2],
        "slice_beyond": x[2:99], "slice_empty": x[:, 3:3], "slice_of_slice": x[:, ::-1][:, 1:4][1:3], "flip": np.flip(x, 1), "flip_two": np.flip(x, (0, 2)),
        "roll": np.roll(x, 2, 1), "roll_back": np.roll(x, -1, 2), "roll_far": np.roll(x, 13, 0), "concat": np.concatenate([x, b]), "concat_last": np.concatenate([x[:2], b], axis=2),
        "concat_three": np.concatenate([m, m[:, :2], m[:, ::-1]], axis=1), "stack": np.stack([m, m + 1]), "stack_last": np.stack([m, m * 2, m * 3], axis=-1),
        "tile": np.tile(m, (2, 3)), "tile_one": np.tile(m, 2), "tile_more": np.tile(m, (2, 1, 1)), "repeat": np.repeat(m, 3, 0), "repeat_last": np.repeat(m, 2, 1),
        "pad": np.pad(m, ((1, 2), (0, 3))), "diagonal": np.diagonal(m), "diagonal_up": np.diagonal(m, 3), "diagonal_down": np.diagonal(m, -2), "diagonal_square": np.diagonal(q),
        "tril": np.tril(m), "tril_up": np.tril(m, 2), "tril_down": np.tril(x, -1), "triu": np.triu(m), "triu_up": np.triu(x, 1), "triu_down": np.triu(m, -3),
        "pick_first": x[2], "pick_middle": x[:, -1], "pick_last": x[:, :, 3], "split_1": np.split(x, 3, 2)[1], "dynamic_slice": x[:, 2:5], "dynamic_slice_clamped": x[:, 2:5],
        "computed": (x * 2 + 1).T[::-1], "sum_of_transposed": (m + m.T[:, :5][:5].sum()).T,
        "eye": np.eye(4, dtype="int32"), "eye_up": np.eye(3, 5, 2, dtype="int32"), "eye_down": np.eye(5, 3, -1, dtype="int32"), "arange": np.arange(3, 40, 2, dtype="int32"),
        "arange_float": np.arange(0.5, 9.5, 0.25, dtype="float32"), "linspace": np.linspace(-1, 2, 13), "linspace_long": np.linspace(0, 1, 101),
    }
    for name, value in values.items():
        out.add(name, value)
    u = m.copy()
    u[2] = np.arange(7) * 10
    u[:, 3] = -1
    u[3:5] = u[0:2].copy()
    out.add("assigned", u)
    d = x.copy()
    d[:, 1:3] = -x[:, :2]
    out.add("dynamic_update_slice", d)
    out.write()


# ---- products

MATRICES = [(1, 1, 1), (2, 3, 5), (3, 7, 2), (5, 16, 17), (7, 5, 33), (16, 16, 16), (17, 33, 7), (33, 64, 31), (64, 3, 64), (1, 17, 5), (5, 17, 1), (1, 64, 1), (37, 1, 19)]
BATCHES = [((3, 4, 5), (5, 6)), ((3, 4, 5), (3, 5, 6)), ((4, 5), (3, 5, 6)), ((2, 1, 4, 5), (3, 5, 6)), ((5,), (3, 5, 6)), ((3, 4, 5), (5,)), ((5,), (5,)), ((7, 16), (16,)), ((17,), (17, 33)),
           ((1, 4, 5), (6, 5, 3)), ((2, 2, 1, 3), (2, 1, 3, 1))]


def products():
    """Small integers, which every element type multiplies exactly."""
    out = Golden("products")

    def numbers(shape, seed, low=-4):
        return np.random.default_rng(seed).integers(low, 5, shape).astype("int8")

    def result(value):
        return np.asarray(value).astype("int16")

    shapes = [((m, k), (k, n)) for m, k, n in MATRICES] + BATCHES
    for a, b in shapes:
        name = f"{shape_name(a)}/{shape_name(b)}"
        x, y = numbers(a, 1, 0), numbers(b, 2, 0)
        out.add(f"{name}/a", x)
        out.add(f"{name}/b", y)
        out.add(name, result(np.matmul(x.astype("int32"), y.astype("int32"))))
    x, y, bias = (numbers(s, 5 + i).astype("int32") for i, s in enumerate([(17, 12), (12, 21), (21,)]))
    out.add("x", x.astype("int8"))
    out.add("y", y.astype("int8"))
    out.add("bias", bias.astype("int8"))
    square = numbers((9, 9), 20).astype("int32")
    out.add("square", square.astype("int8"))
    t, s = numbers((3, 4, 5), 30).astype("int32"), numbers((4, 5, 2), 31).astype("int32")
    out.add("t", t.astype("int8"))
    out.add("s", s.astype("int8"))
    for name, value in {
        "left_transposed": x @ y, "relu": np.maximum(x @ y + bias, 0), "scaled": 3 * (x @ y) - 1, "two_products": x @ y + (x + 1) @ y, "chain": (x @ y) @ (x @ y).T,
        "prologue": np.maximum(x, 0) @ (y + 1), "column_sums": (x @ y).sum(axis=0), "square_product": square @ square, "transposed_square": square.T @ square,
        "outer": np.outer(bias, bias[:5]), "inner": np.inner(x, y.T), "inner_vectors": np.inner(bias, bias), "inner_3": np.inner(t, s.transpose(2, 0, 1)), "tensordot": np.tensordot(t, s),
        "tensordot_1": np.tensordot(t, s.transpose(1, 0, 2), 1), "tensordot_0": np.tensordot(bias[:3], bias[:4], 0), "dot": np.dot(bias, bias), "dot_matrix": np.dot(y, bias),
        "flipped": x[::-1] @ y[:, ::2], "sliced": x[:, 2:9] @ y[3:10],
    }.items():
        out.add(name, result(value))
    out.write()


# ---- convolutions

def windows(x, kernel, stride, dilation):
    """[.., height out, width out, kernel height, kernel width]"""
    spans = [(k - 1) * d + 1 for k, d in zip(kernel, dilation)]
    v = np.lib.stride_tricks.sliding_window_view(x, spans, axis=(-2, -1))
    return v[..., :: stride[0], :: stride[1], :: dilation[0], :: dilation[1]]


def convolved(x, w, stride, padding, dilation, groups):
    x = np.pad(x, [(0, 0), (0, 0)] + [(p, p) for p in padding])
    out, inside = w.shape[0] // groups, w.shape[1]
    parts = [np.einsum("nihwab,oiab->nohw", windows(x[:, g * inside : (g + 1) * inside], w.shape[2:], stride, dilation), w[g * out : (g + 1) * out]) for g in range(groups)]
    return np.concatenate(parts, axis=1)


def transposed(x, w, stride, padding, dilation, output_padding, groups):
    """Each element puts a kernel, times itself, into the result."""
    inside, out = w.shape[0] // groups, w.shape[1]
    size = [(x.shape[2 + i] - 1) * stride[i] + (w.shape[2 + i] - 1) * dilation[i] + 1 for i in (0, 1)]
    y = np.zeros((x.shape[0], groups * out, size[0] + output_padding[0], size[1] + output_padding[1]), x.dtype)
    for c, o, h, v, a, b in itertools.product(range(x.shape[1]), range(out), *map(range, x.shape[2:]), *map(range, w.shape[2:])):
        y[:, c // inside * out + o, h * stride[0] + a * dilation[0], v * stride[1] + b * dilation[1]] += x[:, c, h, v] * w[c, o, a, b]
    return y[:, :, padding[0] : y.shape[2] - padding[0], padding[1] : y.shape[3] - padding[1]]


def convolutions():
    """Small integers, which every element type multiplies and adds exactly."""
    out = Golden("convolutions")

    def numbers(shape, seed):
        return np.random.default_rng(seed).integers(-3, 4, shape).astype("int32")

    x, w = numbers((2, 4, 9, 11), 1), numbers((6, 4, 3, 3), 2)
    out.add("x", x.astype("int8"))
    out.add("w", w.astype("int8"))
    out.add("bias", numbers((6,), 3).astype("int8"))
    one, two = (1, 1), (2, 2)
    for name, value in {
        "plain": convolved(x, w, one, (0, 0), one, 1), "padded": convolved(x, w, one, one, one, 1), "strided": convolved(x, w, two, one, one, 1), "dilated": convolved(x, w, one, two, two, 1),
        "uneven": convolved(x, w[:, :, :, :2], (2, 3), (1, 0), (1, 2), 1), "grouped": convolved(x, w[:, :2], one, one, one, 2), "depthwise": convolved(x, w[:4, :1], one, one, one, 4),
        "pointwise": convolved(x, w[:, :, :1, :1], one, (0, 0), one, 1), "same": convolved(np.pad(x, [(0, 0), (0, 0), (1, 1), (1, 1)]), w, two, (0, 0), one, 1),
        "length": convolved(x[:, :, :1], w[:, :, :1], (1, 2), (0, 1), one, 1)[:, :, 0],
        "transposed": transposed(x, w[:4, :2], one, (0, 0), one, (0, 0), 1), "transposed_strided": transposed(x, w[:4, :3], two, one, one, one, 1),
        "transposed_grouped": transposed(x, w[:4, :2], (2, 1), one, (1, 2), (0, 0), 2), "transposed_length": transposed(x[:, :, :1], w[:4, :2, :1], (1, 3), (0, 0), one, (0, 0), 1)[:, :, 0],
        "max_pool": windows(x, two, two, one).max(axis=(-2, -1)), "max_pool_overlapping": windows(np.pad(x, [(0, 0), (0, 0), (1, 1), (1, 1)], constant_values=-128), (3, 3), two, one).max(axis=(-2, -1)),
        "max_pool_length": windows(x[:, :, :1], (1, 3), (1, 2), (1, 2)).max(axis=(-2, -1))[:, :, 0], "sum_pool": windows(np.pad(x, [(0, 0), (0, 0), (1, 1), (1, 1)]), (3, 3), two, one).sum(axis=(-2, -1)),
    }.items():
        out.add(name, value.astype("int16"))
    out.write()

# ---- attention


def attended(q, k, v, u, scores_bias):
    """softmax(q k^T / sqrt(d) + bias) v in float64, 0 where a row has no key, and the gradients of its product with u: of q, k, v and the bias."""
    scale = 1 / np.sqrt(q.shape[-1])
    s = scale * q @ k.swapaxes(-1, -2) + scores_bias
    m = s.max(axis=-1, keepdims=True)
    e = np.exp(s - np.where(np.isfinite(m), m, 0))
    p = e / np.maximum(e.sum(axis=-1, keepdims=True), np.finfo(float).tiny)
    dp = u @ v.swapaxes(-1, -2)
    ds = p * (dp - (p * dp).sum(axis=-1, keepdims=True))
    return p @ v, scale * ds @ k, scale * ds.swapaxes(-1, -2) @ q, p.swapaxes(-1, -2) @ u, ds


def attention():
    """Elements are eighths, which a float holds."""
    out = Golden("attention")
    rng = np.random.default_rng(5)
    q, k, v, u = (rng.integers(-16, 17, shape).astype("float64") / 8 for shape in [(2, 9, 5), (2, 13, 5), (2, 13, 3), (2, 9, 3)])
    mask = rng.random((9, 13)) < 0.6
    mask[4] = False
    bias = rng.integers(-16, 17, (2, 1, 13)).astype("float64") / 8
    bias[1, 0, 6] = -np.inf
    for name, value in {"q": q, "k": k, "v": v, "u": u, "bias": bias}.items():
        out.add(name, value.astype("float32"))
    out.add("mask", mask)
    causal = np.where(np.tril(np.ones((9, 13))) > 0, 0, -np.inf)
    masked = np.where(mask, 0, -np.inf)
    for name, scores_bias in {"plain": 0, "causal": causal, "mask": masked, "bias": bias, "causal_mask": causal + masked, "causal_bias": causal + bias}.items():
        y, dq, dk, dv, ds = attended(q, k, v, u, scores_bias)
        for part, value in {"y": y, "dq": dq, "dk": dk, "dv": dv}.items():
            out.add(f"{name}/{part}", value)
        if "bias" in name:
            out.add(f"{name}/dbias", ds.sum(axis=1, keepdims=True))
    out.write()


# ---- layers: the equations of PyTorch's documentation, element by element

def dense(x, w, b):
    """x w^T + b with plain sums."""
    return np.array([sum(w[i, j] * x[j] for j in range(len(x))) + b[i] for i in range(len(b))])


def logistic(x):
    return 1 / (1 + np.exp(-x))


def rnn_step(x, state, w_ih, w_hh, b_ih, b_hh):
    h = np.tanh(dense(x, w_ih, b_ih) + dense(state[0], w_hh, b_hh))
    return (h,)


def lstm_step(x, state, w_ih, w_hh, b_ih, b_hh):
    h, c = state
    i, f, g, o = np.split(dense(x, w_ih, b_ih) + dense(h, w_hh, b_hh), 4)
    c = logistic(f) * c + logistic(i) * np.tanh(g)
    return logistic(o) * np.tanh(c), c


def gru_step(x, state, w_ih, w_hh, b_ih, b_hh):
    (h,) = state
    (ri, zi, ni), (rh, zh, nh) = np.split(dense(x, w_ih, b_ih), 3), np.split(dense(h, w_hh, b_hh), 3)
    r, z = logistic(ri + rh), logistic(zi + zh)
    n = np.tanh(ni + r * nh)
    return ((1 - z) * n + z * h,)


def over_sequence(step, x, state, parameters, backwards=False):
    """x [length, batch, inputs], each tensor of the state [batch, width]: outputs [length, batch, width] and the last state."""
    length, batch = x.shape[:2]
    outputs, last = np.zeros((length, batch, state[0].shape[1])), [s.copy() for s in state]
    for b in range(batch):
        own = tuple(s[b] for s in state)
        for t in range(length)[:: -1 if backwards else 1]:
            own = step(x[t, b], own, *parameters)
            outputs[t, b] = own[0]
        for s, value in zip(last, own):
            s[b] = value
    return outputs, last


def float16():
    """16-bit floats, as their bits in uint16."""
    out = Golden("float16")
    rng = np.random.default_rng(11)
    anything = rng.integers(0, 2**32, 4096, dtype=np.uint32).view(np.float32)
    # Values around those of a float16, and halfway between two of them.
    sixteen = rng.integers(0, 0x7C00, 1024).astype(np.uint16)
    near = (sixteen.view(np.float16).astype(np.float64) + (sixteen + 1).astype(np.uint16).view(np.float16).astype(np.float64)) / 2
    near = np.concatenate([near, np.nextafter(near, 0), np.nextafter(near, np.inf), -near])
    for name, values in {"float": np.concatenate([anything, near.astype(np.float32)]), "double": near, "int": rng.integers(-70000, 70000, 512).astype(np.int32)}.items():
        out.add(name, values)
        out.add(name + "/float16", values.astype(np.float16).view(np.uint16))
        if name != "double":  # ml_dtypes converts by way of float, which rounds twice
            out.add(name + "/bfloat16", values.astype(ml_dtypes.bfloat16).view(np.uint16))
    x, y = rng.normal(0, 2, 200), rng.normal(0, 2, 200)
    for name, kind in {"float16": np.float16, "bfloat16": ml_dtypes.bfloat16}.items():
        a, b = x.astype(kind), y.astype(kind)
        out.add(name + "/a", a.view(np.uint16))
        out.add(name + "/b", b.view(np.uint16))
        for op, value in {"add": a + b, "multiply": a * b, "divide": a / b, "exp": np.exp(a), "tanh": np.tanh(a), "maximum": np.maximum(a, b)}.items():
            out.add(f"{name}/{op}", value.astype(kind).view(np.uint16))
    out.write()


def float8():
    """8-bit floats, as their bits in uint8. ml_dtypes converts double by way of float, which is exact for these."""
    out = Golden("float8")
    rng = np.random.default_rng(13)
    anything = rng.integers(0, 2**32, 4096, dtype=np.uint32).view(np.float32)
    kinds = {"float8_e4m3fn": ml_dtypes.float8_e4m3fn, "float8_e5m2": ml_dtypes.float8_e5m2}
    for name, kind in kinds.items():
        all_of_them = np.arange(256).astype(np.uint8).view(kind).astype(np.float32)
        out.add(name + "/values", all_of_them)
        finite = np.unique(np.abs(all_of_them[np.isfinite(all_of_them)]))
        near = ((finite[1:].astype(np.float64) + finite[:-1]) / 2).astype(np.float32)
        near = np.concatenate([near, np.nextafter(near, np.float32(0)), np.nextafter(near, np.float32(np.inf)), -near])
        largest = np.array([447, 448, 449, 463, 464, 465, 480, 57344, 61439, 61440, 61441, 65536, 1e9, np.inf, np.nan], np.float32)
        values = np.concatenate([anything, near, largest, -largest])
        out.add(name + "/float", values)
        out.add(name + "/bits", values.astype(kind).view(np.uint8))
    x, y = rng.normal(0, 2, 200), rng.normal(0, 2, 200)
    for name, kind in kinds.items():
        a, b = x.astype(kind), y.astype(kind)
        out.add(name + "/a", a.view(np.uint8))
        out.add(name + "/b", b.view(np.uint8))
        for op, value in {"add": a + b, "multiply": a * b, "divide": a / b, "exp": np.exp(a), "maximum": np.maximum(a, b)}.items():
            out.add(f"{name}/{op}", value.astype(kind).view(np.uint8))
    out.write()


def layers():
    out = Golden("layers")
    rng = np.random.default_rng(7)
    x = rng.normal(2, 3, (3, 4, 5))
    x[1, 2] = 1.25  # a row without variance
    out.add("norm/x", x)
    for name, axes in {"row": 1, "matrix": 2}.items():
        shape = x.shape[3 - axes :]
        w, b = rng.normal(1, 0.5, shape), rng.normal(0, 0.5, shape)
        out.add(f"norm/{name}/weight", w)
        out.add(f"norm/{name}/bias", b)
        layer, rms = np.zeros_like(x), np.zeros_like(x)
        for i in itertools.product(*map(range, x.shape[: 3 - axes])):
            mean = sum(x[i].flat) / x[i].size
            layer[i] = (x[i] - mean) / np.sqrt(sum((e - mean) ** 2 for e in x[i].flat) / x[i].size + 1e-5) * w + b
            rms[i] = x[i] / np.sqrt(sum(e**2 for e in x[i].flat) / x[i].size + 1e-3) * w
        out.add(f"norm/{name}/layer", layer)
        out.add(f"norm/{name}/rms", rms)
    inputs, width, length, batch = 3, 5, 4, 2
    x = rng.normal(0, 1, (length, batch, inputs))
    h, c = rng.normal(0, 0.5, (2, batch, width))
    for name, value in {"x": x, "h": h, "c": c}.items():
        out.add(f"recurrent/{name}", value)
    for name, step, gates in ("rnn", rnn_step, 1), ("lstm", lstm_step, 4), ("gru", gru_step, 3):
        p = [rng.uniform(-1, 1, s) for s in [(gates * width, inputs), (gates * width, width), (gates * width,), (gates * width,)]]
        state = (h, c) if name == "lstm" else (h,)
        for key, value in zip(["weight_ih", "weight_hh", "bias_ih", "bias_hh"], p):
            out.add(f"{name}/{key}", value)
        for way, start, backwards in ("forward", state, False), ("reverse", state, True), ("zeros", tuple(0 * s for s in state), False):
            outputs, last = over_sequence(step, x, start, p, backwards)
            out.add(f"{name}/{way}", outputs)
            for key, value in zip("hc", last):
                out.add(f"{name}/{way}/{key}", value)
    out.write()


elementwise()
integers()
promotion()
reductions()
layout()
products()
convolutions()
layers()
attention()
float16()
float8()
