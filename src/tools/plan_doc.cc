#include "tools/plan_doc.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cmath>
#include <string_view>
#include <utility>

#include "text/utf8.h"

namespace cistern::tools {
namespace json = boost::json;
namespace {

constexpr double kMostNumber = 1e18;
constexpr std::size_t kMostText = 400;  // bytes; a page is no place for a novel

constexpr std::array<std::pair<std::string_view, DocVerdict>, 3> kVerdicts = {
    {{"fits", DocVerdict::kFits}, {"streams", DocVerdict::kStreams}, {"refused", DocVerdict::kRefused}}};

// A member of an object that may be no object, absent members being null.
const json::value& member(const json::object& object, std::string_view key) {
  static const json::value kNull;
  const auto* found = object.if_contains({key.data(), key.size()});
  return found == nullptr ? kNull : *found;
}

const json::object& object_in(const json::object& object, std::string_view key) {
  static const json::object kEmpty;
  const auto* found = member(object, key).if_object();
  return found == nullptr ? kEmpty : *found;
}

// Calls `read` with each object in an array; what is none is left out.
template <typename Read>
void each_in(const json::object& object, std::string_view key, const Read& read) {
  const auto* array = member(object, key).if_array();
  if (array == nullptr) return;
  for (const json::value& value : *array) {
    if (const auto* item = value.if_object()) read(*item);
  }
}

DocNumber as_number(const json::value& value) {
  if (!value.is_number()) return std::nullopt;
  const double number = value.is_double()  ? value.get_double()
                        : value.is_int64() ? static_cast<double>(value.get_int64())
                                           : static_cast<double>(value.get_uint64());
  const bool usable = number >= 0 && number <= kMostNumber;  // NaN is not
  return usable ? DocNumber(number) : std::nullopt;
}

DocNumber number_in(const json::object& object, std::string_view key) {
  return as_number(member(object, key));
}

std::string text_in(const json::object& object, std::string_view key) {
  const auto* text = member(object, key).if_string();
  if (text == nullptr) return "";
  const std::string_view all(text->data(), text->size());
  if (all.size() <= kMostText) return std::string(all);
  const std::string_view start = all.substr(0, kMostText);
  return fmt::format("{}...", start.substr(0, text::complete_prefix(start)));
}

// {"low", "mid", "high"}, of which some may be missing, or a number that stands for all three.
std::optional<DocRange> range_in(const json::object& object, std::string_view key) {
  const json::value& value = member(object, key);
  if (const DocNumber number = as_number(value)) return DocRange{*number, *number, *number};
  const auto* range = value.if_object();
  if (range == nullptr) return std::nullopt;
  const DocNumber low = number_in(*range, "low");
  const DocNumber high = number_in(*range, "high");
  DocNumber mid = number_in(*range, "mid");
  if (!mid && low && high) mid = (*low + *high) / 2;
  if (!mid) return std::nullopt;
  std::array<double, 3> sorted = {low.value_or(*mid), *mid, high.value_or(*mid)};
  std::ranges::sort(sorted);
  return DocRange{sorted[0], sorted[1], sorted[2]};
}

DocVerdict verdict_in(const json::object& object) {
  const std::string word = text_in(object, "verdict");
  for (const auto& [name, verdict] : kVerdicts) {
    if (word == name) return verdict;
  }
  return DocVerdict::kUnknown;
}

// The document counts routed experts among the weights.
DocParts parts_of(const json::object& bytes) {
  const double weights = number_in(bytes, "weights").value_or(0);
  const double experts = number_in(bytes, "experts").value_or(0);
  return {.weights = std::max(0.0, weights - experts),
          .experts = experts,
          .kv = number_in(bytes, "kv").value_or(0),
          .buffers = number_in(bytes, "buffers").value_or(0),
          .overhead = number_in(bytes, "overhead").value_or(0)};
}

DocForecast forecast_of(const json::object& forecast) {
  return {.load_s = range_in(forecast, "load_s"),
          .prefill_tok_s = range_in(forecast, "prefill_tok_s"),
          .first_token_s = range_in(forecast, "first_token_s"),
          .decode_tok_s = range_in(forecast, "decode_tok_s"),
          .decode_half_tok_s = range_in(forecast, "decode_half_tok_s"),
          .decode_full_tok_s = range_in(forecast, "decode_full_tok_s"),
          .peak_bytes = range_in(forecast, "peak_bytes")};
}

DocRow row_of(const json::object& from) {
  DocRow row;
  row.hardware = text_in(from, "hardware");
  row.why = text_in(from, "why");
  row.verdict = verdict_in(from);
  const json::object& bytes = object_in(from, "bytes");
  row.parts = parts_of(bytes);
  row.total_bytes = number_in(bytes, "total");
  if (!row.total_bytes && row.parts.sum() > 0) row.total_bytes = row.parts.sum();
  each_in(from, "tiers", [&](const json::object& tier) {
    row.tiers.push_back({.name = text_in(tier, "name"),
                         .kind = text_in(tier, "kind"),
                         .capacity = number_in(tier, "capacity_bytes"),
                         .parts = parts_of(tier)});
  });
  row.bytes_per_token = number_in(from, "bytes_per_token");
  row.forecast = forecast_of(object_in(from, "forecast"));
  row.limit_tok_s = number_in(from, "limit_tok_s");
  row.limited_by = text_in(from, "limited_by");
  row.price_usd = number_in(from, "price_usd");
  row.power_w = number_in(from, "power_w");
  row.usd_per_tok_s = number_in(from, "usd_per_tok_s");
  row.usd_per_gb = number_in(from, "usd_per_gb");
  row.tok_per_j = number_in(from, "tok_per_j");
  const auto* unconfirmed = member(from, "unconfirmed").if_bool();
  row.unconfirmed = unconfirmed != nullptr && *unconfirmed;
  each_in(from, "changes", [&](const json::object& change) {
    row.changes.push_back({.change = text_in(change, "change"),
                           .verdict = verdict_in(change),
                           .decode_tok_s = range_in(change, "decode_tok_s"),
                           .total_bytes = number_in(change, "total_bytes")});
  });
  const json::object& roofline = object_in(from, "roofline");
  row.read_bytes_per_s = number_in(roofline, "read_bytes_per_s");
  row.macs_per_s = number_in(roofline, "macs_per_s");
  each_in(roofline, "points", [&](const json::object& point) {
    row.points.push_back({.what = text_in(point, "what"),
                          .bytes = number_in(point, "bytes"),
                          .macs = number_in(point, "macs"),
                          .tok_s = number_in(point, "tok_s")});
  });
  return row;
}

}  // namespace

PlanDoc read_plan_doc(const json::object& document) {
  PlanDoc doc;
  const json::object& model = object_in(document, "model");
  doc.model = {.name = text_in(model, "name"),
               .arch = text_in(model, "arch"),
               .type = text_in(model, "type"),
               .source = text_in(model, "source"),
               .parameters = number_in(model, "parameters"),
               .active_parameters = number_in(model, "active_parameters"),
               .file_bytes = number_in(model, "file_bytes"),
               .layers = number_in(model, "layers"),
               .context_tokens = number_in(model, "context_tokens")};
  const json::object& work = object_in(document, "workload");
  doc.work = {.context_tokens = number_in(work, "context_tokens"),
              .prompt_tokens = number_in(work, "prompt_tokens"),
              .parallel = number_in(work, "parallel"),
              .kv = text_in(work, "kv")};
  each_in(document, "rows", [&](const json::object& row) { doc.rows.push_back(row_of(row)); });
  return doc;
}

}  // namespace cistern::tools
