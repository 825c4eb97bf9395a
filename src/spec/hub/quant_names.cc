// Names of mixes as people write them: "Q4_K - Small", "IQ2_M - 2.7 bpw", "Q4_K_M (llama.cpp)", "4bit",
// "smol-IQ3_K", "EXL2 4.25bpw".
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "base/nearest.h"
#include "file/printable.h"
#include "spec/hub/quant_mix.h"

namespace cistern::spec::hub {
namespace {

constexpr std::size_t kMaxName = 128;
constexpr double kMlxOverhead = 0.5;  // a scale and an offset of 16 bits for each 64 weights
constexpr double kExlHeadBits = 6;
constexpr double kHalf = 16;

std::string upper(std::string_view text) {
  std::string result;
  for (const char c : text) result += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return result;
}

std::string trimmed(std::string_view text) {
  const auto is_space = [](char c) { return c == ' ' || c == '\t' || c == '~'; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return std::string(text);
}

bool drop_prefix(std::string& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text = trimmed(std::string_view(text).substr(prefix.size()));
  return true;
}

bool drop_suffix(std::string& text, std::string_view suffix) {
  if (!text.ends_with(suffix)) return false;
  text = trimmed(std::string_view(text).substr(0, text.size() - suffix.size()));
  return true;
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
}

// The number at the beginning, and what follows it. No model has 0 or more than 32 bits.
std::optional<double> leading_bits(std::string& text) {
  double bits = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), bits, std::chars_format::fixed);
  if (parsed.ec != std::errc() || !std::isfinite(bits) || bits <= 0.5 || bits > 32) return std::nullopt;
  text = trimmed(std::string_view(text).substr(static_cast<std::size_t>(parsed.ptr - text.data())));
  return bits;
}

std::optional<QuantMix> row_named(std::string_view name) {
  for (const FileType& row : file_types()) {
    if (row.name == name) return QuantMix{.name = std::string(name), .file_type = &row};
  }
  for (const AverageRow& row : averages()) {
    if (row.name == name)
      return QuantMix{.name = std::string(name), .file_type = nullptr, .bits = row.bits, .scope = row.scope};
  }
  return std::nullopt;
}

// "4bit", "4-bit", "3.5bpw", "3.5 bpw h6", "Q4.5".
std::optional<QuantMix> by_number(std::string text) {
  const bool has_q = drop_prefix(text, "Q");
  const auto bits = leading_bits(text);
  if (!bits) return std::nullopt;
  while (text.starts_with('-') || text.starts_with('_')) text.erase(0, 1);
  QuantMix mix = bits_per_weight(*bits);
  if (has_q) return text.empty() && *bits != std::floor(*bits) ? std::optional(mix) : std::nullopt;
  if (text.starts_with("BPW") || text.starts_with("BITS PER WEIGHT")) return mix;
  if (!text.starts_with("BIT")) return std::nullopt;
  if (*bits >= kHalf) return unquantized();
  mix = bits_per_weight(*bits + kMlxOverhead);
  mix.name = fmt::format("{:.4g}bit", *bits);
  return mix;
}

// "386 GiB", "41.5GB", anywhere in the text.
std::optional<QuantMix> by_size(std::string_view text) {
  constexpr double kGib = 1024.0 * 1024.0 * 1024.0;
  constexpr double kGb = 1e9;
  for (const auto& [name, unit] : {std::pair{"GIB", kGib}, {"GB", kGb}}) {
    const std::size_t at = text.find(name);
    if (at == std::string_view::npos) continue;
    const std::string before = trimmed(text.substr(0, at));
    const std::size_t start = before.find_last_not_of("0123456789.") + 1;
    if (start > 0 && before[start - 1] != ' ') continue;
    double size = 0;
    const auto parsed =
        std::from_chars(before.data() + start, before.data() + before.size(), size, std::chars_format::fixed);
    if (parsed.ec == std::errc() && size > 0 && size < 1e6) return of_size(size * unit);
  }
  return std::nullopt;
}

// The same behind the name of a program, which may say what is left alone.
std::optional<QuantMix> of_program(std::string text) {
  if (drop_prefix(text, "EXL2") || drop_prefix(text, "EXL3")) {
    while (text.starts_with('-') || text.starts_with('_')) text.erase(0, 1);
    auto mix = by_number(text);
    if (!mix) return std::nullopt;
    mix->bits.embedding = kHalf;
    mix->bits.output = kExlHeadBits;
    mix->name = "EXL " + mix->name;
    return mix;
  }
  for (const std::string_view name : {"GPTQ", "AWQ", "NF4", "FP8"}) {
    if (text.starts_with(name)) return row_named(text.find("8BIT") != std::string::npos ? "GPTQ-INT8" : name);
  }
  if (drop_prefix(text, "MLX")) {
    while (text.starts_with('-') || text.starts_with('_')) text.erase(0, 1);
    return by_number(text);
  }
  return std::nullopt;
}

// Other spellings of rows.
struct Alias {
  std::string_view name, row;
};
constexpr Alias kAliases[] = {
    {"Q4", "Q4_K_M"},
    {"Q5", "Q5_K_M"},
    {"Q6", "Q6_K"},
    {"Q8", "Q8_0"},
    {"Q3", "Q3_K_M"},
    {"Q2", "Q2_K"},
    {"Q3_K", "Q3_K_M"},
    {"Q4_K", "Q4_K_M"},
    {"Q5_K", "Q5_K_M"},
    {"FP16", "F16"},
    {"HALF", "F16"},
    {"BFLOAT16", "BF16"},
    {"FLOAT16", "F16"},
    {"FLOAT32", "F32"},
    {"FP32", "F32"},
    {"MXFP4_MOE", "MXFP4"},
    {"Q6_K_S", "Q6_K"},
    {"BNB", "NF4"},
    {"BNB-4BIT", "NF4"},
    {"BNB-8BIT", "INT8"},
    {"Q4_K_L", "Q4_K_M"},
    {"Q6_K_L", "Q6_K"},
    {"Q5_K_L", "Q5_K_M"},
    {"Q2_K_L", "Q2_K"},
    {"Q3_K_XL", "UD-Q3_K_XL"},
    {"Q2_K_XL", "UD-Q2_K_XL"},
    {"Q4_K_XL", "UD-Q4_K_XL"},
    {"Q5_K_XL", "UD-Q5_K_XL"},
    {"Q6_K_XL", "UD-Q6_K_XL"},
    {"Q8_K_XL", "UD-Q8_K_XL"},
};

// One name without brackets or remarks, in capitals.
std::optional<QuantMix> one_name(std::string text) {
  if (auto mix = row_named(text)) return mix;
  const auto* alias = std::ranges::find(kAliases, text, &Alias::name);
  if (alias != std::end(kAliases)) return row_named(alias->row);
  if (auto mix = of_program(text)) return mix;
  if (auto mix = by_number(text)) return mix;
  if (drop_prefix(text, "UD-") || drop_suffix(text, "_R4") || drop_suffix(text, "_R8")) return one_name(text);
  return std::nullopt;
}

// A name and perhaps a remark behind it.
std::optional<QuantMix> name_and_remark(std::string text) {
  text = trimmed(text);
  for (const auto& [size, letter] : {std::pair{"SMALL", "_S"}, {"MEDIUM", "_M"}, {"LARGE", "_L"}}) {
    for (const char* gap : {" - ", "-", " "}) replace_all(text, fmt::format("{}{}", gap, size), letter);
  }
  drop_suffix(text, " MIX");
  // ik_llama.cpp's makers call smaller what has no better types for some tensors.
  const bool small = drop_prefix(text, "SMOL-");
  if (const std::size_t slash = text.find('/'); slash != std::string::npos) {
    std::size_t end = slash + 1;  // "IQ2/3_K": the second of two types
    while (end < text.size() && text[end] >= '0' && text[end] <= '9') ++end;
    if (end > slash + 1) text.erase(slash, end - slash);
  }
  std::optional<QuantMix> mix = one_name(text);
  if (!mix) {
    if (const std::size_t remark = text.find(" - "); remark != std::string::npos)
      mix = one_name(trimmed(std::string_view(text).substr(0, remark)));
  }
  if (!mix) {
    if (const std::size_t space = text.find(' '); space != std::string::npos)
      mix = one_name(text.substr(0, space));
  }
  if (mix && small) {
    mix->name = "smol-" + mix->name;
    mix->bits.experts_down.reset();
  }
  return mix;
}

}  // namespace

