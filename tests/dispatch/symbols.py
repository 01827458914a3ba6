"""Checks that code for an instruction set can be reached through dispatched functions only.

usage: symbols.py OBJDUMP READELF PROGRAM DIR ARCHITECTURE OBJECT [ARCHITECTURE OBJECT]...

PROGRAM's baseline is plain x86-64. OBJECT is what the compiler wrote for ARCHITECTURE; DIR has what dimity_dispatch made of it, <program>_dispatched_1_<architecture>.o. In that, only dispatched functions are code that others see,
there are no groups from which the linker would choose, and nothing that would run at the start of the program. In the program, no function that files share uses vectors wider than SSE's. The compiler's own objects must fail the first
of these: otherwise the sources have nothing that could go wrong.
"""

import pathlib
import re
import subprocess
import sys

objdump, readelf, program, folder, *pairs = sys.argv[1:]
complaints = []


def lines(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


def symbols(path):
    """Name and whether others see it, of each function."""
    for line in lines(objdump, "--syms", path):
        match = re.match(r"[0-9a-f]+ (.)(.)....F (\S+)\s+[0-9a-f]+ +(?:\.[a-z]+ +)?(\S+)$", line)
        if match and match[3] != "*UND*":
            yield match[4], match[1] in "gu!" or match[2] == "w"


def is_standard(name):
    return re.match(r"_ZN?K?St", name) is not None


for architecture, raw in zip(pairs[::2], pairs[1::2]):
    made = pathlib.Path(folder, f"{pathlib.Path(program).name}_dispatched_1_{architecture}.o")

    def offenders(path):
        return [name for name, is_seen in symbols(path) if is_seen and f"dimity_{architecture}_version_of_" not in name]

    complaints += [f"{made.name}: others see {name}" for name in offenders(made)]
    if not any(is_seen for _, is_seen in symbols(made)):
        complaints.append(f"{made.name}: no dispatched function")
    if not any(map(is_standard, offenders(raw))) or not any(is_standard(name) for name, is_seen in symbols(made) if not is_seen):
        complaints.append(f"{raw}: nothing of the standard library is in it, so that this test cannot fail")
    if any("COMDAT" in line for line in lines(readelf, "--section-groups", "--wide", made)):
        complaints.append(f"{made.name}: has groups")
    sections = " ".join(lines(readelf, "--sections", "--wide", made))
    if re.search(r" \.init_array ", sections) or f" dimity_initialize_{architecture} " not in sections:
        complaints.append(f"{made.name}: what runs at the start of the program was not moved")

shared = {name for name, is_seen in symbols(program) if is_seen and "_version_of_" not in name}
function, wide = "", {}
for line in lines(objdump, "--disassemble", "--no-show-raw-insn", program):
    if match := re.match(r"[0-9a-f]+ <([^>]+)>:$", line):
        function = match[1]
    elif "%ymm" in line or "%zmm" in line:
        wide.setdefault(function, line.strip())
complaints += [f"{name} is shared, and has {wide[name]}" for name in sorted(shared & wide.keys())]
if not wide:
    complaints.append(f"{program}: no wide vectors at all, so that this test cannot fail")

print(*complaints, f"{len(shared)} shared functions, {len(wide)} functions with wide vectors", sep="\n")
sys.exit(bool(complaints))
