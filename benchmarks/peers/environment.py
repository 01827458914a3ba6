"""The private virtual environment of the peers that come from PyPI, under build/peers. Standard library only."""
import os
import pathlib
import shutil
import subprocess
import sys

here = pathlib.Path(__file__).resolve().parent
root = here.parent.parent
folder = root / "build" / "peers"
python = folder / "venv" / "bin" / "python"

# The name that pip knows, the module, and how much room it needs.
packages = [("numpy", "numpy", 0.2), ("jax[cpu]", "jax", 1.5), ("onnxruntime", "onnxruntime", 0.3), ("onnx", "onnx", 0.2), ("ai-edge-litert", "ai_edge_litert", 0.2)]
cpu_wheels = "https://download.pytorch.org/whl/cpu"


def has(module):
    return subprocess.run([python, "-c", f"import importlib.util, sys; sys.exit(importlib.util.find_spec({module!r}) is None)"], capture_output=True).returncode == 0


def pip(*arguments):
    return subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *arguments]).returncode == 0


def room():
    return shutil.disk_usage(folder).free / 1e9


def install():
    """Installs what is missing. What cannot be had is said, and left out."""
    folder.mkdir(parents=True, exist_ok=True)
    if not python.exists():
        print(f"Making {python.parent.parent}", flush=True)
        subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    for name, module, gigabytes in packages:
        if has(module):
            continue
        print(f"Installing {name}", flush=True)
        if room() < gigabytes + 1 or not pip(name):
            print(f"{name} could not be installed: left out")
    if not has("torch"):
        print("Installing torch", flush=True)
        # The CPU build has a quarter of the size, but it is not on PyPI.
        if not pip("torch", "--retries", "0", "--index-url", cpu_wheels):
            if room() < 12 or not pip("torch"):
                print("torch could not be installed: left out")
    return has("numpy")


def restart_inside():
    """Goes on with the same program in the virtual environment."""
    if pathlib.Path(sys.prefix).resolve() != (folder / "venv").resolve():
        os.execv(python, [str(python), *sys.argv])
