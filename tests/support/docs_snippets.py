"""Compiles and runs the code in README.md and docs/*.md.

usage: docs_snippets.py PROJECT_DIR -- COMPILER FLAGS...

A ```cpp block is tested when a comment stands before it:

  <!-- test: run -->                 compiled and run
  <!-- test: compile -->             compiled only
  <!-- test: nvcc -->                a whole program, compiled by nvcc where there is one
  <!-- test: run, continued -->      after the tested blocks before it on the page, as one program (`compile, continued` likewise)
  <!-- output -->                    before a ```text block: what the program above it must print

Blocks that include <dimity/cuda.hpp> run on the emulated GPU. A block without a main of its own is wrapped: definitions go to namespace scope, statements into main.
"""

import concurrent.futures
import difflib
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass

# What may hold braces, semicolons or quotes without meaning them.
TOKEN = re.compile(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'|[\s\S]', re.DOTALL)
DEFINES = re.compile(r"(template|struct|class|enum|union|namespace|using|concept|constexpr|inline|static_assert|typedef|\[\[)\b")
CONTROLS = re.compile(r"(if|for|while|do|switch|try|else)\b")


def chunks(code):
    """Cuts code into preprocessor lines, statements and definitions."""
    chunk, bare, depth = "", "", 0  # bare: the chunk without comments and strings
    tokens = [match.group(0) for match in TOKEN.finditer(code)]
    for index, token in enumerate(tokens):
        chunk += token
        if len(token) > 1:
            bare += " " if token.startswith("/") else '""'
        else:
            bare += token
        text = bare.strip()
        if text.startswith("#"):
            if token == "\n":
                yield chunk, text
                chunk, bare = "", ""
            continue
        depth += {"{": 1, "(": 1, "[": 1, "}": -1, ")": -1, "]": -1}.get(token, 0)
        ends = depth == 0 and token == ";"
        if depth == 0 and token == "}":
            rest = "".join(tokens[index + 1 :]).lstrip()
            is_block = CONTROLS.match(text) or re.match(r"namespace\b", text) or text.startswith("{") or is_function(text)
            goes_on = {"if": "else", "do": "while", "try": "catch"}.get(re.match(r"\w*", text)[0])
            ends = bool(is_block) and not (goes_on and re.match(rf"{goes_on}\b", rest))
        if ends:
            yield chunk, text
            chunk, bare = "", ""
    if bare.strip():
        yield chunk, bare.strip()


def is_function(text):
    """Whether a chunk is a function definition: a parameter list, then a body, and no initialiser before it."""
    head = re.sub(r"\[\[.*?\]\]", "", text.split("{", 1)[0]).strip()
    return (
        "{" in text
        and not CONTROLS.match(text)
        and re.search(r"\)\s*(const|noexcept|->.*)?\s*$", head, re.DOTALL) is not None
        and "=" not in re.sub(r"<[^<>]*>|\([^()]*\)", "", head)
        and re.match(r"[\w:<>,\s*&]+[\s*&]\w+\s*\(", head) is not None
    )


def program(code):
    # Code for GPUs runs on the emulated one.
    emulation = f'#include "{pathlib.Path(__file__).parent / "emulated_cuda.hpp"}"\n' if "<dimity/cuda.hpp>" in code else ""
    includes = emulation + "#include <dimity/dimity.hpp>\n#include <cstdio>\n#include <iostream>\n#include <tuple>\n#include <utility>\n"
    if re.search(r"\bint\s+main\s*\(", code):
        return includes + code
    outside, inside = "", ""
    for chunk, text in chunks(code):
        if text.startswith("#") or DEFINES.match(text) or is_function(text):
            outside += chunk
        else:
            inside += chunk
    return f"{includes}using namespace dimity;\n{outside}\nint main() {{\n{inside}\n}}\n"


@dataclass
class Snippet:
    where: str
    run: bool
    code: str
    output: str | None = None
    by_nvcc: bool = False


