// What the bench command prints: one set of results as JSON (the form in docs/bench.md), CSV, a Markdown
// table, or a self-contained HTML page with plots. Pure: text out, no I/O.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <vector>

#include "tools/bench_measure.h"

namespace cistern::tools {

struct BenchMachine {
  double read_gbps = 0;
  double int8_gmacs = 0;
  double bf16_gmacs = 0;
  double f32_gmacs = 0;
  double disk_gbps = 0;  // 0: not measured
  std::string isa;
  int threads = 0;
};

struct BenchModel {
  std::string path;
  std::string arch;
  std::string type;                   // of most of its weights
  std::uint64_t bytes_per_token = 0;  // weights read by one decode step
  double load_s = 0;
};

struct BenchReport {
  BenchMachine machine;
  BenchModel model;
  std::vector<BenchResult> results;
};

boost::json::object bench_json(const BenchReport& report);
std::string bench_csv(const BenchReport& report);
std::string bench_markdown(const BenchReport& report);
std::string bench_html(const BenchReport& report);

}  // namespace cistern::tools
