#!/usr/bin/env python3
"""leaked_isa.py is itself checked: on objects with and without AVX in a weak symbol, made by the compiler $CXX."""
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

import leaked_isa

SOURCE = """
#include <immintrin.h>
%s __attribute__((target("avx2"), noinline)) void add(float* x) {
  _mm256_storeu_ps(x, _mm256_add_ps(_mm256_loadu_ps(x), _mm256_set1_ps(1.0F)));
}
void user(float* x) { add(x); }
"""


def leaks_of(linkage):
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "a.cc"), Path(folder, "a.o")
        source.write_text(SOURCE % linkage, encoding="utf-8")
        subprocess.run([os.environ.get("CXX", "c++"), "-O1", "-c", source, "-o", target], check=True)
        return leaked_isa.leaks(target)


class LeakedIsa(unittest.TestCase):
    def test_private_code_may_use_avx(self):
        self.assertEqual({}, leaks_of("static"))

    def test_weak_code_may_not(self):
        self.assertEqual(["_Z3addPf"], list(leaks_of("inline")))


if __name__ == "__main__":
    unittest.main()
