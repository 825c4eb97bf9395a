// From words to rows: the row whose name has the most words in the text, as long as the text has no further
// word that would make it something else.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/nearest.h"
#include "plan/catalogue.h"
#include "plan/hardware_text.h"

namespace cistern::plan {
namespace {

constexpr std::size_t kMostTextBytes = 512;
constexpr std::size_t kMostParts = 16;
constexpr int kMostDevices = 1024;
constexpr double kBytesPerGb = 1ULL << 30U;           // memory is sold so, of every kind
constexpr std::string_view kAnyArchitecture = "any";  // of rows that are memory and no certain CPU
constexpr double kTransferBytes = 8;                  // of a memory channel

// Whose chip it is and what kind: people leave these words out, or add them.
constexpr std::array<std::string_view, 26> kBrands = {
    "nvidia", "geforce", "gtx",      "rtx",    "amd",    "radeon",   "rx",   "intel", "arc",
    "apple",  "tesla",   "instinct", "quadro", "gpu",    "graphics", "card", "core",  "cpu",
    "cores",  "with",    "desktop",  "pc",     "system", "server",   "only", "ryzen"};

bool is_brand(std::string_view word) {
  return std::ranges::find(kBrands, word) != kBrands.end();
}

bool is_number(std::string_view word) {
  return std::ranges::all_of(word, [](char c) { return c >= '0' && c <= '9'; });
}

bool has_digit(std::string_view word) {
  return std::ranges::any_of(word, [](char c) { return c >= '0' && c <= '9'; });
}

std::string joined(const std::vector<std::string>& words, bool with_brands) {
  std::string text;
  for (const std::string& word : words) {
    if (with_brands || !is_brand(word)) text += word;
  }
  return text;
}

std::string without_parentheses(std::string_view text) {
  std::string outside;
  int depth = 0;
  for (const char c : text) {
    if (c == '(') ++depth;
    if (depth == 0) outside.push_back(c);
    if (c == ')' && depth > 0) --depth;
  }
  return outside;
}

// How well a name fits: 1 for each of its words that the text has, a little less for patterns, half for
// brands. Nothing: a word is missing, or the text has more to say.
class Match {
 public:
  Match(const NamedPart& part, const std::vector<std::string>& vocabulary)
      : part_(part), vocabulary_(vocabulary) {}

  std::optional<double> score(const std::vector<std::string>& name, bool brands_matter) {
    used_words_.assign(part_.words.size(), false);
    used_optional_.assign(part_.optional.size(), false);
    const bool only_brands = std::ranges::all_of(name, is_brand);
    double score = 0;
    for (const std::string& word : name) {
      const bool may_lack = is_brand(word) && !brands_matter && !only_brands;
      if (!use(word)) {
        if (!may_lack) return std::nullopt;
        continue;
      }
      score += is_brand(word) ? 0.5 : word.find('#') != std::string::npos ? 0.9 : 1;
    }
    return says_more() ? std::nullopt : std::optional<double>(score);
  }

 private:
  bool use(std::string_view pattern) {
    return use_in(pattern, part_.words, used_words_) || use_in(pattern, part_.optional, used_optional_);
  }

  static bool use_in(std::string_view pattern, const std::vector<std::string>& words,
                     std::vector<bool>& used) {
    for (std::size_t i = 0; i < words.size(); ++i) {
      if (used[i] || !matches(pattern, words[i])) continue;
      used[i] = true;
      return true;
    }
    return false;
  }

  // A word that is left over and names something: "Ti", "SUPER", another number.
  bool says_more() const {
    for (std::size_t i = 0; i < part_.words.size(); ++i) {
      const std::string& word = part_.words[i];
      if (used_words_[i] || is_brand(word)) continue;
      if (std::ranges::binary_search(vocabulary_, word)) return true;
      if (has_digit(word) && word.size() > 2) return true;
    }
    return false;
  }

  const NamedPart& part_;
  const std::vector<std::string>& vocabulary_;
  std::vector<bool> used_words_;
  std::vector<bool> used_optional_;
};

// Channels and transfers that the text states, else the row's. Several sockets: a number of channels beyond
// one socket's is that of all.
double memory_bandwidth(const Hardware& hardware, const NamedPart& text, int sockets) {
  if (text.bandwidth_gbps > 0) return text.bandwidth_gbps;
  if (hardware.kind != HardwareKind::kCpu || (text.channels == 0 && text.mt_s == 0))
    return hardware.bandwidth_gbps;
  double channels = text.channels > 0 ? text.channels : hardware.channels;
  if (sockets > 1 && channels > hardware.channels) channels /= sockets;
  const double mt_s = text.mt_s > 0 ? text.mt_s : hardware.mt_s;
  const double gbps = channels * kTransferBytes * mt_s / 1000;
  return gbps > 0 ? gbps : hardware.bandwidth_gbps;
}

}  // namespace

void Catalogue::index_names() {
  names_.clear();
  vocabulary_.clear();
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    std::vector<std::string> texts = rows_[i].aliases;
    texts.push_back(without_parentheses(rows_[i].name));
    for (const std::string& text : texts) {
      const NamedPart part = read_part(text);
      Name name{.row = i, .words = part.words};
      name.words.insert(name.words.end(), part.optional.begin(), part.optional.end());
      if (name.words.empty()) continue;
      for (const std::string& word : name.words) {
        if (!is_number(word) && !is_brand(word)) vocabulary_.push_back(word);
      }
      names_.push_back(std::move(name));
    }
  }
  std::ranges::sort(vocabulary_);
  vocabulary_.erase(std::ranges::unique(vocabulary_).begin(), vocabulary_.end());
}

