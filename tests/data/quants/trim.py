#!/usr/bin/env python3
"""trim.py FIXTURES: copies the first blocks of every section of FIXTURES/quants/gguf here (see README.md)."""
import json
import pathlib
import sys

source = pathlib.Path(sys.argv[1]) / "quants" / "gguf"
target = pathlib.Path(__file__).parent
lines = []
for name, kind in json.loads((source / "index.json").read_text())["types"].items():
    blocks, values = (source / f"{name}.bin").read_bytes(), (source / f"{name}.f32").read_bytes()
    kept_blocks, kept_values = bytearray(), bytearray()
    for section in kind["sections"]:
        n_values = min(max(kind["block_size"], 32), section["n_elements"])
        n_bytes = n_values // kind["block_size"] * kind["bytes_per_block"]
        lines.append(f"{name}\t{len(kept_blocks)}\t{n_bytes}\t{len(kept_values) // 4}\t{n_values}\t{section['name']}\n")
        kept_blocks += blocks[section["byte_offset"] :][:n_bytes]
        kept_values += values[4 * section["element_offset"] :][: 4 * n_values]
    (target / f"{name}.bin").write_bytes(kept_blocks)
    (target / f"{name}.f32").write_bytes(kept_values)
(target / "index.txt").write_text("".join(lines))
