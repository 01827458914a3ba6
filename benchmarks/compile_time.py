"""Measures what compiling dimity costs, and holds it against the budgets written in the programs of compile_time/.

usage: compile_time.py [--runs N] [NAME...]

For each program and compiler: seconds and peak memory (the best of N runs), and with clang the number of template instantiations, which is the same on every
machine. A program says `// budget: 6 s, 800 MB` or `// budget: other_program + 0.5 s`. The compilers' default limits on constant evaluation apply, unless it says
`// limits: those of the CMake target`, and templates may nest 200 deep.
"""

import argparse
import json
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time

from machine import processor_name

here = pathlib.Path(__file__).resolve().parent
flags = ["-std=c++20", "-O2", "-march=native", "-ftemplate-depth=200", f"-I{here.parent / 'include'}"]


def limits_of(compiler, source):
    """The limits on constant evaluation that the CMake target sets, for programs that ask for them."""
    if "// limits: those of the CMake target" not in source.read_text():
        return []
    return ["-fconstexpr-steps=100000000"] if "clang" in compiler else ["-fconstexpr-ops-limit=1000000000", "-fconstexpr-loop-limit=10000000"]


def compile_once(command, log):
    """Exit status, seconds, and the peak memory in MB of the largest process (on Linux wait4 counts the driver's children in)."""
    with open(log, "w") as output:
        start = time.monotonic()
        process = subprocess.Popen(command, stdout=output, stderr=output)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, seconds, usage.ru_maxrss / 1024


def count_instantiations(compiler, source, folder):
    target = folder / "trace.o"
    subprocess.run([compiler, *flags, *limits_of(compiler, source), "-ftime-trace", "-ftime-trace-granularity=0", "-c", source, "-o", target], check=True)
    events = json.loads(target.with_suffix(".json").read_text())["traceEvents"]
    return sum(event["name"] in ("InstantiateClass", "InstantiateFunction") for event in events)


def measure(compiler, source, runs, folder):
    log = folder / "log"
    results = [compile_once([compiler, *flags, *limits_of(compiler, source), "-c", source, "-o", folder / "program.o"], log) for _ in range(runs)]
    if any(status != 0 for status, _, _ in results):
        return {"error": log.read_text()[:1500]}
    row = {"seconds": round(min(seconds for _, seconds, _ in results), 3), "megabytes": round(min(memory for _, _, memory in results))}
    if "clang" in compiler:
        row["instantiations"] = count_instantiations(compiler, source, folder)
    return row


def budget_of(source):
    """The budget that a program states: its words, and their parts."""
    found = re.search(r"^// budget: (?P<words>(?:(?P<base>\w+) \+ )?(?P<seconds>[\d.]+) s(?:, (?P<megabytes>\d+) MB)?)$", source.read_text(), re.MULTILINE)
    return (found["words"].replace("_", " "), found) if found else ("", None)


def over_budget(source, rows):
    """What is over the budget that the program states, in words."""
    _, budget = budget_of(source)
    row = rows[source.stem]
    if not budget:
        return
    seconds = float(budget["seconds"])
    if budget["base"]:
        if "seconds" not in rows.get(budget["base"], {}):
            yield f"{budget['base']} was not measured, and the budget of {source.stem} builds on it"
            return
        seconds += rows[budget["base"]]["seconds"]
    if row["seconds"] > seconds:
        yield f"{row['seconds']} s, more than {seconds:.2f} s"
    if budget["megabytes"] and row["megabytes"] > int(budget["megabytes"]):
        yield f"{row['megabytes']} MB, more than {budget['megabytes']} MB"


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("names", nargs="*")
    arguments.add_argument("--runs", type=int, default=3)
    options = arguments.parse_args()

    sources = sorted((here / "compile_time").glob("*.cpp"))
    sources = [source for source in sources if not options.names or source.stem in options.names]
    cpu = processor_name()
    report = {"machine": f"{platform.machine()}, {os.cpu_count()} cores", "cpu": cpu, "date": time.strftime("%Y-%m-%d"), "runs": options.runs, "flags": flags[:-1], "compilers": {}}
    failures = 0
    print(f"{'':12}{'':24}{'seconds':>8}{'MB':>7}{'instantiations':>16}")
    for compiler in filter(shutil.which, ("g++", "clang++-19")):
        rows = {}
        with tempfile.TemporaryDirectory() as folder:
            for source in sources:
                rows[source.stem] = measure(compiler, source, options.runs, pathlib.Path(folder))
        for source in sources:
            row = rows[source.stem]
            complaints = [row["error"]] if "error" in row else list(over_budget(source, rows))
            failures += bool(complaints)
            row["budget"] = budget_of(source)[0]
            row["over"] = bool(complaints)
            numbers = f"{row.get('seconds', ''):>8}{row.get('megabytes', ''):>7}{row.get('instantiations', ''):>16}"
            print(f"{compiler:12}{source.stem:24}{numbers}  {'; '.join(complaints)}")
        report["compilers"][subprocess.run([compiler, "--version"], capture_output=True, text=True).stdout.splitlines()[0]] = rows
    if not options.names:
        (here / "results").mkdir(exist_ok=True)
        (here / "results" / "compile_time.json").write_text(json.dumps(report, indent=2) + "\n")
        subprocess.run([sys.executable, here / "report.py", "--quiet"], check=True)
    return failures > 0 or not report["compilers"]


if __name__ == "__main__":
    sys.exit(main())
