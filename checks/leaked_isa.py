#!/usr/bin/env python3
"""No instruction beyond the baseline may hide in shared code. Usage: leaked_isa.py OBJECT_OR_ARCHIVE...

Kernels are compiled inside target regions. A template or inline function that is instantiated in such a region
becomes a weak symbol; the linker keeps any one copy for the whole program, and if it is the AVX one, processors
without AVX die of SIGILL in ordinary code. Static initializers run everywhere, too. So: no AVX in either.
"""
import re
import subprocess
import sys

FUNCTION = re.compile(r"^[0-9a-f]+ <([^>]+)>:")
# Everything VEX- or EVEX-encoded that touches a vector or mask register.
AVX = re.compile(r"\t(v\w+\s.*%[xyz]mm\d|.*%[yz]mm\d|k\w+\s.*%k[0-7])")


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True, env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"}).stdout


def weak_symbols(path):
    symbols = set()
    for line in run("nm", "--defined-only", "--format=posix", path).splitlines():
        fields = line.split()
        if len(fields) >= 2 and fields[1] in "WVu":
            symbols.add(fields[0])
    return symbols


def leaks(path):
    """(symbol, first offending instruction) of every shared function in `path` that uses AVX."""
    weak = weak_symbols(path)
    found = {}
    function = None
    for line in run("objdump", "--disassemble", "--no-show-raw-insn", path).splitlines():
        if match := FUNCTION.match(line):
            name = match[1]
            function = name if name in weak or name.startswith("_GLOBAL__sub_I") else None
        elif function and function not in found and AVX.search(line):
            found[function] = line.split("\t", 1)[1].strip()
    return found


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    failed = False
    for path in sys.argv[1:]:
        for symbol, instruction in leaks(path).items():
            print(f"{path}: {symbol} is shared by the whole program and has: {instruction}")
            failed = True
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
