"""Builds a program against the installed package with what pkg-config says, and with nothing else.

usage: pkg_config.py PKG_CONFIG PREFIX VERSION CXX SOURCE_DIR
"""

import os
import pathlib
import shlex
import subprocess
import sys
import tempfile

pkg_config, prefix, version, cxx, sources = sys.argv[1:]
environment = os.environ | {"PKG_CONFIG_PATH": f"{prefix}/share/pkgconfig"}


def ask(*arguments):
    return subprocess.run([pkg_config, *arguments, "dimity"], env=environment, check=True, capture_output=True, text=True).stdout


assert ask("--modversion").strip() == version, ask("--modversion")
flags = shlex.split(ask("--cflags", "--libs"))
with tempfile.TemporaryDirectory() as folder:
    program = pathlib.Path(folder, "app")
    subprocess.run([cxx, "-std=c++20", *map(str, sorted(pathlib.Path(sources).glob("*.cpp"))), *flags, "-o", program], check=True)
    subprocess.run([program], check=True)
