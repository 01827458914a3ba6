"""Seconds that nvcc takes for files with some fused expressions, and for the header alone, to benchmarks/results/cuda_compile_time.json.

usage: cuda_compile_time.py [--runs N] [--architecture sm_90]

Each expression differs from the others, so that each is a kernel of its own. The whole compilation is measured: both passes of nvcc, ptxas and the object file.
"""

import json
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from machine import processor_name

project = pathlib.Path(__file__).resolve().parent.parent


def option(name, default):
    return sys.argv[sys.argv.index(name) + 1] if name in sys.argv else default


# Of shapes of their own: numbers in an expression are operands, which do not make another kernel.
def elementwise(i):
    there = f"cuda_tensor<float, {1024 + 32 * i}, 256>"
    return f"{there} f{i}({there} const& x, cuda_tensor<float, 256> const& b) {{ return tanh(x * 1.5f + b) * x - exp(-x) * 2.0f + b; }}\n"


def row(i):
    return f"cuda_tensor<float, {1024 + 32 * i}, 256> g{i}(cuda_tensor<float, {1024 + 32 * i}, 256> const& x, cuda_tensor<float, 256> const& b) {{ return softmax(x * {i}.5f + b, axis<-1>) + b; }}\n"


def source(kind, count):
    text = "#include <dimity/cuda.hpp>\nusing namespace dimity;\n"
    return text + "".join(kind(i) for i in range(1, count + 1))


cases = {
    "empty file": "",
    "header": source(elementwise, 0),
    "1 elementwise kernel": source(elementwise, 1),
    "10 elementwise kernels": source(elementwise, 10),
    "10 row kernels": source(row, 10),
}

nvcc = shutil.which("nvcc") or "/usr/local/cuda/bin/nvcc"
architecture = option("--architecture", "sm_90")
runs = int(option("--runs", "3"))
times = {name: [] for name in cases}
with tempfile.TemporaryDirectory() as folder:
    for name, text in cases.items():
        pathlib.Path(folder, name.replace(" ", "_") + ".cu").write_text(text)
    for _ in range(runs):
        for name in cases:
            file = pathlib.Path(folder, name.replace(" ", "_") + ".cu")
            command = [nvcc, "-std=c++20", f"-arch={architecture}", "-Xcompiler", "-fconstexpr-ops-limit=1000000000", f"-I{project / 'include'}", "-c", "-o", "/dev/null", str(file)]
            begin = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            times[name].append(time.perf_counter() - begin)

seconds = {name: round(statistics.median(t), 2) for name, t in times.items()}
machine = processor_name()
version = subprocess.run([nvcc, "--version"], capture_output=True, text=True).stdout.split("release ")[1].split(",")[0]
result = {"machine": machine, "nvcc": version, "architecture": architecture, "runs": runs, "seconds": seconds, "spread": {name: [round(min(t), 2), round(max(t), 2)] for name, t in times.items()}}
(project / "benchmarks" / "results" / "cuda_compile_time.json").write_text(json.dumps(result, indent=2) + "\n")
for name, s in seconds.items():
    print(f"{name:26} {s:6.2f} s")
