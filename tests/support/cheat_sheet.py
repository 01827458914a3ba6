"""Compiles the last column of every table of docs/cheat_sheet.md.

usage: cheat_sheet.py ROOT -- COMPILER FLAGS...
"""

import pathlib
import re
import subprocess
import sys
import tempfile

split = sys.argv.index("--")
root, compiler = pathlib.Path(sys.argv[1]), sys.argv[split + 1:]
text = (root / "docs" / "cheat_sheet.md").read_text()
given = re.search(r"<!-- cheat sheet: given -->\n```cpp\n(.*?)```", text, re.DOTALL)[1]
cells = []
for number, line in enumerate(text.splitlines(), 1):
    if not line.startswith("|") or set(line) <= set("| -") or line.rstrip().endswith("| dimity |"):
        continue
    cell = line.rstrip().rstrip("|").rsplit(" | ", 1)[1].strip()
    code = re.fullmatch(r"`([^`]+)`", cell)
    if not code:
        sys.exit(f"docs/cheat_sheet.md:{number}: the last cell is not one piece of code: {cell}")
    cells.append((number, code[1]))
functions = [line for line in given.splitlines() if line.startswith("constexpr auto")]
variables = [line for line in given.splitlines() if not line.startswith("constexpr auto")]
program = ["#include <dimity/dimity.hpp>", "#include <tuple>", "using namespace dimity;", *functions]
program.append("template <class X> auto made(X&& x) { if constexpr (operand<X>) return eval(static_cast<X&&>(x)); else return std::remove_cvref_t<X>(static_cast<X&&>(x)); }")
for number, code in cells:
    body = f"{code};" if re.search(r" [+]= ", code) else f"auto const result = made({code}); (void)result;"
    program += [f"void cell_{number}() {{", *variables, "(void)a, (void)b, (void)v, (void)m, (void)t, (void)q, (void)i, (void)labels, (void)mask, (void)k, (void)layer;",
                f"#line {number} \"docs/cheat_sheet.md\"", body, "}"]
with tempfile.TemporaryDirectory() as folder:
    source = pathlib.Path(folder) / "cheat_sheet.cpp"
    source.write_text("\n".join(program) + "\n")
    done = subprocess.run([*compiler, "-Wno-unused-value", "-fsyntax-only", source], capture_output=True, text=True)
if done.returncode:
    sys.exit(done.stderr[:6000])
print(f"{len(cells)} cells compile")
if len(cells) < 60:
    sys.exit("too few: the tables were not read")
