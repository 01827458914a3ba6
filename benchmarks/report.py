"""Turns the JSON of benchmarks/results/ into the tables of docs/performance.md, README.md and benchmarks/results/*.md.

usage: report.py [--quiet]    `make bench` runs it after the benchmarks, `make compile-bench` after its own
"""
import json
import math
import pathlib
import re
import statistics
import sys

from machine import processor_name

here = pathlib.Path(__file__).resolve().parent
results = here / "results"
this_machine = processor_name()


def load(name):
    """A result, which says from its first report on which machine it was measured on: reports are made right after measuring."""
    path = results / name
    text = path.read_text()
    if '"cpu": ' not in text:
        text = re.sub(r'"context": ?{', f'"context": {{"cpu": "{this_machine}",', text, count=1)
        path.write_text(text)
    report = json.loads(text)
    return report


def micro(ns):
    return f"{float(f'{ns / 1000:.3g}'):,g}"


def measured(report, of="cpu_time"):
    """For each benchmark, in the order of the program that has it, the parts of its name and what its repetitions measured."""
    values = {}
    for run in sorted(report["benchmarks"], key=lambda run: run.get("family_index", 0)):  # interleaved runs come in any order
        if run.get("run_type") == "iteration":
            parts = tuple(part for part in run["run_name"].split("/") if ":" not in part and part not in ("real_time", "process_time"))
            values.setdefault(parts, []).append(run.get(of, 0))
    return values.items()


def medians(report, of="cpu_time"):
    """The same, with the median, by workload (all parts but the last), and then by who did it (the last)."""
    by_workload = {}
    for (*workload, who), values in measured(report, of):
        by_workload.setdefault("/".join(workload), {})[who] = statistics.median(values)
    return by_workload


def limits():
    report = load("limits_bench.json")
    times = medians(report, "real_time")
    allocations = {parts[0]: max(values) for parts, values in measured(report, "allocations") if parts[1] == "dimity"}
    yield f"Machine: {report['context']['cpu']}, {report['context']['num_cpus']} cores; one thread; {report['context']['date'][:10]}. Medians of interleaved repetitions in one process."
    yield ""
    yield "| workload | dimity, ns | hand-written xsimd, ns | ratio | allocations |"
    yield "| --- | ---: | ---: | ---: | ---: |"
    for workload, by in times.items():
        ours, hand = by["dimity"], by["hand"]
        yield f"| {workload} | {ours:.0f} | {hand:.0f} | {ours / hand:.2f} | {allocations[workload]:.0f} |"


def gradbench():
    report = load("gradbench_bench.json")
    times, repetitions = medians(report), min(len(values) for _, values in measured(report))
    yield (f"Machine: {report['context']['cpu']}, {report['context']['num_cpus']} cores; one thread; {report['context']['date'][:10]}. Processor time, medians of {repetitions} "
           f"randomly interleaved repetitions in one process; load average {report['context']['load_avg'][0]:.1f}.")
    yield ""
    yield "| problem | dimity, µs | by hand, µs | ratio |"
    yield "| --- | ---: | ---: | ---: |"
    for problem in sorted(times):
        ours, hand = (times[problem][who] / 1000 for who in ("dimity", "hand"))
        yield f"| {problem} | {float(f'{ours:.3g}'):,g} | {float(f'{hand:.3g}'):,g} | {ours / hand:.2f} |"


def beside_peers(source, workload_name):
    """A table of processor times beside those of the fastest peer: benchmark names are workload, size, and dimity or the peer."""
    report = json.loads((results / source).read_text())
    times, repetitions = medians(report), min(len(values) for _, values in measured(report))
    peers = sorted({who for by in times.values() for who in by} - {"dimity"})
    yield (f"Machine: {report['context']['cpu']}, {report['context']['num_cpus']} cores; one thread; {report['context']['date'][:10]}. Processor time, medians of {repetitions} randomly interleaved repetitions in one process; "
           f"load average {report['context']['load_avg'][0]:.1f}. Each cell: dimity's time in µs, and that over the fastest peer's ({', '.join(peers)}).")
    yield ""
    rows, columns = {}, []
    for workload, by in times.items():
        name, size = workload.replace("/", " ").rsplit(" ", 1)
        ours, best = by["dimity"], min(by[peer] for peer in peers if peer in by)
        rows.setdefault(name, {})[int(size)] = f"{float(f'{ours / 1000:.3g}'):,g}: {ours / best:.2f}"
        columns = sorted({*columns, int(size)})
    yield f"| {workload_name} | " + " | ".join(map(str, columns)) + " |"
    yield "| --- |" + " ---: |" * len(columns)
    for name, cells in rows.items():
        yield f"| {name} | " + " | ".join(cells.get(size, "") for size in columns) + " |"


