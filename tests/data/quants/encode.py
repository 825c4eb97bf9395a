#!/usr/bin/env python3
"""encode.py: writes encode/, values and their encodings by the gguf package (see README.md)."""
import pathlib

import numpy as np
from gguf import GGMLQuantizationType as Type
from gguf import quants

target = pathlib.Path(__file__).parent / "encode"
target.mkdir(exist_ok=True)
rng = np.random.default_rng(7)

ties = np.concatenate([[127.0], np.arange(-15.5, 15.5)])  # Q8_0: step 1, every value half way between codes
blocks = [
    rng.normal(0, 1, (4, 32)),
    rng.standard_t(2, (4, 32)),
    rng.normal(0, 1e-4, (2, 32)),
    rng.uniform(-60000, 60000, (1, 32)),
    rng.uniform(3, 4, (1, 32)),  # far from zero: the types with a minimum differ from those without
    rng.normal(0, 1e-6, (1, 32)),  # scales that are subnormal halves
    np.zeros((1, 32)),
    np.full((1, 32), -2.5),
    np.tile([1.0, -1.0], 16)[None],  # extremes of equal magnitude: the first decides
    np.eye(1, 32, 5) * -7.0,
    ties[None],
    np.linspace(-1, 1, 32)[None],
]
values = np.concatenate(blocks).astype(np.float32)
(target / "values.f32").write_bytes(values.tobytes())
for kind in (Type.Q4_0, Type.Q4_1, Type.Q5_0, Type.Q5_1, Type.Q8_0):
    (target / f"{kind.name}.bin").write_bytes(quants.quantize(values, kind).tobytes())

patterns = np.concatenate([
    rng.integers(0, 2**32, 300, dtype=np.uint64).astype(np.uint32),
    # Half's binades with both neighbours of every rounding boundary: 13 dropped bits at and around the half.
    (np.arange(96, 146, dtype=np.uint32)[:, None] << 23 | np.array([0, 0xFFF, 0x1000, 0x1001, 0x3000, 0x7FFFFF], dtype=np.uint32)).ravel(),
    np.array([0, 0x80000000, 0x7F800000, 0xFF800000, 0x00000001, 0x477FEFFF, 0x477FF000, 0x33000000, 0x33000001], dtype=np.uint32),
])
plain = patterns.view(np.float32)
plain = plain[~np.isnan(plain)].copy()
(target / "plain.f32").write_bytes(plain.tobytes())
with np.errstate(over="ignore"):
    (target / "F16.bin").write_bytes(quants.quantize(plain, Type.F16).tobytes())
(target / "BF16.bin").write_bytes(quants.quantize(plain, Type.BF16).tobytes())
