"""Whether results are right."""
import numpy as np


def judge(file, expected, tolerance):
    """The largest error among all results, as a fraction of the largest number in the result it is in; whether that is tolerable; and if not, what is wrong."""
    got = np.fromfile(file, np.float32)
    sizes = [np.size(e) for e in expected]
    if got.size != sum(sizes):
        return None, False, f"{got.size} numbers instead of {sum(sizes)}"
    worst, at = 0.0, 0
    for number, (part, want) in enumerate(zip(np.split(got, np.cumsum(sizes)[:-1]), expected)):
        want = np.ravel(want)
        if not np.isfinite(part).all():
            return None, False, f"result {number} is not finite"
        error = float(np.abs(part - want).max() / max(float(np.abs(want).max()), 1e-30))
        if error > worst:
            worst, at = error, number
    return worst, worst <= tolerance, f"result {at} is off by {worst:.1e} of its largest number" if worst > tolerance else None
