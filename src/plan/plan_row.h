// What `cistern plan` says of one machine, this one or one of the catalogue: whether the model runs there,
// where its bytes are, how fast it will be and what it waits for. Filled by plan/ and the plan command,
// printed as text, JSON or a page. Plain values; 0 and nothing: not known.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "plan/forecast.h"

namespace cistern::plan {

enum class Verdict { kFits, kStreams, kRefused };
std::string_view name_of(Verdict verdict);  // "fits", "streams", "refused"

struct ByteCounts {
  std::uint64_t weights = 0;
  std::uint64_t experts = 0;  // of the weights: those of routed experts
  std::uint64_t kv = 0;
  std::uint64_t buffers = 0;
  std::uint64_t overhead = 0;

  std::uint64_t total() const { return weights + kv + buffers + overhead; }
};

// What lies in one kind of memory.
struct Tier {
  std::string name;  // "2x RTX 4090", "RAM"
  std::string kind;  // "device", "ram", "disk"
  std::uint64_t capacity_bytes = 0;
  ByteCounts bytes;
};

// Another way to run it, and what would come of it.
struct Change {
  std::string what;  // "KV cache in q8_0"
  Verdict verdict = Verdict::kRefused;
  double decode_tok_s = 0;
  std::uint64_t total_bytes = 0;
};

// What a token takes, for a plot under the machine's roofs.
struct OperatingPoint {
  std::string what;  // "decode, empty context"
  double bytes = 0;
  double macs = 0;
  double tok_s = 0;
};

struct PlanRow {
  std::string hardware;
  Verdict verdict = Verdict::kRefused;
  std::string why;
  ByteCounts bytes;
  std::vector<Tier> tiers;
  double bytes_per_token = 0;  // read from all tiers, for a token after an empty context
  std::optional<Forecast> forecast;
  double price_usd = 0;
  double power_w = 0;
  bool unconfirmed = false;  // some figure of the hardware is only a claim
  std::vector<Change> changes;
  double read_bytes_per_s = 0;  // the roofs
  double macs_per_s = 0;
  std::vector<OperatingPoint> points;
};

// Of a plan: weights by role, from the same sums.
ByteCounts byte_counts(const spec::ModelSpec& model, const file::Inventory& inventory,
                       const MemoryPlan& plan);

// What a token takes while decoding with an empty, half full and full context, and in a prompt; where that is
// forecast. Sequences that are decoded together share the weights that they read.
struct PointQuestion {
  std::uint32_t prompt_tokens = 512;
  std::uint32_t sequences = 1;
};
std::vector<OperatingPoint> operating_points(const spec::ModelSpec& model, const file::Inventory& inventory,
                                             const MemoryPlan& plan, const PointQuestion& question,
                                             const Forecast& forecast);

}  // namespace cistern::plan
