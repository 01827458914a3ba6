"""The machine that results name."""

import platform
import re


def processor_name():
    with open("/proc/cpuinfo") as lines:
        return next((re.sub(r".*:\s*", "", line).strip() for line in lines if line.startswith("model name")), platform.processor())
