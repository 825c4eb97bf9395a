#include "serve/offered_models.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "engine/engine.h"
#include "engine/model_path.h"

namespace cistern::serve {
namespace {

constexpr std::string_view kSuffix = ".gguf";
constexpr std::string_view kLatest = ":latest";
constexpr std::size_t kMostListed = 5;
constexpr std::size_t kMostNameBytes = 80;  // of a client's, in a message

std::string few(const std::vector<Offer>& offers) {
  std::vector<std::string_view> names;
  for (const Offer& offer : offers) {
    if (names.size() == kMostListed) {
      return fmt::format("{} and {} more", fmt::join(names, ", "), offers.size() - kMostListed);
    }
    names.push_back(offer.id);
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

std::string model_id(std::string_view path) {
  std::string_view name = path.substr(path.rfind('/') + 1);
  if (name.ends_with(kSuffix)) name.remove_suffix(kSuffix.size());
  constexpr std::string_view kFirstPart = "-00001-of-";
  const std::size_t part = name.rfind(kFirstPart);
  if (part == std::string_view::npos || part == 0) return std::string(name);
  const std::string_view count = name.substr(part + kFirstPart.size());
  const bool digits =
      count.size() == 5 && std::ranges::all_of(count, [](char c) { return c >= '0' && c <= '9'; });
  return std::string(digits ? name.substr(0, part) : name);
}

std::vector<Offer> OfferedModels::list() const {
  std::vector<Offer> offers;
  const auto add = [&](std::string id, std::string path) {
    const bool there = std::ranges::find(offers, id, &Offer::id) != offers.end();
    if (!there) offers.push_back({.id = std::move(id), .path = std::move(path)});
  };
  if (!path_.empty()) add(model_id(path_), path_);
  if (folder_.empty()) return offers;
  for (const std::string& file : engine::list_models(folder_)) add(model_id(file), folder_ + "/" + file);
  add(engine::kGuide, engine::kGuide);
  return offers;
}

Result<Offer> OfferedModels::find(const std::string& name) const {
  const std::vector<Offer> offers = list();
  std::string_view wanted = name;
  if (wanted.ends_with(kLatest)) wanted.remove_suffix(kLatest.size());
  if (wanted.empty()) return offers.front();
  const auto exact = std::ranges::find(offers, wanted, &Offer::id);
  if (exact != offers.end()) return *exact;
  std::vector<Offer> fitting;
  for (const Offer& offer : offers) {
    if (offer.id.starts_with(wanted)) fitting.push_back(offer);
  }
  if (fitting.size() == 1) return fitting.front();
  const std::string shown(wanted.substr(0, kMostNameBytes));
  if (fitting.empty()) {
    return fail(ErrorCode::kNotFound,
                fmt::format("there is no model '{}'; there are: {}", shown, few(offers)), "model");
  }
  return fail(ErrorCode::kNotFound,
              fmt::format("'{}' fits {} models: {}", shown, fitting.size(), few(fitting)), "model");
}

}  // namespace cistern::serve
