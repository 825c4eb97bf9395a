#include "engine/model_path.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "base/nearest.h"
#include "engine/engine.h"

namespace cistern::engine {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSuffix = ".gguf";
constexpr std::size_t kMaxListed = 8;  // names in an error message

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

std::string stem_of(const std::string& name) {
  return name.ends_with(kSuffix) ? name.substr(0, name.size() - kSuffix.size()) : name;
}

bool all_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// Parts 2, 3, ... of "name-00001-of-00003.gguf".
bool is_later_part(std::string_view file_name) {
  constexpr std::string_view kOf = "-of-";
  const std::string_view stem = file_name.substr(0, file_name.size() - kSuffix.size());
  const std::size_t of = stem.rfind(kOf);
  if (of == std::string_view::npos || !all_digits(stem.substr(of + kOf.size()))) return false;
  if (of == 0) return false;
  const std::size_t dash = stem.rfind('-', of - 1);
  if (dash == std::string_view::npos) return false;
  const std::string_view number = stem.substr(dash + 1, of - dash - 1);
  return all_digits(number) && number != "00001";
}

std::string listed(std::vector<std::string> names) {
  const std::size_t count = names.size();
  if (count > kMaxListed) names.resize(kMaxListed);
  std::string text = fmt::format("{}", fmt::join(names, ", "));
  if (count > kMaxListed) text += fmt::format(" and {} more", count - kMaxListed);
  return text;
}

std::unexpected<Error> not_found(const std::string& name, const std::string& directory,
                                 const std::vector<std::string>& models) {
  if (directory.empty()) {
    return fail(ErrorCode::kNotFound,
                "no such file, and there is no models directory: set CISTERN_MODELS or give a path", name);
  }
  if (models.empty()) {
    return fail(
        ErrorCode::kNotFound,
        fmt::format("no such file, and no models in {}: put .gguf files there, set CISTERN_MODELS, or give "
                    "a path ('{}' is the built-in model)",
                    directory, kGuide),
        name);
  }
  std::vector<std::string> stems;
  for (const std::string& model : models) stems.push_back(stem_of(model));
  const std::string suggestion = nearest(stem_of(name), stems);
  return fail(
      ErrorCode::kNotFound,
      fmt::format("no such file, and no model of that name in {} (there: {}){}", directory, listed(models),
                  suggestion.empty() ? std::string() : fmt::format("; did you mean {}?", suggestion)),
      name);
}

}  // namespace

std::string models_directory() {
  if (const std::string models = environment("CISTERN_MODELS"); !models.empty()) return models;
  if (const std::string data = environment("XDG_DATA_HOME"); !data.empty()) return data + "/cistern/models";
  if (const std::string home = environment("HOME"); !home.empty())
    return home + "/.local/share/cistern/models";
  return {};
}

std::vector<std::string> list_models(const std::string& directory) {
  std::vector<std::string> names;
  std::error_code ignored;
  fs::directory_iterator entry(directory, ignored);
  for (; !ignored && entry != fs::directory_iterator(); entry.increment(ignored)) {
    std::string name = entry->path().filename().string();
    if (name.size() > kSuffix.size() && name.ends_with(kSuffix) && !is_later_part(name))
      names.push_back(std::move(name));
  }
  std::ranges::sort(names);
  return names;
}

Result<std::string> resolve_model_in(const std::string& name, const std::string& directory) {
  if (name.empty() || name == kGuide) return std::string(kGuide);
  std::error_code ignored;
  if (name.find('/') != std::string::npos || fs::exists(fs::symlink_status(name, ignored))) return name;
  const std::vector<std::string> models =
      directory.empty() ? std::vector<std::string>() : list_models(directory);
  const auto path_of = [&](const std::string& model) { return directory + "/" + model; };
  std::vector<std::string> candidates;
  for (const std::string& model : models) {
    if (model == name || model == name + std::string(kSuffix)) return path_of(model);
    if (model.starts_with(name)) candidates.push_back(model);
  }
  if (candidates.size() == 1) return path_of(candidates.front());
  if (candidates.empty()) return not_found(name, directory, models);
  return fail(ErrorCode::kUsage,
              fmt::format("the name fits {} models in {}: {}; give more of it", candidates.size(), directory,
                          listed(candidates)),
              name);
}

Result<std::string> resolve_model(const std::string& name) {
  return resolve_model_in(name, models_directory());
}

}  // namespace cistern::engine
