"""Checks that the programs of compile_fail/ compile as they stand: all in one, so that the library is read once. Those that define macros for the library are left to compile_fail.py.

usage: compile_fixed.py FILE... -- COMPILER FLAGS...
"""

import pathlib
import re
import subprocess
import sys
import tempfile

end = sys.argv.index("--")
sources, command = [pathlib.Path(name) for name in sys.argv[1:end]], sys.argv[end + 1 :]

headers, parts = ["#include <dimity/dimity.hpp>"], []
for number, source in enumerate(sources):
    lines = source.read_text().splitlines()
    if any(line.startswith("#define") for line in lines):
        continue
    headers += [line for line in lines if line.startswith("#include") and line not in headers]
    body = "\n".join("" if line.startswith("#include") else line for line in lines)
    parts.append(f'namespace program_{number} {{\n#line 1 "{source}"\n' + re.sub(r"\bint main\(\)", "[[maybe_unused]] static int program()", body) + "\n}\n")

with tempfile.TemporaryDirectory() as folder:
    everything = pathlib.Path(folder, "all.cpp")
    everything.write_text("\n".join(headers) + "\n" + "".join(parts))
    result = subprocess.run([*command, f"-I{sources[0].parent}", "-Wno-return-type", "-fsyntax-only", str(everything)], capture_output=True, text=True, errors="replace")
print(result.stderr[:6000])
print(f"{len(parts)} programs")
sys.exit(result.returncode)
