#include "plan/published.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <utility>

#include "base/csv.h"
#include "plan/hardware_text.h"

namespace cistern::plan {
namespace {

constexpr double kMost = 1e12;
constexpr double kMostDevices = 1024;
constexpr double kMostTokens = 1e8;
constexpr double kGiga = 1e9;
constexpr double kGib = 1024.0 * 1024 * 1024;

struct TextColumn {
  std::string_view name;
  std::string PublishedRow::* member;
  bool required;
};
constexpr std::array<TextColumn, 9> kTexts = {{
    {"row_id", &PublishedRow::row_id, false},
    {"hardware", &PublishedRow::hardware, true},
    {"backend", &PublishedRow::backend, true},
    {"model", &PublishedRow::model, true},
    {"quant", &PublishedRow::quant, false},
    {"context", &PublishedRow::context, false},
    {"source", &PublishedRow::source, false},
    {"confidence", &PublishedRow::confidence, false},
    {"notes", &PublishedRow::notes, false},
}};

struct NumberColumn {
  std::string_view name;
  double PublishedRow::* member;
  bool required;
};
constexpr std::array<NumberColumn, 5> kNumbers = {{
    {"params_total_B", &PublishedRow::params_total_b, false},
    {"params_active_B", &PublishedRow::params_active_b, false},
    {"file_size_GiB", &PublishedRow::file_size_gib, false},
    {"prompt_tps", &PublishedRow::prompt_tps, false},
    {"decode_tps", &PublishedRow::decode_tps, true},
}};

Result<PublishedRow> read_row(const CsvTable& table, const CsvRow& row) {
  PublishedRow published{.line = row.line};
  for (const TextColumn& text : kTexts) {
    if (const auto column = table.column(text.name)) published.*text.member = row.fields[*column];
  }
  for (const NumberColumn& number : kNumbers) {
    const auto column = table.column(number.name);
    if (!column) continue;
    CISTERN_TRY(published.*number.member, table.number(row, *column, 0, 0, kMost));
  }
  if (const auto column = table.column("n_devices")) {
    CISTERN_TRY(const double devices, table.number(row, *column, 1, 1, kMostDevices));
    published.n_devices = static_cast<int>(devices);
  }
  return published;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_word(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || c == '_';
}

// The number at `at`, with "k" for 1024, and where it ends. Nothing: there is none.
struct Found {
  double value = 0;
  std::size_t end = 0;
};
std::optional<Found> number_at(std::string_view text, std::size_t at) {
  std::size_t end = at;
  while (end < text.size() && (is_digit(text[end]) || text[end] == '.')) ++end;
  while (end > at && text[end - 1] == '.') --end;
  if (end == at || end - at > 15) return std::nullopt;
  const std::optional<double> value = parse_decimal(text.substr(at, end - at));
  if (!value) return std::nullopt;
  const bool thousands = end < text.size() && text[end] == 'k';
  return Found{std::min(*value * (thousands ? 1024 : 1), kMostTokens), end + (thousands ? 1 : 0)};
}

// The number behind `name`, where that begins a word: "pp" in "tg128/pp512". Blanks, '=' and a 'd' may be
// between.
std::optional<double> number_after(std::string_view text, std::string_view name) {
  for (std::size_t at = text.find(name); at != std::string_view::npos; at = text.find(name, at + 1)) {
    if (at > 0 && is_word(text[at - 1]) && is_word(name.front())) continue;
    std::size_t next = at + name.size();
    while (next < text.size() && (text[next] == ' ' || text[next] == '=' || text[next] == 'd')) ++next;
    if (const auto found = number_at(text, next)) return found->value;
  }
  return std::nullopt;
}

// The number before `name`: "8192 ctx", "256 tok".
std::optional<double> number_before(std::string_view text, std::string_view name) {
  const std::size_t at = text.find(name);
  if (at == std::string_view::npos) return std::nullopt;
  std::size_t begin = at;
  while (begin > 0 && text[begin - 1] == ' ') --begin;
  if (begin > 0 && text[begin - 1] == 'k') --begin;
  while (begin > 0 && (is_digit(text[begin - 1]) || text[begin - 1] == '.')) --begin;
  const auto found = number_at(text, begin);
  return found ? std::optional<double>(found->value) : std::nullopt;
}

// "512/128": tokens of a prompt and tokens that follow.
std::optional<std::pair<double, double>> two_numbers(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  std::size_t begin = slash;
  while (begin > 0 && is_digit(text[begin - 1])) --begin;
  if (begin > 0 && is_word(text[begin - 1])) return std::nullopt;
  const auto first = number_at(text, begin), second = number_at(text, slash + 1);
  if (!first || !second) return std::nullopt;
  return std::pair(first->value, second->value);
}

bool has_word(std::string_view text, std::string_view word) {
  for (std::size_t at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    if ((at == 0 || !is_word(text[at - 1])) && (end == text.size() || !is_word(text[end]))) return true;
  }
  return false;
}

// Billions of parameters that a name tells: "Qwen3-30B-A3B" has 30, and 3 active. 0: it tells none.
struct NamedSizes {
  double total_b = 0;
  double active_b = 0;
};
NamedSizes sizes_in(std::string_view model) {
  const std::string name = lower_case(model.substr(0, 256));
  NamedSizes sizes;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const bool begins = i == 0 || (!is_word(name[i - 1]) && name[i - 1] != '.');
    const bool active = begins && name[i] == 'a' && i + 1 < name.size();
    if (!active && !(begins && is_digit(name[i]))) continue;
    const std::size_t digits = i + (active ? 1 : 0);
    const auto number = number_at(name, digits);
    if (!number || number->end >= name.size() || name[number->end] != 'b') continue;
    if (number->end + 1 < name.size() && is_word(name[number->end + 1])) continue;
    (active ? sizes.active_b : sizes.total_b) = std::min(number->value, 1e5);
  }
  return sizes;
}

struct QuantBits {
  std::string_view text;
  double bits;
};
// Whole files of models of 7 B to 70 B, divided by their parameters; the first that the name contains.
constexpr std::array<QuantBits, 36> kBits = {{
    {"bf16", 16},    {"f16", 16},      {"f32", 32},     {"mxfp4", 4.4},  {"nvfp4", 4.6},   {"iq1_s", 1.8},
    {"iq1_m", 1.95}, {"iq2_xxs", 2.3}, {"iq2_xs", 2.5}, {"iq2_k", 2.6},  {"iq2_s", 2.6},   {"iq2_m", 2.8},
    {"iq2", 2.7},    {"iq3_xxs", 3.2}, {"iq3_k", 3.6},  {"iq3", 3.5},    {"iq4_xs", 4.35}, {"iq4_nl", 4.6},
    {"iq4", 4.5},    {"iq6", 6.6},     {"q2_k", 3.0},   {"q3_k_s", 3.6}, {"q3_k_l", 4.2},  {"q3_k", 3.9},
    {"q4_k_s", 4.6}, {"q4_k", 4.85},   {"q4_0", 4.6},   {"q4_1", 5.0},   {"q5_k", 5.65},   {"q5", 5.6},
    {"q6", 6.56},    {"6bit", 6.5},    {"q8", 8.5},     {"8bit", 8.5},   {"4bit", 4.5},    {"4.00bpw", 4.1},
}};
constexpr double kUsualBits = 4.8;

}  // namespace

Result<std::vector<PublishedRow>> parse_published(std::string_view text, std::string name) {
  CISTERN_TRY(const CsvTable table, CsvTable::parse(text, std::move(name)));
  for (const TextColumn& column : kTexts) {
    if (!column.required) continue;
    CISTERN_TRY([[maybe_unused]] const std::size_t found, table.required_column(column.name));
  }
  for (const NumberColumn& column : kNumbers) {
    if (!column.required) continue;
    CISTERN_TRY([[maybe_unused]] const std::size_t found, table.required_column(column.name));
  }
  std::vector<PublishedRow> rows;
  for (const CsvRow& row : table.rows()) {
    CISTERN_TRY(PublishedRow published, read_row(table, row));
    rows.push_back(std::move(published));
  }
  return rows;
}

MeasuredContext parse_context(std::string_view text) {
  const std::string s = lower_case(text.substr(0, 1024));
  MeasuredContext context;
  context.flash_attention = has_word(s, "fa");
  if (const auto prompt = number_after(s, "pp")) context.prompt_tokens = std::max(*prompt, 1.0);
  const double generated = number_after(s, "tg").value_or(128);
  std::optional<double> depth = number_after(s, "@");
  if (!depth) depth = number_after(s, "n_kv");
  if (depth) {
    context.prompt_depth = *depth;
    context.decode_depth = *depth + generated / 2;
    return context;
  }
  context.decode_depth = generated / 2;
  if (const auto two = two_numbers(s)) {
    context.prompt_tokens = std::max(two->first, 1.0);
    context.decode_depth = two->first + two->second / 2;
    return context;
  }
  if (s.find("mixed") != std::string::npos) {
    // LocalScore's nine tests: prompts of 16 to 4096 tokens, 16 to 3072 that follow.
    context.prompt_tokens = 1300;
    context.decode_depth = 1830;
    return context;
  }
  // A length without further words is that of the whole text.
  std::optional<double> length = number_before(s, "ctx");
  if (!length) length = number_before(s, "tok");
  if (!length) length = number_after(s, "ctx");
  if (length) {
    context.decode_depth = *length / 2;
  } else if (has_word(s, "long")) {
    context.decode_depth = 4096;
  }
  return context;
}

Result<System> system_of(const Catalogue& catalogue, const PublishedRow& row) {
  CISTERN_TRY(System system, catalogue.resolve(row.hardware));
  if (row.n_devices > 1 && system.device_count() == 1) system.devices.front().count = row.n_devices;
  return system;
}

double bits_per_weight(std::string_view quant) {
  const std::string name = lower_case(quant);
  const auto* const found = std::ranges::find_if(
      kBits, [&](const QuantBits& row) { return name.find(row.text) != std::string::npos; });
  return found == kBits.end() ? kUsualBits : found->bits;
}

Result<Work> estimate_work(const PublishedRow& row, const MeasuredContext& context) {
  const double bits = bits_per_weight(row.quant);
  const NamedSizes named = sizes_in(row.model);
  double total = row.params_total_b * kGiga;
  double bytes = row.file_size_gib * kGib;
  if (total <= 0) total = named.total_b * kGiga;
  if (total <= 0) total = bytes * 8 / bits;
  if (total <= 0)
    return fail(ErrorCode::kUsage, fmt::format("neither parameters nor bytes of '{}' are known", row.model),
                fmt::format("line {}", row.line));
  if (bytes <= 0) bytes = total * bits / 8;
  const double active_b = row.params_active_b > 0 ? row.params_active_b : named.active_b;
  const double active = active_b > 0 ? std::min(active_b * kGiga, total) : total;
  const bool moe = active < 0.8 * total;

  // Shapes as they usually are: widths and depths that grow with a power of the size.
  const double billions = total / kGiga;
  const double width = moe ? 4096 : 4096 * std::pow(billions / 8, 0.33);
  const double layers = moe ? 48 * std::pow(billions / 30, 0.15) : 32 * std::pow(billions / 8, 0.37);
  const bool tied = billions < 4;  // the embedding table is the output head, too
  const double embedding = std::min(128'000 * width, total / 4);
  constexpr double kRoutedShare = 0.55;  // of what is active
  const double routed = moe ? total - (1 - kRoutedShare) * active : 0;
  const double average = bytes * 8 / total;
  // What every token reads is stored with more bits than experts are.
  double dense_bits = average;
  if (moe) dense_bits = weight_class_of(row.quant) == WeightClass::kMxfp4 ? 8.5 : std::max(average, 6.0);
  const double dense_bytes = moe ? std::min((total - routed) * dense_bits / 8, bytes / 2) : bytes;
  const double table_bytes = tied ? 0 : embedding * (moe ? dense_bytes / (total - routed) : average / 8);

  Work work;
  work.file_bytes = bytes;
  work.routed_file_bytes = bytes - dense_bytes;
  work.dense_read_bytes = std::max(dense_bytes - table_bytes, dense_bytes / 4);
  work.routed_read_bytes = moe ? work.routed_file_bytes * kRoutedShare * active / routed : 0;
  work.routed_macs = moe ? kRoutedShare * active : 0;
  work.dense_macs = std::max(active - work.routed_macs - (tied ? 0 : embedding), active / 10);
  work.layers = layers;
  work.weights = weight_class_of(row.quant);
  const double kv_heads_width = moe ? 512 : 1024;
  constexpr double kKeyAndValueBytes = 4;
  work.kv_bytes = layers * kv_heads_width * kKeyAndValueBytes * context.decode_depth;
  work.attention_macs = 2 * layers * width * context.decode_depth;
  work.prompt_tokens = context.prompt_tokens;
  work.prompt_attention_macs = 2 * layers * width * (context.prompt_depth + context.prompt_tokens / 2);
  work.flash_attention = context.flash_attention;
  return work;
}

}  // namespace cistern::plan
