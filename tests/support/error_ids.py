"""Checks that error ids, their documentation and their tests agree.

usage: error_ids.py PROJECT_DIR

Every [dimity.topic.N] in include/ has a section (a heading that names it) in docs/errors.md and a file in tests/compile_fail/ that names it. An error that is
thrown rather than given by the compiler says `(run time)` in its heading; any test may name it. Sections about ids that no longer exist are refused too.
"""

import pathlib
import re
import sys

project = pathlib.Path(sys.argv[1])
identifier = re.compile(r"\[(dimity\.[a-z_]+\.\d+)\]")


def ids_in(paths):
    """Where each id occurs; regular expressions in tests escape dots and brackets."""
    found = {}
    for path in sorted(paths):
        for name in identifier.findall(path.read_text(errors="replace").replace("\\", "")):
            found.setdefault(name, path.relative_to(project))
    return found


used = ids_in(path for path in (project / "include").rglob("*") if path.is_file())
refused = ids_in((project / "tests" / "compile_fail").glob("*.cpp"))
tested = ids_in((project / "tests").rglob("*.cpp"))

page = project / "docs" / "errors.md"
headings = re.findall(r"^#+ .*$", page.read_text() if page.exists() else "", re.MULTILINE)
documented = {}
for heading in headings:
    for name in re.findall(r"dimity\.[a-z_]+\.\d+", heading):
        documented.setdefault(name, []).append(heading)

complaints = []
for name, where in sorted(used.items()):
    sections = documented.get(name, [])
    if len(sections) != 1:
        complaints.append(f"[{name}] ({where}) has {len(sections) or 'no'} sections in docs/errors.md instead of one")
    at_run_time = any("(run time)" in section for section in sections)
    if name not in (tested if at_run_time else refused):
        complaints.append(f"[{name}] ({where}) is named by no file in {'tests/' if at_run_time else 'tests/compile_fail/'}")
for name in sorted(documented.keys() - used.keys()):
    complaints.append(f"[{name}] has a section in docs/errors.md but no header gives it")
for name in sorted(tested.keys() - used.keys()):
    complaints.append(f"[{name}] is named by {tested[name]} but no header gives it")

print(*complaints, f"{len(used)} ids", sep="\n")
sys.exit(1 if complaints else 0 if used else 77)
