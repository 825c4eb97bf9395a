#include "text/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <fmt/format.h>
#include <pcre2.h>

#include <algorithm>
#include <string>

#include "base/check.h"

namespace cistern::text {
namespace {

constexpr std::string_view kWhitespaceRanges =
    "\\x{9}-\\x{D}\\x{20}\\x{85}\\x{A0}\\x{1680}\\x{2000}-\\x{200A}\\x{2028}\\x{2029}\\x{202F}\\x{205F}\\x{"
    "3000}";

// Spells \s and \S out.
std::string expand_whitespace(std::string_view pattern) {
  std::string out;
  bool in_class = false;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (c != '\\' || i + 1 == pattern.size()) {
      if (c == '[') in_class = true;
      if (c == ']') in_class = false;
      out += c;
      continue;
    }
    const char escaped = pattern[++i];
    if (escaped == 's') {
      out += in_class ? std::string(kWhitespaceRanges) : fmt::format("[{}]", kWhitespaceRanges);
    } else if (escaped == 'S' && !in_class) {
      out += fmt::format("[^{}]", kWhitespaceRanges);
    } else {
      out += c;
      out += escaped;
    }
  }
  return out;
}

std::string message_of(int code) {
  PCRE2_UCHAR buffer[256];
  pcre2_get_error_message(code, buffer, sizeof(buffer));
  return reinterpret_cast<const char*>(buffer);
}

PCRE2_SPTR units(std::string_view text) {
  return reinterpret_cast<PCRE2_SPTR>(text.data());
}

}  // namespace

void Regex::FreeCode::operator()(void* code) const noexcept {
  pcre2_code_free(static_cast<pcre2_code*>(code));
}

void Regex::Matcher::Free::operator()(void* data) const noexcept {
  pcre2_match_data_free(static_cast<pcre2_match_data*>(data));
}

void Regex::Matcher::FreeContext::operator()(void* context) const noexcept {
  pcre2_match_context_free(static_cast<pcre2_match_context*>(context));
}

Result<Regex> Regex::compile(std::string_view pattern, Unit unit) {
  const std::string source = expand_whitespace(pattern);
  const std::uint32_t options = unit == Unit::kCharacters ? PCRE2_UTF | PCRE2_UCP : 0;
  int error = 0;
  PCRE2_SIZE offset = 0;
  pcre2_code* code = pcre2_compile(units(source), source.size(), options, &error, &offset, nullptr);
  if (code == nullptr) {
    return fail(ErrorCode::kUnsupported,
                fmt::format("regular expression: {} at offset {} of {}", message_of(error), offset, source));
  }
  Regex regex;
  regex.code_.reset(code);
  regex.jit_ = pcre2_jit_compile(code, PCRE2_JIT_COMPLETE) == 0;
  return regex;
}

Regex::Matcher::Matcher(const Regex& regex, std::size_t longest_bytes)
    : regex_(&regex),
      data_(pcre2_match_data_create(1, nullptr)),
      context_(pcre2_match_context_create(nullptr)) {
  CISTERN_CHECK(data_ != nullptr && context_ != nullptr);
  // A linear pattern takes a few steps per byte; ten million is PCRE2's default.
  const std::size_t steps = std::min<std::size_t>(10'000'000 + 64 * longest_bytes, UINT32_MAX);
  pcre2_set_match_limit(static_cast<pcre2_match_context*>(context_.get()), static_cast<std::uint32_t>(steps));
}

Result<std::optional<Regex::Match>> Regex::Matcher::find(std::string_view subject, std::size_t from) {
  const auto* code = static_cast<const pcre2_code*>(regex_->code_.get());
  auto* data = static_cast<pcre2_match_data*>(data_.get());
  auto* context = static_cast<pcre2_match_context*>(context_.get());

  int rc = PCRE2_ERROR_JIT_STACKLIMIT;
  if (regex_->jit_) rc = pcre2_jit_match(code, units(subject), subject.size(), from, 0, data, context);
  if (rc == PCRE2_ERROR_JIT_STACKLIMIT) {
    constexpr std::uint32_t kInterpreter = PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT;
    rc = pcre2_match(code, units(subject), subject.size(), from, kInterpreter, data, context);
  }
  if (rc == PCRE2_ERROR_NOMATCH) return std::nullopt;
  if (rc < 0)
    return fail(ErrorCode::kUnsupported,
                "the text is too irregular for the pre-tokenizer: " + message_of(rc));
  const PCRE2_SIZE* span = pcre2_get_ovector_pointer(data);
  return Match{span[0], span[1]};
}

}  // namespace cistern::text
