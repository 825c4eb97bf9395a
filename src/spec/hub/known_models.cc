#include "spec/hub/known_models.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <boost/json/value_to.hpp>
#include <cmath>
#include <cstddef>

#include "base/check.h"
#include "base/nearest.h"
#include "file/printable.h"
#include "spec/hub/model_names.h"

// Defined in known_models.S: the first byte of the table and the one behind its last.
extern "C" const char cistern_known_models_begin[];
extern "C" const char cistern_known_models_end[];

namespace cistern::spec::hub {
namespace {

namespace json = boost::json;

// The table is ours: a mistake in it is a bug, which a test finds.
KnownModel read_line(std::string_view line) {
  boost::system::error_code error;
  const json::value value = json::parse(line, error);
  CISTERN_CHECK(!error && value.is_object());
  const json::object& row = value.get_object();
  KnownModel model{.name = std::string(row.at("name").get_string()),
                   .aliases = {},
                   .params_b = row.at("params_b").to_number<double>(),
                   .source = std::string(row.at("source").get_string()),
                   .config = json::serialize(row.at("config")),
                   .published_gb = {}};
  for (const json::value& alias : row.at("aliases").get_array())
    model.aliases.emplace_back(alias.get_string());
  if (const json::value* sizes = row.if_contains("published_gb")) {
    for (const auto& [mix, size] : sizes->get_object())
      model.published_gb.emplace(mix, size.to_number<double>());
  }
  return model;
}

struct Table {
  std::vector<KnownModel> models;
  std::map<std::string, const KnownModel*> by_key;  // normalized names and aliases

  Table() {
    std::string_view text(cistern_known_models_begin,
                          static_cast<std::size_t>(cistern_known_models_end - cistern_known_models_begin));
    while (!text.empty()) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      if (end > 0) models.push_back(read_line(text.substr(0, end)));
      text.remove_prefix(std::min(end + 1, text.size()));
    }
    for (const KnownModel& model : models) {
      by_key.emplace(name_key(model.name), &model);
      for (const std::string& alias : model.aliases) by_key.emplace(name_key(alias), &model);
    }
  }

  const KnownModel* find(const std::string& key) const {
    const auto found = by_key.find(key);
    return found == by_key.end() ? nullptr : found->second;
  }
};

const Table& table() {
  static const Table parsed;
  return parsed;
}

// The nearest few names, for the message.
std::vector<std::string> nearest_names(std::string_view typed) {
  constexpr std::size_t kMaxNames = 3;
  std::vector<std::string> names;
  for (const KnownModel& model : known_models()) {
    names.push_back(model.name);
    names.insert(names.end(), model.aliases.begin(), model.aliases.end());
  }
  std::vector<std::string> meant;
  while (meant.size() < kMaxNames) {
    const std::string next = nearest(typed, names);
    if (next.empty()) break;
    std::erase(names, next);
    meant.push_back(next);
  }
  return meant;
}

}  // namespace

std::span<const KnownModel> known_models() {
  return table().models;
}

Result<const KnownModel*> find_known_model(std::string_view typed) {
  constexpr double kNearSize = 0.15;  // sizes in names are rounded
  for (const NameKey& candidate : name_candidates(typed)) {
    const KnownModel* model = table().find(candidate.key);
    if (model == nullptr) continue;
    if (candidate.dropped_size_b &&
        std::abs(*candidate.dropped_size_b - model->params_b) > kNearSize * model->params_b) {
      continue;
    }
    return model;
  }
  const std::vector<std::string> meant = nearest_names(plain_name(typed));
  return fail(ErrorCode::kNotFound,
              fmt::format("no known model is called '{}'{}", file::printable(typed),
                          meant.empty() ? "; a config.json or a GGUF file tells what it is"
                                        : fmt::format("; did you mean {}?", fmt::join(meant, ", "))));
}

}  // namespace cistern::spec::hub
