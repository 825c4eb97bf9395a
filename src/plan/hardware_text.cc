#include "plan/hardware_text.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <utility>

#include "base/csv.h"

namespace cistern::plan {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == ',';
}

constexpr std::string_view kTimes = "\xC3\x97";  // the multiplication sign

enum class Unit { kMemoryGb, kMemoryTb, kBandwidth, kChannels, kCores, kSockets, kTransfers };

struct UnitName {
  std::string_view name;
  Unit unit;
};
constexpr std::array<UnitName, 18> kUnits = {{
    {"gb", Unit::kMemoryGb},
    {"gib", Unit::kMemoryGb},
    {"tb", Unit::kMemoryTb},
    {"tib", Unit::kMemoryTb},
    {"gb/s", Unit::kBandwidth},
    {"gbps", Unit::kBandwidth},
    {"gib/s", Unit::kBandwidth},
    {"ch", Unit::kChannels},
    {"channel", Unit::kChannels},
    {"channels", Unit::kChannels},
    {"c", Unit::kCores},
    {"core", Unit::kCores},
    {"cores", Unit::kCores},
    {"socket", Unit::kSockets},
    {"sockets", Unit::kSockets},
    {"mt/s", Unit::kTransfers},
    {"mts", Unit::kTransfers},
    {"mhz", Unit::kTransfers},
}};

constexpr std::array<std::pair<std::string_view, int>, 6> kChannelWords = {
    {{"single", 1}, {"dual", 2}, {"quad", 4}, {"hexa", 6}, {"octa", 8}, {"eight", 8}}};

// What people write for something that the catalogue writes out; empty: says nothing.
constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kSynonyms = {
    {{"tr", "threadripper"}, {"workstation", "ws"}, {"generation", ""}, {"gen", ""}, {"edition", ""}}};

// What chips are sold in: says nothing about the chip, but has words that would.
constexpr std::array<std::string_view, 6> kBoxes = {"macbook pro", "macbook air", "mac studio",
                                                    "mac mini",    "mac pro",     "imac pro"};

constexpr std::array<std::string_view, 4> kMemoryTypes = {"lpddr", "ddr", "mrdimm", "hbm"};

// "24GB" -> 24 and "gb"; the suffix may be the next word.
struct Quantity {
  double value = 0;
  std::string_view suffix;
};

std::optional<Quantity> quantity(std::string_view word) {
  std::size_t digits = 0;
  while (digits < word.size() && (is_digit(word[digits]) || word[digits] == '.')) ++digits;
  if (digits == 0 || digits > 12) return std::nullopt;
  const std::optional<double> value = parse_decimal(word.substr(0, digits));
  if (!value) return std::nullopt;
  std::string_view suffix = word.substr(digits);
  if (suffix.starts_with('-')) suffix.remove_prefix(1);
  return Quantity{*value, suffix};
}

std::optional<Unit> unit_of(std::string_view suffix) {
  const auto* const found = std::ranges::find(kUnits, suffix, &UnitName::name);
  if (found == kUnits.end()) return std::nullopt;
  return found->unit;
}

constexpr int kNoCount = 1'000'000;  // of "0x": refused as what is too many

int to_int(double value) {
  return static_cast<int>(std::clamp(value, 0.0, 1e6));
}

std::vector<std::string> blank_separated(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  for (const char c : text) {
    if (!is_blank(c)) {
      word.push_back(c);
    } else if (!word.empty()) {
      words.push_back(std::exchange(word, {}));
    }
  }
  if (!word.empty()) words.push_back(word);
  return words;
}

// "A100-SXM4" -> a100, sxm4; "Max+" -> max.
void add_words(std::string_view text, std::vector<std::string>& words) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of("-_/:;"), text.size());
    std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    while (word.ends_with('+')) word.remove_suffix(1);
    for (const auto& [from, to] : kSynonyms) {
      if (word == from) word = to;
    }
    if (!word.empty()) words.emplace_back(word);
  }
}

std::string size_word(double gb) {
  return std::to_string(static_cast<long long>(gb)) + "gb";
}

class PartReader {
 public:
  NamedPart read(std::string_view text) {
    std::string outside, inside;
    int depth = 0;
    for (const char c : text) {
      if (c == '(') ++depth;
      (depth > 0 ? inside : outside).push_back(c == '(' || c == ')' ? ' ' : c);
      if (c == ')' && depth > 0) --depth;
    }
    std::string_view rest = outside;
    while (!rest.empty() && is_blank(rest.front())) rest.remove_prefix(1);
    take_count(rest);
    take_words(without_boxes(lower_case(rest)), part_.words);
    take_words(lower_case(inside), part_.optional);
    part_.cpu_cores = lower_case(inside).find("cpu") != std::string::npos;
    return std::move(part_);
  }

 private:
  // "2x ", "2 x ", "2xRTX"; not "7900XTX".
  void take_count(std::string_view& text) {
    std::size_t at = 0;
    while (at < text.size() && is_digit(text[at])) ++at;
    if (at == 0 || at > 6) return;
    const int count = to_int(*parse_decimal(text.substr(0, at)));
    while (at < text.size() && text[at] == ' ') ++at;
    std::size_t sign = 0;
    if (text.substr(at).starts_with(kTimes)) sign = kTimes.size();
    if (text.substr(at).starts_with('x') || text.substr(at).starts_with("X ")) sign = 1;
    if (sign == 0 || at + sign >= text.size()) return;
    const char next = text[at + sign];
    if (next != ' ' && !is_letter(next)) return;
    part_.count = count > 0 ? count : kNoCount;
    text.remove_prefix(at + sign);
  }