def linalg():
    return beside_peers("linalg_bench.json", "n x n, double")


def fft():
    return beside_peers("fft_bench.json", "length")


def convolution():
    report = load("convolution_bench.json")
    rates, repetitions = {}, min(len(values) for _, values in measured(report))
    for workload, by in medians(report, "GFLOP/s").items():
        problem, operation = workload.rsplit("/", 1)
        rates.setdefault(problem, {})[operation] = by
    yield (f"Machine: {report['context']['cpu']}, {report['context']['num_cpus']} cores; one thread; {report['context']['date'][:10]}; float. Medians of {repetitions} randomly interleaved repetitions in one process; load average "
           f"{report['context']['load_avg'][0]:.1f}. Each cell: GFLOP/s of dimity, and its ratio to oneDNN's on images as they are, and to oneDNN's in a blocked layout of its own choice, into which nothing is counted for bringing them. Above 1 dimity is faster.")
    yield ""
    yield "| images | forward | gradient of the images | gradient of the kernels |"
    yield "| --- | ---: | ---: | ---: |"
    for problem, by in rates.items():
        cells = []
        for operation in ("forward", "input_gradient", "weight_gradient"):
            median = by[operation]
            cells.append(f"{median['dimity']:.0f}: {median['dimity'] / median['onednn_plain']:.2f}, {median['dimity'] / median['onednn_blocked']:.2f}")
        yield f"| {problem} | " + " | ".join(cells) + " |"


def extents():
    report = load("extents_bench.json")
    times = medians(report, "real_time")
    yield f"Machine: {report['context']['cpu']}, {report['context']['num_cpus']} cores; one thread; {report['context']['date'][:10]}. Medians of interleaved repetitions in one process."
    yield ""
    yield "| workload, float | run time, ns | known, ns | ratio |"
    yield "| --- | ---: | ---: | ---: |"
    for workload, by in sorted(times.items(), key=lambda row: re.sub(r"\d+ rows", lambda rows: rows[0].rjust(9), row[0])):
        chosen, known = by["run time"], by["known"]
        yield f"| {workload} | {chosen:.0f} | {known:.0f} | {chosen / known:.2f} |"


def attention():
    report = load("attention_bench.json")
    times = {}
    for (kind, what, who, length), values in measured(report):
        times.setdefault(kind, {}).setdefault(int(length), {}).setdefault(what, {})[who] = statistics.median(values)
    yield (f"Machine: {report['context']['cpu']}, {report['context']['num_cpus']} cores; one thread; {report['context']['date'][:10]}; float, one head of 64; load average {report['context']['load_avg'][0]:.1f}. Processor time, "
           "medians of interleaved repetitions in one process; below 1 blocks are faster.")
    for kind, rows in times.items():
        yield ""
        yield "| " + ("T = S, causal" if kind == "causal" else "T = S") + " | forward, µs | in blocks | ratio | forward and backward, µs | in blocks | ratio |"
        yield "| ---: |" + " ---: |" * 6
        for length, by in sorted(rows.items()):
            cells = []
            for what in ("forward", "both"):
                formula, blocks = (by[what][who] for who in ("formula", "blocks"))
                cells += [micro(formula), micro(blocks), f"{blocks / formula:.2f}"]
            yield f"| {length} | " + " | ".join(cells) + " |"


def bfloat16():
    report = load("bfloat16_bench.json")
    times = {}
    for (kind, who, size), values in measured(report):
        times.setdefault((kind, size), {})[who] = statistics.median(values)
    words = {"product": "product {}", "weight": "product {}, weights transposed", "chain": "relu(x y + 1) / 2 - x, {} elements", "gelu": "GELU, {} elements"}
    yield (f"Machine: {report['context']['cpu']}, {report['context']['num_cpus']} cores; one thread; {report['context']['date'][:10]}; load average {report['context']['load_avg'][0]:.1f}. Processor time, medians of interleaved "
           "repetitions in one process; above 1 bfloat16 of dimity is faster.")
    yield ""
    yield "| | float, µs | bfloat16, µs | gain | oneDNN bfloat16, µs | gain |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: |"
    for (kind, size), median in times.items():
        peer = median.get("oneDNN bfloat16")
        beside = (micro(peer), f"{peer / median['bfloat16']:.2f}") if peer else ("", "")
        yield f"| {words[kind].format(size.replace('x', ' x '))} | {micro(median['float'])} | {micro(median['bfloat16'])} | {median['float'] / median['bfloat16']:.2f} | {beside[0]} | {beside[1]} |"


