#!/usr/bin/env python3
"""The rules of the house that a compiler does not check. Usage: floors.py [SRC]; exit status 1 and one line per breach.

1. A folder of src/ includes only folders on lower floors (ARCHITECTURE.md has the table with what each one holds).
2. Files stay short: 600 lines, some less; tables are exempt by name.
3. At most 10 macros. Those that open an ISA region are not counted.
4. What the processor offers is asked by #if in the folders of that processor only.
5. A header opens with a comment that says what it is, and has #pragma once.
"""
import re
import sys
from pathlib import Path

FLOORS = {
    "base": 0,
    "sys": 1, "tensor": 1, "text": 1,
    "quant": 2, "sample": 2,
    "file": 3, "kernels": 3, "kv": 3,
    "spec": 4, "ops": 4,
    "plan": 5, "store": 5,
    "model": 6,
    "engine": 7,
    "serve": 8, "fetch": 8,
    "tools": 9,
}
MAIN_FLOOR = 10
# Of tools/, only the command that serves knows of HTTP, and only the one that downloads opens connections.
COMMAND_OF = {"serve": "tools/serve", "fetch": "tools/pull"}

MAX_LINES = 600
MAX_LINES_OF = {"model/decoder.cc": 250, "engine/engine.h": 200, "main.cc": 100}
TABLE = re.compile(r"_tables?(_\w+)?\.(cc|h)$")
MAX_MACROS = 10
ISA_FOLDERS = {"x86", "avx2", "avx512", "arm64", "neon"}
REGION_FILES = {"region_begin.h", "region_end.h"}

INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')
DEFINE = re.compile(r"^\s*#\s*define\s+(\w+)")
ISA_CONDITION = re.compile(r"^\s*#\s*(if|elif)\w*\b.*\b(__AVX\w*|__SSE\w*|__F16C__|__FMA__|__ARM_\w+|__x86_64__|__aarch64__)")


def include_breach(path, target):
    """Why `path` (relative to src/) may not include `target`, or None."""
    own, other = path.parts[0], target.split("/")[0]
    if other == "support":
        return None if path.stem.endswith("_test") else "only tests include support/"
    if "/" not in target:
        return "includes are written relative to src/"
    if other not in FLOORS:
        return f"{other}/ is on no floor"
    if own == other:
        return None
    if other in COMMAND_OF and not path.as_posix().startswith(COMMAND_OF[other]):
        return f"{path} may not include {other}/: only {COMMAND_OF[other]}*.cc does"
    own_floor = MAIN_FLOOR if len(path.parts) == 1 else FLOORS[own]
    if FLOORS[other] >= own_floor:
        return f"{own} (floor {own_floor}) may not include {other}/ (floor {FLOORS[other]})"
    return None


def check_file(path, text, macros):
    """Breaches in one file; `path` is relative to src/. Adds the names it defines to `macros`."""
    lines = text.splitlines()
    if len(path.parts) > 1 and path.parts[0] not in FLOORS:
        yield f"{path}: folder {path.parts[0]}/ is on no floor"
        return
    limit = MAX_LINES_OF.get(str(path), MAX_LINES)
    if len(lines) > limit and not TABLE.search(path.name):
        yield f"{path}: {len(lines)} lines, at most {limit}"
    if path.suffix == ".h" and path.name not in REGION_FILES:
        if "#pragma once" not in lines:
            yield f"{path}: no #pragma once"
        if not text.startswith("// "):
            yield f"{path}:1: a header opens with a comment that says what it is"
    for number, line in enumerate(lines, 1):
        if match := INCLUDE.match(line):
            if breach := include_breach(path, match[1]):
                yield f"{path}:{number}: {breach}"
        if (match := DEFINE.match(line)) and path.name not in REGION_FILES:
            macros.setdefault(match[1], f"{path}:{number}")
        if ISA_CONDITION.match(line) and not ISA_FOLDERS & set(path.parts[:-1]):
            yield f"{path}:{number}: #if of an instruction set outside {', '.join(sorted(ISA_FOLDERS))}"


def check_tree(src):
    """All breaches in the tree `src`, in a stable order."""
    macros = {}
    breaches = []
    files = sorted(p for p in src.rglob("*") if p.suffix in {".cc", ".h", ".S"})
    for file in files:
        breaches += check_file(file.relative_to(src), file.read_text(encoding="utf-8"), macros)
    if len(macros) > MAX_MACROS:
        where = ", ".join(f"{name} ({place})" for name, place in macros.items())
        breaches.append(f"{len(macros)} macros, at most {MAX_MACROS}: {where}")
    if not files:
        breaches.append(f"{src}: no sources found")
    return breaches


def main():
    src = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent / "src"
    breaches = check_tree(src)
    for breach in breaches:
        print(breach)
    sys.exit(1 if breaches else 0)


if __name__ == "__main__":
    main()