  static std::string without_boxes(std::string text) {
    for (const std::string_view box : kBoxes) {
      if (const std::size_t at = text.find(box); at != std::string::npos) text.replace(at, box.size(), " ");
    }
    return text;
  }

  // "RTX 3090 x4", "Dual EPYC 9654".
  bool take_count_word(std::string_view word, bool is_first) {
    const bool times = word.size() >= 2 && word.size() <= 4 && word.front() == 'x' &&
                       std::ranges::all_of(word.substr(1), is_digit);
    if (times) {
      part_.count = to_int(*parse_decimal(word.substr(1)));
      return true;
    }
    if (!is_first) return false;
    for (const auto& [name, count] : kChannelWords) {
      if (word != name) continue;
      part_.count = count;
      return true;
    }
    return false;
  }

  void take_words(const std::string& text, std::vector<std::string>& names) {
    const std::vector<std::string> words = blank_separated(text);
    for (std::size_t i = 0; i < words.size(); ++i) {
      const std::string_view next =
          i + 1 < words.size() ? std::string_view(words[i + 1]) : std::string_view();
      const int taken = take_channel_word(words[i], next) + take_memory_type(words[i], next);
      if (taken > 0) {
        i += static_cast<std::size_t>(taken - 1);
        continue;
      }
      if (take_count_word(words[i], i == 0)) continue;
      if (const auto q = quantity(words[i])) {
        const bool apart = q->suffix.empty();
        if (const auto unit = unit_of(apart ? next : q->suffix); unit && !(apart && next == "c")) {
          take(*unit, q->value);
          i += apart ? 1 : 0;
          continue;
        }
      }
      add_words(words[i], names);
    }
  }

  int take_channel_word(std::string_view word, std::string_view next) {
    for (const auto& [name, channels] : kChannelWords) {
      if (!word.starts_with(name)) continue;
      std::string_view rest = word.substr(name.size());
      if (rest.starts_with('-')) rest.remove_prefix(1);
      if (rest.starts_with("ch")) {
        part_.channels = channels;
        return 1;
      }
      if (rest.empty() && next.starts_with("ch")) {
        part_.channels = channels;
        return 2;
      }
    }
    return 0;
  }

  // "DDR5-6000", "DDR5 6000", "DDR5".
  int take_memory_type(std::string_view word, std::string_view next) {
    const bool known = std::ranges::any_of(kMemoryTypes, [&](auto type) { return word.starts_with(type); });
    if (!known) return 0;
    const std::size_t dash = std::min(word.find('-'), word.size());
    part_.optional.emplace_back(word.substr(0, dash));
    const auto transfers = [&](std::string_view text) {
      if (text.size() < 4 || text.size() > 5 || !std::ranges::all_of(text, is_digit)) return false;
      part_.mt_s = *parse_decimal(text);
      return true;
    };
    if (dash < word.size()) {
      transfers(word.substr(dash + 1));
      return 1;
    }
    return transfers(next) ? 2 : 1;
  }

  void take(Unit unit, double value) {
    switch (unit) {
      case Unit::kMemoryTb:
      case Unit::kMemoryGb:
        part_.memory_gb = value * (unit == Unit::kMemoryTb ? 1024 : 1);
        part_.optional.push_back(size_word(part_.memory_gb));
        return;
      case Unit::kBandwidth:
        part_.bandwidth_gbps = value;
        return;
      case Unit::kChannels:
        part_.channels = to_int(value);
        return;
      case Unit::kCores:
        part_.optional.push_back(std::to_string(to_int(value)) + "c");
        return;
      case Unit::kSockets:
        part_.count = std::max(part_.count, to_int(value));
        return;
      case Unit::kTransfers:
        part_.mt_s = value;
        return;
    }
  }

  NamedPart part_;
};

}  // namespace

bool NamedPart::has(std::string_view word) const {
  return std::ranges::find(words, word) != words.end() || std::ranges::find(optional, word) != optional.end();
}

NamedPart read_part(std::string_view text) {
  return PartReader().read(text);
}

std::vector<std::string_view> split_parts(std::string_view text) {
  const auto trim = [](std::string_view part) {
    while (!part.empty() && is_blank(part.front())) part.remove_prefix(1);
    while (!part.empty() && is_blank(part.back())) part.remove_suffix(1);
    return part;
  };
  std::vector<std::string_view> parts;
  std::size_t begin = 0;
  int depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '(') ++depth;
    if (text[i] == ')' && depth > 0) --depth;
    if (text[i] != '+' || depth > 0 || i == 0 || !is_blank(text[i - 1])) continue;
    parts.push_back(trim(text.substr(begin, i - begin)));
    begin = i + 1;
  }
  parts.push_back(trim(text.substr(begin)));
  return parts;
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

bool matches(std::string_view pattern, std::string_view word) {
  if (pattern.find('#') == std::string_view::npos) return pattern == word;
  if (word.size() < pattern.size()) return false;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '#' ? !is_digit(word[i]) : pattern[i] != word[i]) return false;
  }
  return std::ranges::all_of(word.substr(pattern.size()), is_letter);
}

}  // namespace cistern::plan
