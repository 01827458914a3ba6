"""The targets of the benchmark suite, computed from the results of one run."""
import math


def mean(ratios):
    return math.exp(sum(map(math.log, ratios)) / len(ratios))


class Targets:
    """`times[workload][peer]`: nanoseconds with one thread."""

    def __init__(self, times, workloads, results):
        self.times, self.workloads, self.results, self.rows = times, workloads, results, []

    def ratios(self, kinds, peers, allowed=lambda name: True):
        """How many times as long the fastest of the peers takes, by workload."""
        found = {}
        for name, by in self.times.items():
            others = [by[p] for p in (peers or by) if p in by and p not in ("dimity", "hand")] if peers != ("hand",) else [by[p] for p in peers if p in by]
            if name.split("-")[0] in kinds and "dimity" in by and others and allowed(name):
                found[name] = min(others) / by["dimity"]
        return found

    def at_least(self, what, wanted, ratios, average=False):
        if not ratios:
            return self.rows.append((what, f"{wanted:g}", "not measured", ""))
        worst = min(ratios, key=ratios.get)
        value = mean(ratios.values()) if average else ratios[worst]
        behind = sum(r < wanted for r in ratios.values())
        detail = f"geometric mean {mean(ratios.values()):.2f} over {len(ratios)}"
        if not average:
            detail += f"; lowest in {self.workloads[worst]['title']}" + (f"; {behind} below" if behind else "")
        self.rows.append((what, f"{wanted:g}", f"{value:.2f}", ("met" if value >= wanted else "**not met**") + ": " + detail))

    def missing(self, what, wanted, why):
        self.rows.append((what, wanted, "not measured", why))

    def bandwidth(self):
        """dimity's bytes per second over those of the fastest copy of the same size."""
        found = {}
        for name, by in self.times.items():
            kind, size = name.split("-")[0], name.split("-")[-1]
            if kind in ("triad", "gelu_chain", "gelu_gradient") and int(size) >= 1 << 20 and "dimity" in by and f"copy-{size}" in self.times:
                copies = self.times[f"copy-{size}"]
                speed = self.workloads[name]["bytes"] / by["dimity"]
                found[name] = speed / max(self.workloads[f"copy-{size}"]["bytes"] / ns for ns in copies.values())
        return found

    def all(self):
        elementwise, reductions = ("copy", "triad", "gelu_chain", "gelu_gradient"), ("sum_over_rows", "sum_over_columns", "sum_all")
        in_rows = [kind + end for kind in ("softmax", "layer_norm", "cross_entropy") for end in ("", "_gradient")]
        up_to = lambda limit: lambda name: max(map(int, name.split("-")[1].split("x"))) <= limit
        self.at_least("elementwise / by hand", 0.95, self.ratios(elementwise, ("hand",)))
        self.at_least("elementwise beyond L2 / bandwidth of the fastest copy", 0.9, self.bandwidth())
        self.at_least("elementwise and reductions / best of all peers", 1, self.ratios(elementwise + reductions, None))
        self.at_least("softmax, layer norm, cross-entropy / PyTorch", 2, self.ratios(in_rows, ("PyTorch",)))
        self.at_least("softmax, layer norm, cross-entropy / JAX", 1.5, self.ratios(in_rows, ("JAX",)))
        self.at_least("softmax, layer norm, cross-entropy / oneDNN", 1, self.ratios(in_rows, ("oneDNN",)))
        self.at_least("matmul up to 1024 / OpenBLAS and oneDNN", 1, self.ratios(("matmul",), ("OpenBLAS", "oneDNN"), up_to(1024)))
        self.at_least("matmul up to 64 / OpenBLAS and oneDNN, on average", 1.5, self.ratios(("matmul",), ("OpenBLAS", "oneDNN"), up_to(64)), average=True)
        bare = {n: self.times["matmul" + n[5:]]["dimity"] / by["dimity"] for n, by in self.times.items() if n.startswith("dense-") and "dimity" in by and "dimity" in self.times.get("matmul" + n[5:], {})}
        self.at_least("matmul, bias and relu / the bare product", 0.97, bare)
        self.missing("matmul bf16 with AMX", "0.9", "there are kernels for AMX tiles, emulated in the tests; no machine with AMX was at hand to measure them (docs/float16.md)")
        self.at_least("policy MLP at batch 1 / by hand", 1, self.ratios(("policy",), ("hand",)))
        self.at_least("policy MLP at batch 1 / ONNX Runtime", 5, self.ratios(("policy",), ("ONNX Runtime",), lambda name: name == "policy-1"))
        allocations = [r["allocations"] for r in self.results if r["peer"] == "dimity" and r["workload"] == "policy-1" and "allocations" in r]
        if allocations:
            self.rows.append(("policy MLP at batch 1, allocations", "0", f"{allocations[0]:g}", "met" if allocations[0] == 0 else "**not met**"))
        self.at_least("MLP training step / PyTorch", 3, self.ratios(("mlp_step",), ("PyTorch",)))
        self.at_least("MLP training step / JAX", 1.5, self.ratios(("mlp_step",), ("JAX",)))
        self.at_least("conv net training step / PyTorch", 3, self.ratios(("conv_step",), ("PyTorch",)))
        self.at_least("conv net training step / JAX", 1.5, self.ratios(("conv_step",), ("JAX",)))
        self.at_least("transformer block, training step / PyTorch", 1.5, self.ratios(("transformer_step",), ("PyTorch",)))
        self.at_least("transformer block, training step / JAX", 1.3, self.ratios(("transformer_step",), ("JAX",)))
        two = {}
        for r in self.results:
            if r["peer"] == "dimity" and r["threads"] == 2 and r["status"] == "ok":
                one = self.times.get(r["workload"], {}).get("dimity", 0)
                if one > 1e6:
                    two[r["workload"]] = one / r["ns"]
        self.at_least("two threads / one, over 1 ms", 1.7, two)
        return self.rows
