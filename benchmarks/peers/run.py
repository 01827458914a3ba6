"""Runs the same workloads on dimity and its peers, in turn, and writes benchmarks/results/peers.json.

usage: run.py [--rounds N] [--slice MS] [--threads 1,2] [--workloads a,b*] [--peers a,b] [--workers FOLDER] [--output FILE]

`make bench-peers` builds the workers written in C++ and calls this. The Python peers are installed into build/peers/venv.
"""
import argparse
import datetime
import fnmatch
import json
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import time

import environment

here = environment.here
data, logs = environment.folder / "data", environment.folder / "logs"


def options():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--slice", type=float, default=20, help="milliseconds for each worker and workload in a round")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--workloads", default="*", help="patterns of names, or families")
    parser.add_argument("--peers", default="*")
    parser.add_argument("--workers", type=pathlib.Path, default=environment.root / "build" / "native" / "benchmarks" / "peers")
    parser.add_argument("--output", type=pathlib.Path, default=environment.root / "benchmarks" / "results" / "peers.json")
    return parser.parse_args()


def commands(folder, threads):
    """Name and command of every worker there may be."""
    for name in ("dimity", "hand", "Eigen", "xtensor", "OpenBLAS", "oneDNN"):
        yield name, [folder / (f"{name.lower()}_{threads}_worker" if name == "dimity" and threads > 1 else f"{name.lower()}_worker"), threads]
    python = sys.executable
    yield "JAX", [python, here / "jax_worker.py", threads]
    yield "PyTorch", [python, here / "torch_worker.py", threads, "eager"]
    yield "torch.compile", [python, here / "torch_worker.py", threads, "compile"]
    yield "ONNX Runtime", [python, here / "onnx_worker.py", threads]
    yield "TFLite", [python, here / "tflite_worker.py", threads]


def start(folder, threads, wanted):
    import protocol
    variables = dict(os.environ, OMP_NUM_THREADS=str(threads), OPENBLAS_NUM_THREADS=str(threads), TORCHINDUCTOR_CACHE_DIR=str(environment.folder / "inductor"), CUDA_VISIBLE_DEVICES="", JAX_PLATFORMS="cpu")
    available = sorted(os.sched_getaffinity(0))
    if len(available) < threads:
        return [], {f"{threads} threads": "this machine has fewer cores"}
    # One thread runs away from core 0, where this program and most interrupts are.
    cores = set(available[-threads:])
    workers, missing = [], {}
    for name, command in commands(folder, threads):
        if not any(fnmatch.fnmatch(name, pattern) for pattern in wanted):
            continue
        if not pathlib.Path(command[1] if command[0] == sys.executable else command[0]).exists():
            missing[name] = "its worker was not built"
            continue
        log = logs / f"{name.replace(' ', '_')}-{threads}.txt"
        try:
            workers.append(protocol.Worker(name, list(map(str, command)), threads, cores, variables, log))
        except protocol.Refused as why:
            missing[name] = str(why)
        except protocol.Lost as why:
            lines = log.read_text().strip().splitlines()
            missing[name] = f"{why}: {lines[-1] if lines else ''}"
        if name in missing:
            print(f"{name}, {threads} threads: left out: {missing[name]}", flush=True)
    return workers, missing


def machine():
    model = next((re.sub(r".*:\s*", "", line).strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.processor())
    compiler = subprocess.run(["g++", "--version"], capture_output=True, text=True).stdout.split("\n")[0]
    commit = subprocess.run(["git", "-C", here, "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    return {"cpu": model, "cores": os.cpu_count(), "compiler": compiler, "python": platform.python_version(), "commit": commit}


def measure_family(chosen, workers, threads, settings):
    import judge
    import protocol
    wanted, inputs = {w.name: w for w in chosen}, {}

    def folder_of(name):
        inputs[name] = wanted[name].make_inputs()
        place = data / name
        place.mkdir(parents=True, exist_ok=True)
        for key, array in inputs[name].items():
            array.tofile(place / f"{key}.bin")
        return place

    def judge_of(name):
        expected = wanted[name].expected(inputs.pop(name))
        return lambda file: judge.judge(file, expected, wanted[name].tolerance)

    try:
        return protocol.measure(list(wanted), workers, folder_of, judge_of, data / "results.bin", settings.rounds, settings.slice * 1e6,
                                lambda name: wanted[name].latencies, 0.05 if threads > 1 else 0, lambda line: print(line, flush=True))
    finally:
        shutil.rmtree(data, ignore_errors=True)


def one_row_a_line(report):
    """JSON in which two runs can be compared line by line."""
    def value(x):
        if isinstance(x, list):
            return "[\n" + ",\n".join("  " + json.dumps(row) for row in x) + "\n ]"
        return json.dumps(x, indent=1).replace("\n", "\n ") if isinstance(x, dict) else json.dumps(x)
    return "{\n" + ",\n".join(f" {json.dumps(key)}: {value(x)}" for key, x in report.items()) + "\n}\n"


def main():
    settings = options()
    if not environment.install():
        sys.exit("NumPy is needed, and could not be installed")
    environment.restart_inside()
    import workloads
    logs.mkdir(parents=True, exist_ok=True)
    names = settings.workloads.split(",")
    chosen = [w for w in workloads.table if any(fnmatch.fnmatch(w.name, n) or w.family == n for n in names)]
    report = {"date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M"), "machine": machine(), "rounds": settings.rounds, "slice_ms": settings.slice, "versions": {}, "missing": {},
              "workloads": {w.name: {"title": w.title, "family": w.family, "flops": w.flops, "bytes": w.bytes, "dispatch": w.dispatch} for w in chosen}, "load": [], "results": []}
    begin = time.time()
    for threads in map(int, settings.threads.split(",")):
        workers, missing = start(settings.workers, threads, settings.peers.split(","))
        report["versions"].update({worker.name: worker.about["version"] for worker in workers})
        report["missing"][str(threads)] = missing
        for family in workloads.families:
            # A second thread is for what takes long enough to be shared.
            of_family = [w for w in chosen if w.family == family and (threads == 1 or w.flops + w.bytes > 2e6)]
            if not of_family or not workers:
                continue
            rows, loads = measure_family(of_family, workers, threads, settings)
            report["results"] += rows
            report["load"] += [{"family": family, "threads": threads, "load": round(load, 2)} for load in loads]
            print(f"{time.time() - begin:6.0f} s  {family}, {threads} threads: {sum(row['status'] == 'ok' for row in rows)} timed, load {max(loads):.1f}", flush=True)
        for worker in workers:
            worker.close()
    settings.output.parent.mkdir(parents=True, exist_ok=True)
    settings.output.write_text(one_row_a_line(report))


if __name__ == "__main__":
    main()