const Catalogue::Name* Catalogue::find(const NamedPart& part) const {
  Match match(part, vocabulary_);
  const Name* best = nullptr;
  double best_score = 0;
  for (const Name& name : names_) {
    const auto score = match.score(name.words, rows_[name.row].kind == HardwareKind::kCpu);
    if (!score || *score <= best_score + 1e-9) continue;
    best = &name;
    best_score = *score;
  }
  if (best != nullptr) return best;
  // "rtx4090", "m2max".
  const std::string whole = joined(part.words, true), bare = joined(part.words, false);
  for (const Name& name : names_) {
    if (whole == joined(name.words, true) || (!bare.empty() && bare == joined(name.words, false)))
      return &name;
  }
  return nullptr;
}

Error Catalogue::unknown(std::string_view text) const {
  const std::string wanted = lower_case(text);
  std::vector<std::pair<std::size_t, std::size_t>> distances;  // and the row
  for (std::size_t i = 0; i < rows_.size(); ++i)
    distances.emplace_back(edit_distance(wanted, lower_case(rows_[i].name)), i);
  std::ranges::sort(distances);
  std::string near;
  for (std::size_t i = 0; i < distances.size() && i < 3; ++i)
    near += fmt::format("{}'{}'", i == 0 ? "" : ", ", rows_[distances[i].second].name);
  return {ErrorCode::kUsage,
          near.empty() ? fmt::format("no hardware is called '{}'", text)
                       : fmt::format("no hardware is called '{}'; the nearest are {}", text, near),
          {}};
}

Result<Part> Catalogue::resolve_part(std::string_view text) const {
  const NamedPart named = read_part(text);
  const Name* name = find(named);
  if (name == nullptr) return std::unexpected(unknown(text));
  const Hardware& hardware = rows_[name->row];
  if (named.count > kMostDevices)
    return fail(ErrorCode::kUsage, fmt::format("'{}': from 1 to {} devices", text, kMostDevices));
  Part part{.hardware = hardware, .count = std::max(named.count, 1)};
  part.bandwidth_gbps = memory_bandwidth(hardware, named, part.count);
  part.bandwidth_stated = named.bandwidth_gbps > 0;
  part.memory_stated = named.memory_gb > 0;
  const double gb = part.memory_stated ? named.memory_gb : hardware.memory_gb.front();
  part.memory_bytes = static_cast<std::uint64_t>(std::min(gb, 1e9) * kBytesPerGb);
  return part;
}

Result<System> Catalogue::resolve(std::string_view text) const {
  if (text.size() > kMostTextBytes)
    return fail(ErrorCode::kUsage, fmt::format("a name of hardware has at most {} bytes", kMostTextBytes));
  const std::vector<std::string_view> parts = split_parts(text);
  if (parts.size() > kMostParts)
    return fail(ErrorCode::kUsage,
                fmt::format("at most {} parts of a machine, not {}", kMostParts, parts.size()));
  System system{.name = std::string(text)};
  for (const std::string_view part_text : parts) {
    if (part_text.empty())
      return fail(ErrorCode::kUsage, fmt::format("'{}' names no hardware in one of its parts", text));
    CISTERN_TRY(Part part, resolve_part(part_text));
    if (part.hardware.kind != HardwareKind::kCpu) {
      if (part.hardware.kind == HardwareKind::kSoc && read_part(part_text).cpu_cores)
        system.cpu_cores_only = true;
      system.devices.push_back(std::move(part));
      continue;
    }
    if (system.host) return fail(ErrorCode::kUsage, fmt::format("'{}' names two kinds of CPU", text));
    system.host = std::move(part);
  }
  // "M4 Max + 64GB": memory that is the chip's own.
  const bool one_memory = !system.devices.empty() && system.devices[0].hardware.kind == HardwareKind::kSoc;
  if (one_memory && system.host && system.host->hardware.architecture == kAnyArchitecture) {
    if (system.host->memory_stated) {
      system.devices[0].memory_bytes = system.host->memory_bytes;
      system.devices[0].memory_stated = true;
    }
    system.host.reset();
  }
  return system;
}

Result<std::vector<System>> Catalogue::resolve_all(std::string_view text) const {
  std::vector<System> systems;
  if (lower_case(text) != "all") {
    CISTERN_TRY(System system, resolve(text));
    systems.push_back(std::move(system));
    return systems;
  }
  for (const Hardware& row : rows_) {
    const bool is_cpu = row.kind == HardwareKind::kCpu;
    Part part{.hardware = row,
              .memory_bytes = static_cast<std::uint64_t>(row.memory_gb.front() * kBytesPerGb),
              .bandwidth_gbps = row.bandwidth_gbps};
    System system{.name = row.name};
    if (is_cpu) {
      system.host = std::move(part);
    } else {
      system.devices.push_back(std::move(part));
    }
    systems.push_back(std::move(system));
  }
  return systems;
}

}  // namespace cistern::plan