def snippets_of(page, name):
    """The tested blocks of one page, and how many blocks nothing tests."""
    found, untested, marker = [], 0, None
    block = re.compile(r"^(?:<!-- (?P<marker>[^\n]*?) -->|```(?P<language>\w*)\n(?P<code>.*?)^```)[ \t]*$", re.MULTILINE | re.DOTALL)
    text = page.read_text()
    for match in block.finditer(text):
        if match["language"] is None:
            marker = match["marker"].strip()
            continue
        line = text.count("\n", 0, match.start()) + 1
        if match["language"] == "cpp":
            kind = re.fullmatch(r"test: (run|compile|nvcc)(, continued)?", marker or "")
            if kind:
                before = found[-1].code if kind[2] and found else ""
                found.append(Snippet(f"{name}:{line}", kind[1] == "run", before + match["code"], by_nvcc=kind[1] == "nvcc"))
            else:
                untested += 1
                if marker and marker.startswith("test:"):
                    raise SystemExit(f"{name}:{line}: no such test: '{marker}'")
        elif marker == "output":
            if not found or not found[-1].run:
                raise SystemExit(f"{name}:{line}: an output without a program that runs before it")
            found[-1].output = match["code"]
        marker = None
    return found, untested


def precompiled(command, folder):
    """A folder with the library's header, read once for all snippets; None where that does not work (only g++ finds it by itself)."""
    header = folder / "precompiled" / "dimity" / "dimity.hpp.gch"
    header.parent.mkdir(parents=True)
    source = folder / "umbrella.hpp"
    source.write_text("#include <dimity/dimity.hpp>\n")
    result = subprocess.run([*command, "-x", "c++-header", source, "-o", header], capture_output=True)
    header.with_suffix("").write_text("#include_next <dimity/dimity.hpp>\n")  # for a snippet that includes it once more
    return header.parent.parent if result.returncode == 0 else None


def check_by_nvcc(snippet, command, folder):
    nvcc = shutil.which("nvcc") or shutil.which("/usr/local/cuda/bin/nvcc")
    if nvcc is None:
        return None
    source = folder / "snippet.cu"
    source.write_text(snippet.code)
    includes = [flag for flag in command if flag.startswith("-I")]
    flags = ["-std=c++20", "-arch=sm_90", "-Xcudafe", "--max_cost_constexpr_call=2000000000", "-Xcompiler", "-fconstexpr-ops-limit=1000000000"]
    result = subprocess.run([nvcc, *flags, *includes, source, "-o", folder / "snippet"], capture_output=True, text=True, errors="replace")
    return f"nvcc does not compile it\n{result.stderr[:3000]}" if result.returncode != 0 else None


def check(snippet, command, folder, precompiled_folder):
    folder.mkdir()
    if snippet.by_nvcc:
        return check_by_nvcc(snippet, command, folder)
    if precompiled_folder and not re.search(r"^#\s*define", snippet.code, re.MULTILINE):
        command = [command[0], "-I", precompiled_folder, *command[1:]]
    source, binary = folder / "snippet.cpp", folder / "snippet"
    source.write_text(program(snippet.code))
    how = ["-o", binary] if snippet.run else ["-fsyntax-only"]
    result = subprocess.run([*command, source, *how], capture_output=True, text=True, errors="replace")
    if result.returncode != 0:
        return f"does not compile\n{result.stderr[:3000]}\n--- the program was\n{source.read_text()}"
    if not snippet.run:
        return None
    try:
        result = subprocess.run([binary], capture_output=True, text=True, errors="replace", timeout=120, cwd=folder)
    except subprocess.TimeoutExpired:
        return "did not finish in 120 s"
    if result.returncode != 0:
        return f"exit status {result.returncode}\n{result.stdout[-1000:]}{result.stderr[-1000:]}"
    if snippet.output is not None and snippet.output.rstrip() != result.stdout.rstrip():
        difference = difflib.unified_diff(snippet.output.splitlines(), result.stdout.splitlines(), "the page", "the program", lineterm="")
        return "prints something else\n" + "\n".join(difference)
    return None


def main():
    project = pathlib.Path(sys.argv[1])
    command = sys.argv[sys.argv.index("--") + 1 :]
    snippets, untested = [], 0
    for page in [project / "README.md", *sorted((project / "docs").rglob("*.md"))]:
        if page.exists():
            found, without = snippets_of(page, str(page.relative_to(project)))
            snippets += found
            untested += without
    failures = 0
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        folders = [pathlib.Path(folder, str(number)) for number in range(len(snippets))]
        header = precompiled(command, pathlib.Path(folder))
        for snippet, complaint in zip(snippets, pool.map(lambda snippet, own: check(snippet, command, own, header), snippets, folders)):
            if complaint:
                failures += 1
                print(f"{snippet.where}: {complaint}")
    print(f"{len(snippets) - failures} of {len(snippets)} snippets pass; {untested} cpp blocks carry no test")
    return 1 if failures else 0 if snippets else 77


if __name__ == "__main__":
    sys.exit(main())
