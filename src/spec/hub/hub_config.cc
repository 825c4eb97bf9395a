#include "spec/hub/hub_config.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <utility>

#include "base/nearest.h"
#include "file/printable.h"
#include "spec/hub/families.h"
#include "spec/hub/quant_config.h"

namespace cistern::spec::hub {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxTextBytes = std::size_t{8} << 20U;
constexpr std::size_t kMaxDepth = 32;

Result<json::object> parse(std::string_view text, const std::string& where) {
  if (text.size() > kMaxTextBytes) {
    return fail(ErrorCode::kFormat, fmt::format("has {} bytes, too many for a configuration", text.size()),
                where);
  }
  json::parse_options options;
  options.max_depth = kMaxDepth;
  boost::system::error_code error;
  json::value value = json::parse(text, error, {}, options);
  if (error) return fail(ErrorCode::kFormat, fmt::format("is no JSON: {}", error.message()), where);
  if (!value.is_object()) return fail(ErrorCode::kFormat, "is no JSON object, so no configuration", where);
  return std::move(value.get_object());
}

// Models that see or hear keep the configuration of their language model in an object of its own; what that
// leaves out, the outer one says.
json::object language_model(const json::object& config) {
  for (const std::string_view name : {"text_config", "llm_config", "language_config"}) {
    const json::value* inner = config.if_contains(name);
    if (inner == nullptr || !inner->is_object()) continue;
    json::object merged = inner->get_object();
    for (const std::string_view outer : {"model_type", "tie_word_embeddings", "vocab_size"}) {
      const json::value* value = config.if_contains(outer);
      if (value != nullptr && !merged.contains(outer)) merged.insert_or_assign(outer, *value);
    }
    return merged;
  }
  return config;
}

Result<const Family*> find_family(const Fields& config) {
  constexpr std::string_view kType = "model_type";
  CISTERN_TRY(const auto type, config.find_string(kType));
  if (!type) return config.missing(kType);
  const auto* family = std::ranges::find(families(), *type, &Family::model_type).base();
  if (family != families().data() + families().size()) return family;
  std::vector<std::string> known;
  for (const Family& row : families()) known.emplace_back(row.model_type);
  const std::string meant = nearest(*type, known);
  auto error = config.bad(
      kType, fmt::format("'{}' is not known{}; known are {}", file::printable(*type),
                         meant.empty() ? "" : fmt::format(" (is it {}?)", meant), fmt::join(known, ", ")));
  error.error().code = ErrorCode::kUnsupported;
  return error;
}

void add_defaults(json::object& config, std::string_view defaults) {
  if (defaults.empty()) return;
  const json::value usual = json::parse(defaults);
  for (const auto& [name, value] : usual.get_object()) {
    const json::value* given = config.if_contains(name);
    if (given == nullptr || given->is_null()) config.insert_or_assign(name, value);
  }
}

}  // namespace

Result<HubModel> read_hub_config(std::string_view text, const std::string& where) {
  CISTERN_TRY(const json::object whole, parse(text, where));
  json::object config = language_model(whole);
  CISTERN_TRY(const Family* family, find_family(Fields(config, where)));
  add_defaults(config, family->defaults);
  Conversion c{.config = Fields(config, where), .arch = std::string(family->arch)};
  CISTERN_TRY_VOID(family->read(c));
  HubModel model;
  model.header = c.keys.header(c.arch, where);
  model.arch = std::move(c.arch);
  model.also = std::move(c.also);
  model.keys_are_values = c.keys_are_values;
  model.own_further_embeddings = c.own_further_embeddings;
  CISTERN_TRY(model.quant, quant_of_config(Fields(whole, where)));
  if (!model.quant) {
    CISTERN_TRY(model.quant, quant_of_config(c.config));
  }
  return model;
}

}  // namespace cistern::spec::hub
