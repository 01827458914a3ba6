"""Compiles a CUDA file for each architecture and looks at the machine code: no kernel may use local memory (spilled registers, arrays with run-time indices), and the lines of the file that say so must hold.

usage: sass.py FILE.cu INCLUDE_DIR [--architectures sm_80,sm_90] [--show] -- NVCC FLAGS...
A line `// kernel PATTERN: NAME==N NAME<=N ...` is about the one kernel whose mangled name PATTERN matches; NAME is an instruction (LDG.128, MUFU, ...), `registers` or `instructions`.

Instructions are read from the cubin itself: words of 128 bits (sm_70 to sm_90), the operation in bits 0 to 8, the width of an access in bits 73 to 75.
"""

import collections
import operator
import pathlib
import re
import struct
import subprocess
import sys
import tempfile

WIDTHS = {0: "8", 1: "8", 2: "16", 3: "16", 4: "32", 5: "64", 6: "128", 7: "?"}
MEMORY = {0x181: "LDG", 0x186: "STG", 0x183: "LDL", 0x187: "STL", 0x184: "LDS", 0x188: "STS", 0x1AE: "LDGSTS"}
OTHERS = {0x023: "FFMA", 0x021: "FADD", 0x020: "FMUL", 0x108: "MUFU", 0x02B: "DFMA", 0x189: "SHFL", 0x11D: "BAR", 0x147: "BRA", 0x144: "CALLREL", 0x03C: "HMMA", 0x03B: "LDSM", 0x118: "NOP", 0x14D: "EXIT"}
COMPARE = {"==": operator.eq, "<=": operator.le, ">=": operator.ge}


def kernels_of(cubin):
    data = cubin.read_bytes()
    (offset,) = struct.unpack_from("<Q", data, 0x28)
    size, count, names_at = struct.unpack_from("<HHH", data, 0x3A)
    headers = [struct.unpack_from("<IIQQQQIIQQ", data, offset + i * size) for i in range(count)]
    names = data[headers[names_at][4] :][: headers[names_at][5]]
    for h in headers:
        name = names[h[0] : names.index(b"\0", h[0])].decode()
        if not name.startswith(".text."):
            continue
        found = collections.Counter()
        for at in range(h[4], h[4] + h[5] - 15, 16):
            low, high = struct.unpack_from("<QQ", data, at)
            operation = low & 0x1FF
            if operation in MEMORY:
                found[f"{MEMORY[operation]}.{WIDTHS[high >> 9 & 7]}"] += 1
            elif operation in OTHERS:
                found[OTHERS[operation]] += 1
            found["instructions"] += operation != 0x118
        yield name[len(".text.") :], found


def main():
    split = sys.argv.index("--")
    source, include = pathlib.Path(sys.argv[1]), sys.argv[2]
    options, command = sys.argv[3:split], sys.argv[split + 1 :]
    architectures = "sm_80,sm_90"
    if "--architectures" in options:
        architectures = options[options.index("--architectures") + 1]
    wanted = re.findall(r"^// kernel (\S+): (.*)$", source.read_text(), re.M)
    complaints, checked = [], 0
    for architecture in architectures.split(","):
        with tempfile.TemporaryDirectory() as folder:
            cubin = pathlib.Path(folder) / "kernels.cubin"
            run = subprocess.run([*command, f"-I{include}", f"-arch={architecture}", "-Xptxas", "-v", "-cubin", "-o", str(cubin), str(source)], capture_output=True, text=True, errors="replace")
            if run.returncode != 0:
                print(run.stdout[-3000:], run.stderr[-6000:])
                return 1
            found = dict(kernels_of(cubin))
        for name, stack, stores, loads in re.findall(r"Function properties for (\S+)\n\s*(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads", run.stderr):
            if name in found and (stack, stores, loads) != ("0", "0", "0"):
                complaints.append(f"{architecture}: {name}: {stack} bytes of stack, {stores} and {loads} bytes spilled")
        for name, count in re.findall(r"Compiling entry function '(\S+)'(?:(?!Compiling entry).)*?Used (\d+) registers", run.stderr, re.S):
            found[name]["registers"] = int(count)
        for name, counts in found.items():
            checked += 1
            if any(counts[f"{op}.{w}"] for op in ("LDL", "STL") for w in ("8", "16", "32", "64", "128")):
                complaints.append(f"{architecture}: {name} uses local memory")
        for pattern, conditions in wanted:
            matching = [name for name in found if re.search(pattern, name)]
            if len(matching) != 1:
                complaints.append(f"{architecture}: {len(matching)} kernels match {pattern}")
                continue
            counts = found[matching[0]]
            if "--show" in options:
                print(architecture, pattern, dict(sorted(counts.items())))
            for name, comparison, number in re.findall(r"(\S+?)(==|<=|>=)(\d+)", conditions):
                if not COMPARE[comparison](counts[name], int(number)):
                    complaints.append(f"{architecture}: {pattern}: {name} is {counts[name]}, not {comparison} {number}")
    print("\n".join(complaints))
    print(f"{checked} kernels for {architectures}, {len(complaints)} complaints")
    return 1 if complaints or not checked else 0


sys.exit(main())
