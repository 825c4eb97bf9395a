#!/usr/bin/env python3
"""floors.py is itself checked: each rule is broken once in a small tree and must be reported, and only that rule."""
import tempfile
import unittest
from pathlib import Path

import floors

HEADER = "// What it is.\n#pragma once\n"


def breaches_of(files):
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return floors.check_tree(Path(folder))


class Floors(unittest.TestCase):
    def assert_one(self, files, expected):
        breaches = breaches_of(files)
        self.assertEqual(len(breaches), 1, breaches)
        self.assertIn(expected, breaches[0])

    def test_a_good_tree_passes(self):
        self.assertEqual([], breaches_of({
            "base/error.h": HEADER,
            "file/gguf.cc": '#include "file/gguf.h"\n#include "quant/format.h"\n#include <vector>\n',
            "file/gguf_test.cc": '#include "support/fixtures.h"\n',
            "kernels/avx2/dot.cc": "#if defined(__x86_64__)\n#endif\n",
            "quant/iq_tables.cc": "\n" * 5000,
            "main.cc": '#include "tools/commands.h"\n',
        }))

    def test_upward_include(self):
        self.assert_one({"quant/k.cc": '#include "base/error.h"\n  #  include "model/decoder.h"\n'},
                        "quant/k.cc:2: quant (floor 2) may not include model/ (floor 6)")

    def test_sideways_include(self):
        self.assert_one({"text/bpe.cc": '#include "sys/file.h"\n'}, "may not include sys/")

    def test_front_end_includes_front_end(self):
        self.assert_one({"tools/run.cc": '#include "serve/http.h"\n'}, "may not include serve/")

    def test_only_one_command_opens_connections(self):
        self.assertEqual([], breaches_of({"tools/pull.cc": '#include "fetch/http.h"\n'}))
        self.assert_one({"tools/run.cc": '#include "fetch/http.h"\n'}, "may not include fetch/")

    def test_include_of_an_unknown_folder(self):
        self.assert_one({"text/bpe.cc": '#include "util/strings.h"\n'}, "util/ is on no floor")

    def test_include_without_folder(self):
        self.assert_one({"text/bpe.cc": '#include "bpe.h"\n'}, "relative to src/")

    def test_product_code_including_test_support(self):
        self.assert_one({"text/bpe.cc": '#include "support/fixtures.h"\n'}, "only tests include support/")

    def test_unknown_folder(self):
        self.assert_one({"util/strings.h": HEADER}, "folder util/ is on no floor")

    def test_long_files(self):
        self.assert_one({"text/bpe.cc": "\n" * 601}, "601 lines, at most 600")
        self.assert_one({"model/decoder.cc": "\n" * 251}, "at most 250")
        self.assert_one({"engine/engine.h": HEADER + "\n" * 200}, "at most 200")
        self.assert_one({"main.cc": "\n" * 101}, "at most 100")

    def test_macros(self):
        many = "".join(f"#define M{i}\n" for i in range(10))
        self.assertEqual([], breaches_of({"base/check.cc": many, "kernels/avx2/region_begin.h": "#define REGION\n"}))
        self.assert_one({"base/check.cc": many, "text/bpe.cc": " # define ELEVENTH\n"}, "11 macros, at most 10")

    def test_instruction_set_conditions(self):
        self.assert_one({"ops/matmul.cc": "#ifdef __AVX2__\n#endif\n"}, "ops/matmul.cc:1: #if of an instruction set")

    def test_headers(self):
        self.assert_one({"base/a.h": "// What it is.\n"}, "no #pragma once")
        self.assert_one({"base/a.h": "#pragma once\n"}, "opens with a comment")

    def test_empty_tree(self):
        self.assert_one({"README": ""}, "no sources found")


if __name__ == "__main__":
    unittest.main()
