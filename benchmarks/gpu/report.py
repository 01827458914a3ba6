"""A table of gpu_bench beside its peers: microseconds, with cuBLASLt too, the best peer's, how many times as fast as it the faster of both is (whose TFLOP/s are shown), and the share of a copy's bandwidth.

usage: report.py GPU_BENCH.json PEERS.json [GPU_BENCH_CUBLAS.json]
"""

import json
import pathlib
import sys


def medians(data):
    return {run["run_name"].removesuffix("/manual_time").split("/min_time")[0]: run for run in data["benchmarks"] if run.get("aggregate_name", "median") == "median"}


def seconds_of(run):
    return run["real_time"] * {"ns": 1e-9, "us": 1e-6, "ms": 1e-3}[run["time_unit"]]


data = json.loads(pathlib.Path(sys.argv[1]).read_text())
context = data["context"]
ours = medians(data)
by_cublas = medians(json.loads(pathlib.Path(sys.argv[3]).read_text())) if len(sys.argv) > 3 and pathlib.Path(sys.argv[3]).exists() else {}
peers = json.loads(pathlib.Path(sys.argv[2]).read_text()) if pathlib.Path(sys.argv[2]).exists() else {}
# The large one: the small one stays in the cache of the second level.
copy = ours.get("copy/67108864", {}).get("bytes_per_second", 0)
print(f"{context.get('gpu', 'GPU')}, medians; copy {copy / 1e12:.2f} TB/s\n")
print("| workload | microseconds | with cuBLASLt | of a copy | TFLOP/s | best peer | times as fast |\n| --- | --- | --- | --- | --- | --- | --- |")
for name, run in ours.items():
    seconds = seconds_of(run)
    other = seconds_of(by_cublas[name]) if name in by_cublas else None
    fastest = min(seconds, other) if other else seconds
    share = f"{run['bytes_per_second'] / copy:.0%}" if "bytes_per_second" in run and copy else ""
    rate = f"{run['operations_per_second'] * seconds / fastest / 1e12:.1f}" if "operations_per_second" in run else ""
    beside = peers.get(name, {})
    best = min(beside, key=beside.get, default=None)
    print(f"| {name} | {seconds * 1e6:.1f} | {f'{other * 1e6:.1f}' if other else ''} | {share} | {rate} | " + (f"{best} {beside[best] * 1e6:.1f} | {beside[best] / fastest:.2f} |" if best else " | |"))
