"""Checks what a compiler says to one mistake.

usage: compile_fail.py FILE [--only-mistake] -- COMPILER FLAGS...

FILE must compile as it stands (not asked with --only-mistake; compile_fixed.py does that for all files at once). With -DMISTAKE it must not: one error, at most 15 lines of output (or the file's `// lines: N`), and every `// error: regex` line
of the file found in the output.
"""

import os
import pathlib
import re
import subprocess
import sys

source = pathlib.Path(sys.argv[1])
command = sys.argv[sys.argv.index("--") + 1 :]


def compile_source(*flags):
    # Plain ASCII quotes and English, whatever the locale.
    result = subprocess.run(
        [*command, "-fsyntax-only", *flags, str(source)], capture_output=True, text=True, errors="replace", env=os.environ | {"LC_ALL": "C"}
    )
    return result.returncode, result.stdout + result.stderr


text = source.read_text()
expected = re.findall(r"^// error: (.*)$", text, re.MULTILINE)
most = int((re.findall(r"^// lines: (\d+)", text, re.MULTILINE) or [15])[0])

complaints = []
status, output = (0, "") if "--only-mistake" in sys.argv[: sys.argv.index("--")] else compile_source()
if status != 0:
    complaints.append("does not compile even without the mistake")
else:
    status, output = compile_source("-DMISTAKE")
    errors = len(re.findall(r": (?:fatal )?error: ", output))
    lines = len(output.splitlines())
    if status == 0:
        complaints.append("the mistake compiles")
    else:
        if errors != 1:
            complaints.append(f"{errors} errors instead of one")
        if lines > most:
            complaints.append(f"{lines} lines of output, more than {most}")
        complaints += [f"no '{regex}' in the output" for regex in expected if not re.search(regex, output)]
if not expected:
    complaints.append("the file has no `// error: regex` line")

for complaint in complaints:
    print(f"{source.name}: {complaint}")
print(output[:6000])
sys.exit(bool(complaints))