def float8():
    report = load("float8_bench.json")
    times = {}
    for (_, who, size), values in measured(report):
        times.setdefault(size, {})[who] = statistics.median(values)
    others = ["bfloat16", "float16", "float8_e4m3fn", "float8_e5m2"]
    yield (f"Machine: {report['context']['cpu']}, {report['context']['num_cpus']} cores; one thread; {report['context']['date'][:10]}; load average {report['context']['load_avg'][0]:.1f}. Processor time, medians of interleaved "
           "repetitions in one process, of relu(x w^T scale) with rows x terms x columns; in brackets how many times as fast as float.")
    yield ""
    yield "| | float, µs | " + " | ".join(f"{o}, µs" for o in others) + " |"
    yield "| --- | ---: |" + " ---: |" * len(others)
    for size, median in times.items():
        yield f"| {size.replace('x', ' x ')} | {micro(median['float'])} | " + " | ".join(f"{micro(median[o])} ({median['float'] / median[o]:.2f})" for o in others) + " |"


def integer():
    report = load("integer_bench.json")
    times = {}
    for (kind, who, size), values in measured(report):
        times.setdefault(kind, {}).setdefault(size, {})[who] = statistics.median(values)
    yield (f"Machine: {report['context']['cpu']}, {report['context']['num_cpus']} cores; one thread; {report['context']['date'][:10]}; load average {report['context']['load_avg'][0]:.1f}. Processor time, medians of interleaved "
           "repetitions in one process; in brackets how many times as fast as float, and as oneDNN.")
    yield ""
    yield "| rows x terms x outputs | float, µs | int8 x int8, µs | uint8 x int8, µs | int16 x int16, µs |"
    yield "| --- | ---: | ---: | ---: | ---: |"
    for size, median in times["product"].items():
        cells = []
        for who in ("int8 x int8", "uint8 x int8", "int16 x int16"):
            peer = median.get(f"oneDNN {who}")
            cells.append(f"{micro(median[who])} ({median['float'] / median[who]:.2f}" + (f"; {peer / median[who]:.2f}" if peer else "") + ")")
        yield f"| {size.replace('x', ' x ')} | {micro(median['float'])} | " + " | ".join(cells) + " |"
    yield ""
    for size, median in times["conversion"].items():
        yield f"Conversion of {int(size):,} elements, µs: " + ", ".join(f"{who} {micro(ns)}" for who, ns in median.items()) + "."


def threads():
    report = load("threads_bench.json")
    times = medians(report, "real_time")
    hand_over = times.pop("hand over")
    yield f"Machine: {report['context']['cpu']}, {report['context']['num_cpus']} cores; {report['context']['date'][:10]}; load average {report['context']['load_avg'][0]:.1f}. Real time, medians of interleaved repetitions in one process."
    yield ""
    yield "Handing a share over and waiting for it, µs: " + ", ".join(f"{who} {micro(ns)}" for who, ns in hand_over.items()) + "."
    yield ""
    yield "| workload | one thread, µs | two threads, µs | gain |"
    yield "| --- | ---: | ---: | ---: |"
    for workload, by in times.items():
        one, two = by["1"], by["2"]
        yield f"| {workload} | {micro(one)} | {micro(two)} | {one / two:.2f} |"


def row_chain():
    report = load("row_chain_bench.json")
    yield (f"Machine: {report['context']['cpu']}, {report['context']['num_cpus']} cores; one thread; {report['context']['date'][:10]}; load average {report['context']['load_avg'][0]:.1f}. Processor time, medians of interleaved repetitions in "
           "one process; above 1 the compiled model is faster than one layer after the other.")
    yield ""
    yield "| batch x widths | the plan | layer by layer, µs | compiled, µs | gain | blocks of 128 rows by hand, µs |"
    yield "| --- | --- | ---: | ---: | ---: | ---: |"
    for workload, by in medians(report).items():
        sizes, plan = workload.split("/")
        whole, ours = by["layer by layer"], by["compiled"]
        yield f"| {sizes.replace('x', ' x ')} | {plan} | {micro(whole)} | {micro(ours)} | {whole / ours:.2f} | {micro(by['128 rows by hand'])} |"


