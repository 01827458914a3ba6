#!/usr/bin/env python3
"""Derives the coefficients of include/dimity/exec/cpu/elementary.hpp and prints them as hexadecimal floats.

Minimax fits in a weighted maximum norm by Lawson's iteration (C. L. Lawson, 1961; least squares whose weights grow where the error is large), of rational functions with the
denominator linearised around the one before (H. L. Loeb, 1957). A coefficient is rounded to float and held, lowest power first, and the rest are fitted again around it.
Run by hand, some minutes: python3 tests/support/minimax.py [part of a name]. Needs mpmath.
"""
import struct
import sys

from mpmath import cos, erf, erfc, exp, expm1, fabs, inf, log, log1p, lu_solve, matrix, mp, mpf, pi, sqrt, tanh

mp.prec = 240
POINTS = 60


def to_float(x):
    return mpf(struct.unpack("f", struct.pack("f", float(x)))[0])


def to_double(x):
    return mpf(float(x))


def nodes(low, high):
    """Chebyshev points, which crowd at the ends, where errors of fits are largest."""
    return [(low + high) / 2 - (high - low) / 2 * cos(pi * (2 * i + 1) / (2 * POINTS)) for i in range(POINTS)]


def fit(f, scale, low, high, top, held):
    """p ~ f, a polynomial of degree `top`, with |p - f| / scale as small as can be; `held` are coefficients that stay, by power."""
    unknown = [i for i in range(top + 1) if i not in held]
    xs = nodes(mpf(low), mpf(high))
    powers = [[x**i for i in range(top + 1)] for x in xs]
    values, scales = [f(x) for x in xs], [scale(x) for x in xs]
    lawson = [mpf(1)] * POINTS
    best, coefficients = inf, None
    for _ in range(60 if unknown else 1):
        found = dict(held)
        if unknown:
            a, b = matrix(len(unknown)), matrix(len(unknown), 1)
            for x, y, s, w in zip(powers, values, scales, lawson):
                weight = w / s**2
                right = y - sum(c * x[i] for i, c in held.items())
                for n, i in enumerate(unknown):
                    b[n] += weight * x[i] * right
                    for m, j in enumerate(unknown):
                        a[n, m] += weight * x[i] * x[j]
            found.update(zip(unknown, lu_solve(a, b)))
        errors = [fabs(sum(found[i] * x[i] for i in range(top + 1)) - y) / s for x, y, s in zip(powers, values, scales)]
        if max(errors) < best:
            best, coefficients = max(errors), found
        lawson = [w * e for w, e in zip(lawson, errors)]
        total = sum(lawson)
        lawson = [w / total for w in lawson]
    return coefficients, best


def show(name, f, scale, low, high, top, held=None, rounded=to_float):
    """Prints p ~ f with coefficients of the element type, and its error in units of the last place of 1."""
    if len(sys.argv) > 1 and sys.argv[1] not in name:
        return
    held = dict(held or {})
    for i in range(top + 1):
        if i not in held:
            held[i] = rounded(fit(f, scale, low, high, top, held)[0][i])
    coefficients, error = fit(f, scale, low, high, top, held)
    print(f"{name}: error {float(error * (2**24 if rounded is to_float else 2**53)):.3f}")
    print("  ", ", ".join(float(coefficients[i]).hex().replace("0000000p", "p") for i in range(top + 1)), flush=True)


def limit(f, at_zero):
    """f, or what it tends to."""
    return lambda x: at_zero if fabs(x) < mpf(2) ** -60 else f(x)


def tiny(x):
    """x, or a number that does not divide to infinity."""
    return max(fabs(x), mpf(2) ** -60)


# The function that is asked for is f = 1 + r + r^2 p and the like: p's own error counts as that of f does.
ln2 = log(2)
half, quarter = ln2 / 2 * mpf("1.001"), ln2 / 2 * mpf("1.0001")
switch, end = mpf("0.875"), mpf("3.92")
exp_rest = limit(lambda r: (expm1(r) - r) / r**2, mpf(1) / 2)
exp_scale = lambda r: exp(r) / tiny(r) ** 2
tanh_rest = limit(lambda u: (tanh(sqrt(u)) / sqrt(u) - 1) / u, -mpf(1) / 3)
tanh_scale = lambda u: (tanh(sqrt(u)) / sqrt(u) if u > 0 else 1) / tiny(u)

show("exp: (e^r - 1 - r) / r^2", exp_rest, exp_scale, -half, half, 4, {0: mpf(1) / 2})
show("tanh: (tanh r / r - 1) / r^2, of r^2", tanh_rest, tanh_scale, 0, quarter**2, 3)
show("erf: erf(x) / x - 1, of x^2", limit(lambda u: erf(sqrt(u)) / sqrt(u) - 1, 2 / sqrt(pi) - 1), limit(lambda u: erf(sqrt(u)) / sqrt(u), 2 / sqrt(pi)), 0, switch**2, 5)
show("erf: log2(1 - erf x)", lambda x: log(erfc(x)) / ln2, lambda x: erf(x) / (erfc(x) * ln2), switch, end, 5)
show("erf: -2^r", lambda r: -(mpf(2) ** r), lambda r: mpf(1), -mpf("0.5001"), mpf("0.5001"), 5)
show("softplus: (log(1 + z) / z - 1) / z", limit(lambda z: (log1p(z) / z - 1) / z, -mpf(1) / 2), lambda z: log1p(tiny(z)) / tiny(z) ** 2, 0, 1, 8)
show("exp of double: (e^r - 1 - r) / r^2", exp_rest, exp_scale, -half, half, 9, {0: mpf(1) / 2}, to_double)
show("tanh of double: (tanh r / r - 1) / r^2, of r^2", tanh_rest, tanh_scale, 0, quarter**2, 8, {}, to_double)
