"""Compiles each header alone, included twice. A header that does not include core/config.hpp would open a namespace that is called DIMITY_NAMESPACE, and nothing else would tell.

usage: headers.py INCLUDE_DIR -- COMPILER FLAGS...
"""

import concurrent.futures
import pathlib
import re
import subprocess
import sys
import tempfile

root = pathlib.Path(sys.argv[1])
command = sys.argv[sys.argv.index("--") + 1 :]
cccl = pathlib.Path("/usr/local/cuda/include/cccl")


def uses_xsimd(header):
    """Whether a header includes xsimd, itself or through others: then it compiles alone with xsimd read beforehand if and only if it does without."""
    found, left = {header}, [header]
    while left:
        name = left.pop()
        if name == pathlib.Path("xsimd/xsimd.hpp"):
            return True
        if (root / name).exists():
            new = {pathlib.Path(included) for included in re.findall(r"^#include <([^>]+)>", (root / name).read_text(), re.MULTILINE)} - found
            found |= new
            left += new
    return False


def compile_alone(header):
    # Kernels are CUDA C++: here what emulates it stands for nvcc.
    is_cuda = "cuda" in header.parts or header.name == "cuda.hpp"
    source = f'#include "{pathlib.Path(__file__).parent / "emulated_cuda.hpp"}"\n' if is_cuda else ""
    source += f"#include <{header}>\n" * 2 + "#ifndef DIMITY_NAMESPACE\n#error dimity/core/config.hpp is not included\n#endif\n"
    if header.name == "thrust.hpp":
        if not cccl.exists():
            return None
        return subprocess.run([*command, "-DTHRUST_DEVICE_SYSTEM=THRUST_DEVICE_SYSTEM_CPP", f"-I{pathlib.Path(__file__).parent}/emulated_toolkit", "-isystem", cccl, "-fsyntax-only", "-x", "c++", "-"], input=source, capture_output=True, text=True, errors="replace")
    beforehand = ["-include", xsimd] if uses_xsimd(header) else []
    return subprocess.run([*command, *beforehand, "-fsyntax-only", "-x", "c++", "-"], input=source, capture_output=True, text=True, errors="replace")


headers = sorted(path.relative_to(root) for path in root.rglob("*.hpp"))
failures = skipped = 0
with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
    # Reading xsimd is most of what such a header costs.
    xsimd = pathlib.Path(folder, "xsimd.hpp")
    xsimd.write_text("#include <xsimd/xsimd.hpp>\n")
    subprocess.run([*command, "-w", "-x", "c++-header", xsimd, "-o", f"{xsimd}.gch"], check=True)
    for header, result in zip(headers, pool.map(compile_alone, headers)):
        if result is None:
            skipped += 1
            print(f"{header} needs the CUDA toolkit: skipped")
        elif result.returncode != 0 or result.stderr:
            failures += 1
            print(f"{header} does not compile alone:\n{result.stderr[:2000]}")
print(f"{len(headers) - failures - skipped} of {len(headers)} headers compile alone")
sys.exit(failures > 0 or not headers)
