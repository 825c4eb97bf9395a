#include "fetch/model_choice.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "base/nearest.h"
#include "fetch/names.h"
#include "file/printable.h"
#include "file/split.h"
#include "plan/describe_bytes.h"

namespace cistern::fetch {
namespace {

constexpr std::string_view kSuffix = ".gguf";
constexpr std::uint64_t kMaxParts = 1000;
constexpr std::size_t kMaxListed = 40;

// Beginnings of the names of types; longer ones before those they begin with.
constexpr std::array<std::string_view, 8> kFamilies = {"MXFP", "NVFP", "IQ", "TQ", "BF", "FP", "Q", "F"};
// What may follow the number, behind '_'.
constexpr std::array<std::string_view, 13> kVariations = {"0", "1",  "4",   "8",  "K",  "S",  "M",
                                                          "L", "XS", "XXS", "XL", "NL", "MOE"};
constexpr std::string_view kDynamic = "UD-";  // a mix chosen layer by layer

bool is_alnum(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::string upper(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(),
                         [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  return result;
}

std::string_view base_name(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

// How many bytes at the beginning of `text`, which is in capitals, are the name of a type.
std::size_t type_length(std::string_view text) {
  const auto family =
      std::ranges::find_if(kFamilies, [&](std::string_view f) { return text.starts_with(f); });
  if (family == kFamilies.end()) return 0;
  std::size_t end = family->size();
  while (end < text.size() && is_digit(text[end])) ++end;
  if (end == family->size() || end > family->size() + 2) return 0;
  while (end < text.size() && text[end] == '_') {
    std::size_t next = end + 1;
    while (next < text.size() && is_alnum(text[next])) ++next;
    if (std::ranges::find(kVariations, text.substr(end + 1, next - end - 1)) == kVariations.end()) break;
    end = next;
  }
  return end < text.size() && is_alnum(text[end]) ? 0 : end;
}

bool is_model(std::string_view path) {
  const std::string name = upper(base_name(path));
  return path.ends_with(kSuffix) && !name.starts_with("MMPROJ") && name.find("IMATRIX") == std::string::npos;
}

Result<void> check_parts(const Variant& variant, const std::string& prefix, std::uint64_t count) {
  if (count > kMaxParts)
    return fail(ErrorCode::kFormat, fmt::format("has {} parts, too many", count), prefix);
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::string path = file::split_path(prefix, i, count);
    if (i >= variant.files.size() || variant.files[i].path != path) {
      return fail(ErrorCode::kFormat, fmt::format("part {} of {} is missing", i + 1, count),
                  file::printable(path));
    }
  }
  return {};
}

std::string listed(const std::vector<Variant>& variants) {
  std::vector<std::string> names;
  for (const Variant& v : variants) {
    const std::string name = v.quant.empty() ? v.file_name(0) : v.quant;
    names.push_back(fmt::format("{} ({})", file::printable(name), plan::describe_bytes(v.size_bytes)));
  }
  const std::size_t more = names.size() > kMaxListed ? names.size() - kMaxListed : 0;
  names.resize(names.size() - more);
  return fmt::format("{}{}", fmt::join(names, ", "), more > 0 ? fmt::format(" and {} more", more) : "");
}

std::unexpected<Error> no_models(const std::vector<RepositoryFile>& files) {
  const bool has_safetensors =
      std::ranges::any_of(files, [](const RepositoryFile& f) { return f.path.ends_with(".safetensors"); });
  if (has_safetensors) {
    return fail(ErrorCode::kUnsupported,
                "the repository has safetensors and no GGUF file, and Cistern runs GGUF files: look for a "
                "repository with -GGUF in its name");
  }
  return fail(ErrorCode::kNotFound, "the repository has no GGUF file");
}

}  // namespace

std::string Variant::file_name(std::size_t index) const {
  return std::string(base_name(files.at(index).path));
}

std::string quant_of(std::string_view path) {
  const std::string text =
      upper(path.substr(0, path.size() - (path.ends_with(kSuffix) ? kSuffix.size() : 0)));
  std::string_view last;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i > 0 && is_alnum(text[i - 1])) continue;
    const std::size_t length = type_length(std::string_view(text).substr(i));
    if (length == 0) continue;
    const bool dynamic =
        i >= kDynamic.size() && text.compare(i - kDynamic.size(), kDynamic.size(), kDynamic) == 0;
    const std::size_t begin = dynamic ? i - kDynamic.size() : i;
    last = std::string_view(text).substr(begin, i + length - begin);
    i += length;
  }
  return std::string(last);
}

Result<std::vector<Variant>> variants_of(const std::vector<RepositoryFile>& files) {
  struct Group {
    Variant variant;
    std::uint64_t parts = 0;  // of a split model; 0: a single file
  };
  std::map<std::string, Group> groups;  // by the path of the file, or by what the parts have in common
  for (const RepositoryFile& file : files) {
    if (!is_model(file.path)) continue;
    CISTERN_TRY_VOID(model_file_name(base_name(file.path)));
    const auto split = file::parse_split_name(file.path);
    Group& group = groups[split ? fmt::format("{}-of-{}", split->prefix, split->count) : file.path];
    group.parts = split ? split->count : 0;
    group.variant.files.push_back(file);
    group.variant.size_bytes += file.size_bytes;
  }
  if (groups.empty()) return no_models(files);
  std::vector<Variant> variants;
  for (auto& [key, group] : groups) {
    Variant& variant = group.variant;
    std::ranges::sort(variant.files, {}, &RepositoryFile::path);
    const auto split = file::parse_split_name(variant.files.front().path);
    if (split) CISTERN_TRY_VOID(check_parts(variant, split->prefix, group.parts));
    variant.quant = quant_of(split ? split->prefix : variant.files.front().path);
    variants.push_back(std::move(variant));
  }
  std::ranges::sort(variants, {},
                    [](const Variant& v) { return std::pair(v.size_bytes, v.files.front().path); });
  return variants;
}

Result<Variant> choose_variant(const std::vector<Variant>& variants, std::string_view wanted) {
  std::vector<Variant> fitting;
  const std::string quant = upper(wanted.empty() ? kDefaultQuant : wanted);
  for (const Variant& variant : variants) {
    const std::string& path = variant.files.front().path;
    if (variant.quant == quant || path == wanted || base_name(path) == wanted) fitting.push_back(variant);
  }
  if (fitting.size() == 1) return fitting.front();
  if (wanted.empty() && variants.size() == 1) return variants.front();
  if (fitting.size() > 1) {
    std::vector<std::string> names;
    for (const Variant& variant : fitting) names.push_back(file::printable(variant.files.front().path));
    return fail(ErrorCode::kUsage,
                fmt::format("{} files fit: write one of them behind the colon: {}", fitting.size(),
                            fmt::join(names, ", ")),
                quant);
  }
  if (wanted.empty()) {
    return fail(ErrorCode::kUsage,
                fmt::format("there is no {} to take by default: write one of them behind a colon: {}",
                            kDefaultQuant, listed(variants)));
  }
  std::vector<std::string> quants;
  for (const Variant& variant : variants) quants.push_back(variant.quant);
  const std::string suggestion = nearest(quant, quants);
  return fail(
      ErrorCode::kNotFound,
      fmt::format("is not there{}; there are: {}",
                  suggestion.empty() ? "" : fmt::format("; did you mean {}?", suggestion), listed(variants)),
      file::printable(wanted));
}

}  // namespace cistern::fetch
