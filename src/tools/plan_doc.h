// The JSON document of `cistern plan --json` as plain data that is safe to draw. It may come from anywhere:
// what is missing, of another kind, negative, not finite or absurdly large is absent here, ranges are in
// order, texts have an end. Read by plan_page; pure, no errors: an empty document is one without rows.
#pragma once

#include <boost/json/fwd.hpp>
#include <optional>
#include <string>
#include <vector>

namespace cistern::tools {

using DocNumber = std::optional<double>;  // never negative, at most 1e18

struct DocRange {
  double low = 0;
  double mid = 0;  // low <= mid <= high
  double high = 0;
};

// Bytes by what they are for; what the document lacks is zero.
struct DocParts {
  double weights = 0;  // all but those of routed experts
  double experts = 0;
  double kv = 0;
  double buffers = 0;
  double overhead = 0;
  double sum() const { return weights + experts + kv + buffers + overhead; }
};

struct DocTier {
  std::string name;
  std::string kind;  // device, ram, disk
  DocNumber capacity;
  DocParts parts;
};

enum class DocVerdict { kFits, kStreams, kRefused, kUnknown };

struct DocChange {
  std::string change;
  DocVerdict verdict = DocVerdict::kUnknown;
  std::optional<DocRange> decode_tok_s;
  DocNumber total_bytes;
};

// One kind of step on the roofline. Bytes and multiply-accumulates are of one token.
struct DocPoint {
  std::string what;
  DocNumber bytes;
  DocNumber macs;
  DocNumber tok_s;
};

struct DocForecast {
  std::optional<DocRange> load_s, prefill_tok_s, first_token_s, decode_tok_s, decode_half_tok_s,
      decode_full_tok_s, peak_bytes;
};

struct DocRow {
  std::string hardware, why, limited_by;
  DocVerdict verdict = DocVerdict::kUnknown;
  DocParts parts;
  DocNumber total_bytes;  // the document's own sum, or that of the parts
  std::vector<DocTier> tiers;
  DocNumber bytes_per_token;
  DocForecast forecast;
  DocNumber limit_tok_s, price_usd, power_w, usd_per_tok_s, usd_per_gb, tok_per_j;
  bool unconfirmed = false;
  std::vector<DocChange> changes;
  DocNumber read_bytes_per_s, macs_per_s;  // the machine's roof
  std::vector<DocPoint> points;
};

struct PlanDoc {
  struct Model {
    std::string name, arch, type, source;
    DocNumber parameters, active_parameters, file_bytes, layers, context_tokens;
  } model;
  struct Work {
    DocNumber context_tokens, prompt_tokens, parallel;
    std::string kv;
  } work;
  std::vector<DocRow> rows;
};

PlanDoc read_plan_doc(const boost::json::object& document);

}  // namespace cistern::tools