def matmul():
    report = load("matmul_bench.json")
    ratio = {}
    for run in report["benchmarks"]:
        kind, form, shape = run["name"].split("/")
        ratio.setdefault(tuple(int(n) for n in shape.split("x")), {})[kind, form] = 1 / run["median_ratio"]
    everything = [r for row in ratio.values() for r in row.values()]
    small = [r for shape, row in ratio.items() if max(shape) <= 256 for r in row.values()]
    mean = lambda values: math.exp(statistics.fmean(map(math.log, values)))
    context = report["context"]
    yield f"Machine: {context['cpu']}, {context['num_cpus']} cores; one thread; {context['openblas']}; {context['date'][:10]}. Processor time of dimity over that of OpenBLAS, medians of interleaved batches of calls."
    yield ""
    yield (f"Geometric mean {mean(small):.2f} up to 256 and {mean(everything):.2f} over all {len(everything)} products; slower than OpenBLAS in {sum(r > 1 for r in everything)} of them, "
           f"at worst {max(small):.3f} up to 256 and {max(everything):.3f} at all. nn: A B; nt: A times the transpose of B; tn: the transpose of A times B.")
    yield ""
    yield "| m x n x k | float nn | nt | tn | double nn | nt | tn |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    columns = [(kind, form) for kind in ("f32", "f64") for form in ("nn", "nt", "tn")]
    for shape, row in ratio.items():
        yield f"| {' x '.join(map(str, shape))} | " + " | ".join(f"{row[c]:.2f}" for c in columns) + " |"


def compile_time():
    report = load("compile_time.json")
    yield f"Machine: {report['cpu']}; one core; {report['date']}; the best of {report['runs']} runs, -O2 -march=native, default limits on constant evaluation (scan tower, twelve blocks: those of the CMake target)."
    yield ""
    yield "| program | compiler | seconds | MB | instantiations | budget |"
    yield "| --- | --- | ---: | ---: | ---: | --- |"
    for compiler, rows in report["compilers"].items():
        short = re.sub(r"^(?:Debian )?(g\+\+|clang).*?(\d+\.\d+\.\d+).*", r"\1 \2", compiler)
        for program, row in rows.items():
            yield (f"| {program.replace('_', ' ')} | {short} | {row['seconds']:.2f} | {row['megabytes']} | {row.get('instantiations', '')} | "
                   f"{row['budget']}{': missed' if row['over'] else ''} |")


def include_time():
    report = load("include_time.json")
    yield f"Machine: {report['cpu']}; {report['date']}. Processor time of the compiler, medians of {report['runs']} interleaved runs; in brackets beside xsimd's header."
    yield ""
    columns = [(compiler, flags) for compiler in report["compilers"] for flags in dict.fromkeys(row["flags"] for row in report["rows"])]
    yield "| header, s | " + " | ".join(f"{compiler.split('-')[0]} {report['compilers'][compiler]}, {flags}" for compiler, flags in columns) + " |"
    yield "| --- |" + " ---: |" * len(columns)
    cells = {(row["compiler"], row["flags"], row["header"]): row for row in report["rows"]}
    for header in dict.fromkeys(row["header"] for row in report["rows"]):
        found = [cells.get((*column, header)) for column in columns]
        yield f"| `<{header}>` | " + " | ".join(f"{row['seconds']:.2f} ({row['ratio']:.2f}){': over the budget' if row['over'] else ''}" if row else "" for row in found) + " |"


def write(path, name, text):
    """Replaces what is between the two markers of a table."""
    begin, end = f"<!-- {name}: written by benchmarks/report.py -->\n", f"<!-- end of {name} -->"
    content = path.read_text()
    if begin not in content:
        return
    before, rest = content.split(begin)
    path.write_text(before + begin + text + end + rest.split(end, 1)[1])


for table in (limits, extents, gradbench, linalg, fft, convolution, threads, attention, bfloat16, float8, integer, row_chain, matmul, compile_time, include_time):
    source = results / (f"{table.__name__}.json" if table in (compile_time, include_time) else f"{table.__name__}_bench.json")
    if not source.exists():
        continue
    text = "\n".join(table()) + "\n"
    (results / f"{table.__name__}.md").write_text(text)
    for page in (here.parent / "docs" / "performance.md", here.parent / "docs" / "gradbench.md", here.parent / "docs" / "run_time_extents.md", here.parent / "docs" / "linear_algebra.md", here.parent / "docs" / "convolutions.md", here.parent / "docs" / "threads.md", here.parent / "docs" / "attention.md", here.parent / "docs" / "float16.md", here.parent / "docs" / "integers.md", here.parent / "README.md"):
        write(page, table.__name__, text)
    if "--quiet" not in sys.argv:
        print(text)
