"""Measures what including dimity costs beside other headers: files that include one header and nothing else, interleaved in random order, processor time of the compiler.

usage: include_time.py [--runs N]

The budget for dimity's header is 1.5 s, set on a machine where xsimd's header, which dimity's includes, took 0.48 s with g++ and 0.53 s with clang
(-std=c++20 -fsyntax-only). Machines differ by more than a factor of two, so what is held against it is the ratio to xsimd's header in the same run. Exits with 1
where it is exceeded. Eigen's rows are there if it is installed (apt: libeigen3-dev).
"""

import argparse
import json
import pathlib
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from machine import processor_name

here = pathlib.Path(__file__).resolve().parent
headers = ["complex", "xsimd/xsimd.hpp", "dimity/dimity.hpp", "Eigen/Core", "Eigen/Dense"]
flag_sets = {"-fsyntax-only": ["-fsyntax-only"], "-O2 -march=native": ["-O2", "-march=native", "-c", "-o", "/dev/null"]}
budgets = {"g++": 1.5 / 0.48, "clang++-19": 1.5 / 0.53}


def compile_once(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    result = subprocess.run(command, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return None if result.returncode else after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--runs", type=int, default=9)
    options = arguments.parse_args()

    includes = ["-I", str(here.parent / "include"), "-isystem", "/usr/include/eigen3"]
    compilers = [name for name in budgets if shutil.which(name)]
    if not compilers:
        sys.exit("neither g++ nor clang++-19 is installed")
    times = {}
    with tempfile.TemporaryDirectory() as folder:
        sources = {header: pathlib.Path(folder) / f"{number}.cpp" for number, header in enumerate(headers)}
        for header, source in sources.items():
            source.write_text(f"#include <{header}>\n")
        cases = [(compiler, flags, header) for compiler in compilers for flags in flag_sets for header in headers]
        for _ in range(options.runs):
            random.shuffle(cases)
            for compiler, flags, header in cases:
                seconds = compile_once([compiler, "-std=c++20", *flag_sets[flags], *includes, str(sources[header])])
                if seconds is not None:
                    times.setdefault((compiler, flags, header), []).append(seconds)

    for needed in ("xsimd/xsimd.hpp", "dimity/dimity.hpp"):
        for compiler in compilers:
            if any((compiler, flags, needed) not in times for flags in flag_sets):
                sys.exit(f"<{needed}> does not compile with {compiler}")

    rows, failures = [], 0
    for compiler in compilers:
        for flags in flag_sets:
            for header in headers:
                if (compiler, flags, header) not in times:
                    continue
                seconds = statistics.median(times[compiler, flags, header])
                ratio = seconds / statistics.median(times[compiler, flags, "xsimd/xsimd.hpp"])
                over = header.startswith("dimity") and ratio > budgets[compiler]
                failures += over
                rows.append({"compiler": compiler, "flags": flags, "header": header, "seconds": round(seconds, 3), "ratio": round(ratio, 2),
                             "budget": round(budgets[compiler], 2) if header.startswith("dimity") else None, "over": over})
                print(f"{compiler:12}{flags:20}{header:20}{seconds:8.2f} s{ratio:8.2f}{'  over ' + format(budgets[compiler], '.2f') if over else ''}")

    cpu = processor_name()
    report = {"cpu": cpu, "date": time.strftime("%Y-%m-%d"), "runs": options.runs, "rows": rows,
              "compilers": {name: subprocess.run([name, "-dumpfullversion" if name == "g++" else "-dumpversion"], capture_output=True, text=True).stdout.strip() for name in compilers}}
    (here / "results").mkdir(exist_ok=True)
    (here / "results" / "include_time.json").write_text(json.dumps(report, indent=2) + "\n")
    subprocess.run([sys.executable, here / "report.py", "--quiet"], check=True)
    return failures > 0


if __name__ == "__main__":
    sys.exit(main())
