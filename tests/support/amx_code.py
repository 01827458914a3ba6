"""Compiles amx_code.cpp for Sapphire Rapids and looks at the kernels of tile registers: each step of k loads every operand's tile once and multiplies each pair of them once, and tiles are configured and released.

usage: amx_code.py FILE.cpp -- COMPILER FLAGS...
"""

import pathlib
import re
import subprocess
import sys
import tempfile

KERNEL = re.compile(r"add_tiles<(\d), (\d)>")


def functions_of(code):
    """Name -> [(address, instruction)]."""
    functions, name = {}, None
    for line in code.splitlines():
        if match := re.fullmatch(r"[0-9a-f]+ <(.*)>:", line):
            name = match[1]
            functions[name] = []
        elif name and (match := re.match(r" *([0-9a-f]+):\t(.*)", line)):
            functions[name].append((int(match[1], 16), match[2].strip()))
    return functions


def count(instructions, name):
    return sum(text.startswith(name) for _, text in instructions)


def loops_of(instructions):
    for at, text in instructions:
        if (match := re.match(r"j\w+ +([0-9a-f]+)", text)) and int(match[1], 16) <= at:
            yield [i for i in instructions if int(match[1], 16) <= i[0] <= at]


def main():
    split = sys.argv.index("--")
    source, command = pathlib.Path(sys.argv[1]), sys.argv[split + 1 :]
    with tempfile.TemporaryDirectory() as folder:
        target = pathlib.Path(folder) / "amx.o"
        subprocess.run([*command, "-c", str(source), "-o", str(target)], check=True)
        code = subprocess.run(["objdump", "-d", "-C", "--no-show-raw-insn", str(target)], check=True, capture_output=True, text=True).stdout
    functions = functions_of(code)
    complaints, kernels = [], 0
    for name, instructions in functions.items():
        if match := KERNEL.search(name):
            kernels += 1
            rows, columns = int(match[1]), int(match[2])
            # The smallest: compilers move what follows a loop before it.
            step = min((loop for loop in loops_of(instructions) if count(loop, "tdpbf16ps") > 0), key=len, default=[])
            found = count(step, "tdpbf16ps"), count(step, "tileloadd")
            if found != (rows * columns, rows + columns):
                complaints.append(f"{rows} x {columns} tiles: {found[0]} products and {found[1]} loads of tiles in a step")
    configured, released = (sum(count(f, i) for f in functions.values()) for i in ("ldtilecfg", "tilerelease"))
    products = sum("amx_product<" in name for name in functions)
    if kernels != 4 or products != 2:
        complaints.append(f"{kernels} kernels and {products} products, not 4 and 2")
    if configured == 0 or released == 0:
        complaints.append("tiles are not configured, or not released")
    print("\n".join(complaints) or f"{kernels} kernels of tiles, as they should be")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
