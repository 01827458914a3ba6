"""Renders benchmarks/results/peers.json as docs/peers.md with pictures. Standard library only; what the page says of speed comes from the file.

usage: report.py [results.json]
"""
import json
import pathlib
import re
import sys

import svg
import targets

here = pathlib.Path(__file__).resolve().parent
docs = here.parent.parent / "docs"
order = ["hand", "Eigen", "xtensor", "OpenBLAS", "oneDNN", "JAX", "PyTorch", "torch.compile", "ONNX Runtime", "TFLite"]


def micro(ns):
    """Microseconds with three digits."""
    value = ns / 1000
    return f"{value:,.0f}" if value >= 100 else f"{float(f'{value:.3g}'):g}"


class Results:
    def __init__(self, report):
        self.report, self.workloads = report, report["workloads"]
        self.rows = report["results"]
        self.entry = {(r["workload"], r["peer"], r["threads"]): r for r in self.rows if r["status"] == "ok"}
        self.one = self.times(1)

    def times(self, threads):
        by = {}
        for (workload, peer, count), r in self.entry.items():
            if count == threads:
                by.setdefault(workload, {})[peer] = r["ns"]
        return by

    def best_peer(self, workload):
        others = {p: ns for p, ns in self.one.get(workload, {}).items() if p not in ("dimity", "hand")}
        return min(others, key=others.get) if others else None

    def compared(self):
        """(ratio, workload, best peer), the lowest first: how many times as long the best peer takes."""
        found = []
        for workload, by in self.one.items():
            best = self.best_peer(workload)
            if best and "dimity" in by:
                found.append((by[best] / by["dimity"], workload, best))
        return sorted(found)


def head(r):
    report = r.report
    loads = [entry["load"] for entry in report["load"]]
    machine = report["machine"]
    yield "# Against the peers"
    yield ""
    yield "<!-- Written by benchmarks/peers/report.py from benchmarks/results/peers.json. -->"
    yield ""
    yield (f"Machine: {machine['cpu']}, {machine['cores']} cores; {report['date']}; {machine['compiler']}, -O3 -march=native. {report['rounds']} rounds: in each, every library runs every workload of a family for "
           f"{report['slice_ms']:g} ms in a process of its own, pinned to the same core, in turn; times are medians over the rounds, with one thread of the processor's time, with two of the clock's. Results are checked against NumPy in float64 before anything is timed.")
    yield ""
    quiet = all(entry["load"] < entry["threads"] + 0.5 for entry in report["load"])
    yield f"Load average during the run: {min(loads):.1f} to {max(loads):.1f}." + ("" if quiet else f" The machine has {machine['cores']} cores and was **not quiet**: processor time does not count the others' turns, but caches and memory are shared with them, so single rows may be off by more than their spread says.")
    yield ""
    yield "Versions: " + ", ".join(f"{name} {version}" for name, version in report["versions"].items() if name != "hand") + "."
    for threads, missing in report["missing"].items():
        for name, why in missing.items():
            yield f"Left out with {threads} thread{'s' if threads != '1' else ''}: {name}, {why}."
    yield ""
    yield "A ratio is the time of the best peer over that of dimity: above 1 dimity is faster. `by hand` is a loop written with xsimd for this workload, a limit and not a peer. ° marks workloads so small that in libraries called from Python the way into the library takes most of the time."
    yield ""


def title(r, workload):
    return r.workloads[workload]["title"] + (" °" if r.workloads[workload]["dispatch"] else "")


def behind(r):
    losing = [row for row in r.compared() if row[0] < 1]
    yield "## Where dimity is behind"
    yield ""
    if not losing:
        yield "Nowhere in this run."
        yield ""
        return
    yield f"{len(losing)} of {len(r.compared())} workloads, one thread. Where the middle halves of the rounds overlap the difference is within what this run can tell."
    yield ""
    yield "| workload | dimity, µs | best peer, µs | ratio | |"
    yield "| --- | ---: | ---: | ---: | --- |"
    for ratio, workload, best in losing:
        ours, theirs = r.entry[workload, "dimity", 1], r.entry[workload, best, 1]
        yield f"| {title(r, workload)} | {micro(ours['ns'])} | {best} {micro(theirs['ns'])} | {ratio:.2f} | {'within the spread' if ours['low'] <= theirs['high'] else ''} |"
    yield ""


def refused(r):
    bad = [row for row in r.rows if row["status"] in ("wrong", "failed", "lost") or row["peer"] == "dimity" and row["status"] == "refused"]
    absent = [w for w in r.workloads if "dimity" not in r.one.get(w, {})]
    if not bad and not absent:
        return
    yield "## Not timed"
    yield ""
    for workload in absent:
        yield f"- {r.workloads[workload]['title']}: not in dimity's worker yet."
    for row in bad:
        if row["workload"] not in absent or row["peer"] != "dimity":
            yield f"- {r.workloads[row['workload']]['title']}, {row['peer']}: {row['status']}, {row.get('reason', '')}."
    yield ""


def goals(r):
    yield "## Targets"
    yield ""
    yield "| ratio of times, one thread | at least | measured | |"
    yield "| --- | ---: | ---: | --- |"
    for row in targets.Targets(r.one, r.workloads, r.rows).all():
        yield "| " + " | ".join(row) + " |"
    yield ""


def cell(r, workload, peer, threads):
    row = r.entry.get((workload, peer, threads))
    if not row:
        return ""
    spread = (row["high"] - row["low"]) / row["ns"]
    return micro(row["ns"]) + (f" ±{50 * spread:.0f}%" if spread > 0.1 else "")


