"""Turns benchmarks/results/limits_bench.json into a table: time of dimity over time of hand-written xsimd, medians of interleaved repetitions.

usage: ratios.py [JSON]    writes the table to standard output and, with --write, to benchmarks/results/limits.md
"""
import json
import pathlib
import platform
import re
import statistics
import sys

here = pathlib.Path(__file__).resolve().parent
arguments = [a for a in sys.argv[1:] if not a.startswith("--")]
source = pathlib.Path(arguments[0]) if arguments else here / "results" / "limits_bench.json"
report = json.loads(source.read_text())

times, allocations = {}, {}
for run in report["benchmarks"]:
    if run.get("run_type") != "iteration":
        continue
    workload, who = run["run_name"].split("/", 1)
    who = who.split("/")[0]
    times.setdefault(workload, {}).setdefault(who, []).append(run["real_time"])
    if who == "dimity":
        allocations[workload] = max(allocations.get(workload, 0), run.get("allocations", 0))

cpu = next((re.sub(r".*:\s*", "", line).strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.processor())
lines = [
    f"Machine: {cpu}, {report['context']['num_cpus']} cores; one thread; {report['context']['date'][:10]}. Medians of interleaved repetitions in one process.",
    "",
    "| workload | dimity, ns | hand-written xsimd, ns | ratio | allocations |",
    "| --- | ---: | ---: | ---: | ---: |",
]
for workload, by in times.items():
    ours, hand = statistics.median(by["dimity"]), statistics.median(by["hand"])
    lines.append(f"| {workload} | {ours:.0f} | {hand:.0f} | {ours / hand:.2f} | {allocations[workload]:.0f} |")
text = "\n".join(lines) + "\n"
print(text)
if "--write" in sys.argv:
    (here / "results" / "limits.md").write_text(text)
