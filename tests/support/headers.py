"""Compiles each header alone, included twice. A header that does not include core/config.hpp would open a namespace that is called DIMITY_NAMESPACE, and nothing else would tell.

usage: headers.py INCLUDE_DIR -- COMPILER FLAGS...
"""

import concurrent.futures
import pathlib
import subprocess
import sys

root = pathlib.Path(sys.argv[1])
command = sys.argv[sys.argv.index("--") + 1 :]
cccl = pathlib.Path("/usr/local/cuda/include/cccl")


def compile_alone(header):
    # Kernels are CUDA C++: here what emulates it stands for nvcc.
    is_cuda = "cuda" in header.parts or header.name == "cuda.hpp"
    source = f'#include "{pathlib.Path(__file__).parent / "emulated_cuda.hpp"}"\n' if is_cuda else ""
    source += f"#include <{header}>\n" * 2 + "#ifndef DIMITY_NAMESPACE\n#error dimity/core/config.hpp is not included\n#endif\n"
    if header.name == "thrust.hpp":
        if not cccl.exists():
            return None
        return subprocess.run([*command, "-DTHRUST_DEVICE_SYSTEM=THRUST_DEVICE_SYSTEM_CPP", f"-I{pathlib.Path(__file__).parent}/emulated_toolkit", "-isystem", cccl, "-fsyntax-only", "-x", "c++", "-"], input=source, capture_output=True, text=True, errors="replace")
    return subprocess.run([*command, "-fsyntax-only", "-x", "c++", "-"], input=source, capture_output=True, text=True, errors="replace")


headers = sorted(path.relative_to(root) for path in root.rglob("*.hpp"))
failures = skipped = 0
with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
    for header, result in zip(headers, pool.map(compile_alone, headers)):
        if result is None:
            skipped += 1
            print(f"{header} needs the CUDA toolkit: skipped")
        elif result.returncode != 0 or result.stderr:
            failures += 1
            print(f"{header} does not compile alone:\n{result.stderr[:2000]}")
print(f"{len(headers) - failures - skipped} of {len(headers)} headers compile alone")
sys.exit(failures > 0 or not headers)