QuantMix unquantized() {
  return *row_named("BF16");
}

Result<QuantMix> find_quant(std::string_view name) {
  const std::string text = upper(name.substr(0, kMaxName));
  // What stands in brackets may be the more exact name.
  const std::size_t open = text.find('(');
  const std::size_t close = text.find(')', open == std::string::npos ? 0 : open);
  std::optional<QuantMix> mix;
  if (open != std::string::npos && close != std::string::npos)
    mix = name_and_remark(text.substr(open + 1, close - open - 1));
  if (!mix) mix = name_and_remark(text.substr(0, open));
  if (!mix) mix = by_size(text);
  if (mix) return *std::move(mix);
  std::vector<std::string> known;
  for (const FileType& row : file_types()) known.emplace_back(row.name);
  for (const AverageRow& row : averages()) known.emplace_back(row.name);
  const std::string meant = nearest(text, known);
  return fail(
      ErrorCode::kUsage,
      fmt::format("unknown quant '{}'{}; names are those of GGUF files (Q4_K_M, IQ3_XXS, UD-Q4_K_XL), "
                  "bits per weight (3.5bpw, 4bit, AWQ, fp8), or a size (41.5GiB)",
                  file::printable(name.substr(0, kMaxName)),
                  meant.empty() ? "" : fmt::format("; did you mean {}?", meant)));
}

}  // namespace cistern::spec::hub