def tables(r):
    yield "## All results, one thread"
    yield ""
    yield "Microseconds; ±: half the distance between the quartiles, where that is above 5 %."
    yield ""
    for family in dict.fromkeys(w["family"] for w in r.workloads.values()):
        names = [n for n, w in r.workloads.items() if w["family"] == family]
        peers = [p for p in order if any(p in r.one.get(n, {}) for n in names)]
        yield f"### {family.capitalize()}"
        yield ""
        yield "| workload | dimity | " + " | ".join("by hand" if p == "hand" else p for p in peers) + " | ratio |"
        yield "| --- |" + " ---: |" * (len(peers) + 2)
        ratio = {workload: f"{value:.2f}" for value, workload, _ in r.compared()}
        for n in names:
            yield f"| {title(r, n)} | {cell(r, n, 'dimity', 1)} | " + " | ".join(cell(r, n, p, 1) for p in peers) + f" | {ratio.get(n, '')} |"
        yield ""
    yield "### Latency of single calls"
    yield ""
    yield "| workload | | median, µs | 99th percentile, µs | allocations |"
    yield "| --- | --- | ---: | ---: | ---: |"
    for (workload, peer, threads), row in r.entry.items():
        if "p50" in row and threads == 1:
            allocations = f"{row['allocations']:g}" if "allocations" in row else ""
            yield f"| {title(r, workload)} | {peer} | {micro(row['p50'])} | {micro(row['p99'])} | {allocations} |"
    yield ""


def two_threads(r):
    two = r.times(2)
    if not two:
        return
    peers = [p for p in ["dimity", *order] if any(p in by for by in two.values())]
    load = max(entry["load"] for entry in r.report["load"] if entry["threads"] == 2)
    yield "## Two threads"
    yield ""
    if load >= r.report["machine"]["cores"] + 0.5:
        yield (f"Left out: other programs kept the machine busy (load average up to {load:.1f}). A thread that waits for one that is not running waits for the scheduler, so such times say nothing of "
               "a library.")
        yield ""
        return
    yield "Microseconds, and how many times as fast as the same library with one thread." + ("" if "dimity" in peers else " dimity runs in one thread.")
    yield ""
    yield "| workload | dimity, one thread | " + " | ".join(peers) + " |"
    yield "| --- | ---: |" + " ---: |" * len(peers)
    for workload, by in two.items():
        cells = []
        for p in peers:
            gain = f" ({r.one[workload][p] / by[p]:.1f})" if p in by and p in r.one.get(workload, {}) else ""
            cells.append(micro(by[p]) + gain if p in by else "")
        yield f"| {title(r, workload)} | {cell(r, workload, 'dimity', 1)} | " + " | ".join(cells) + " |"
    yield ""


def draw(r, folder):
    folder.mkdir(exist_ok=True)
    pictures = {}

    def curve(file, heading, x_title, y_title, sizes, name_of, value):
        series = {}
        for peer in ["dimity", *order]:
            points = [(x, value(name_of(x), r.one[name_of(x)][peer])) for x, _ in sizes if peer in r.one.get(name_of(x), {})]
            if len(points) > 1:
                series[peer] = points
        if series:
            pictures[file] = (heading, svg.lines(heading, x_title, y_title, series, sizes))

    curve("peers_matmul.svg", "Matrix product n x n x n, float, one thread", "n", "GFLOP/s", [(n, str(n)) for n in (2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048)],
          lambda n: f"matmul-{n}x{n}x{n}", lambda name, ns: r.workloads[name]["flops"] / ns)
    sizes = [(4 << 10, "4 Ki"), (64 << 10, "64 Ki"), (1 << 20, "1 Mi"), (16 << 20, "16 Mi")]
    for kind, heading in (("gelu_chain", "GELU of a x + b"), ("gelu_gradient", "Gradient of the sum of GELU of a x + b")):
        curve(f"peers_{kind}.svg", heading + ", one thread", "floats in each array", "GB/s of inputs and results", sizes, lambda n, kind=kind: f"{kind}-{n}", lambda name, ns: r.workloads[name]["bytes"] / ns)
    rows, family = [], None
    for workload, by in r.one.items():
        if "dimity" not in by or len(by) < 2:
            continue
        if r.workloads[workload]["family"] != family:
            family = r.workloads[workload]["family"]
            rows.append((family.capitalize(), None))
        # What takes a hundred times as long would leave no room for the rest.
        rows.append((re.sub(r" \(.*?\)", "", r.workloads[workload]["title"]).replace("forward and backward", "and gradient"), {p: min(by[p] / by["dimity"], 100) for p in order if p in by}))
    if rows:
        pictures["peers_overview.svg"] = ("All workloads", svg.dots("Time of each library over that of dimity, one thread", "to the right of 1 dimity is faster; 100 and more is shown as 100", rows))
    for file, (_, content) in pictures.items():
        (folder / file).write_text(content)
    return pictures


def main():
    path = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else here.parent / "results" / "peers.json"
    r = Results(json.loads(path.read_text()))
    pictures = draw(r, docs / "pictures")
    lines = [*head(r), *behind(r), *refused(r), *goals(r), "## Pictures", ""]
    for file in ("peers_overview.svg", *(f for f in pictures if f != "peers_overview.svg")):
        if file in pictures:
            lines += [f"![{pictures[file][0]}](pictures/{file})", ""]
    lines += [*tables(r), *two_threads(r)]
    (docs / "peers.md").write_text("\n".join(lines).rstrip() + "\n")


if __name__ == "__main__":
    main()
