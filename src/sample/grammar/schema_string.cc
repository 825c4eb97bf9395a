// The keywords of strings: minLength, maxLength, pattern, format.
#include <fmt/format.h>

#include "sample/grammar/regex.h"
#include "sample/grammar/schema_compiler.h"
#include "sample/grammar/schema_keywords.h"
#include "sample/grammar/string_formats.h"

namespace cistern::sample::grammar {
namespace {

namespace json = boost::json;

std::unexpected<Error> at(const Error& error, const std::string& where) {
  return fail(error.code, error.message, where);
}

Result<void> add_constraint(std::optional<Dfa>& all, std::string_view pattern, const std::string& where) {
  auto dfa = compile_regex(pattern);
  if (!dfa) return at(dfa.error(), where);
  if (!all) {
    all = *std::move(dfa);
    return {};
  }
  auto both = intersect(*all, *dfa);
  if (!both) return at(both.error(), where);
  all = *std::move(both);
  return {};
}

json::array as_list(const json::value* value) {
  if (value == nullptr) return {};
  return value->is_array() ? value->get_array() : json::array{*value};
}

}  // namespace

Result<std::optional<Dfa>> SchemaCompiler::string_dfa(const Object& schema, bool bounded,
                                                      const std::string& where) {
  std::optional<Dfa> all;
  for (const json::value& pattern : as_list(schema.if_contains("pattern")))
    CISTERN_TRY_VOID(add_constraint(all, pattern.get_string(), below(where, "pattern")));
  for (const json::value& name : as_list(schema.if_contains("format"))) {
    const std::string pattern = pattern_of_format(name.get_string());
    const std::string place = below(where, "format");
    if (!pattern.empty()) {
      CISTERN_TRY_VOID(add_constraint(all, pattern, place));
    } else if (!is_format_without_pattern(name.get_string())) {
      return fail(ErrorCode::kUnsupported,
                  fmt::format("the format \"{}\" is not supported; known are {}",
                              std::string_view(name.get_string()), known_formats()),
                  place);
    }
  }
  const std::uint32_t min = count_of(schema, "minLength", 0);
  const std::uint32_t max = count_of(schema, "maxLength", kEndless);
  if (!all || !bounded || (min == 0 && max == kEndless)) return all;
  const std::string place = below(where, max == kEndless ? "minLength" : "maxLength");
  if (min > max) return Dfa();
  if (min >= Dfa::kMostNodes || (max != kEndless && max >= Dfa::kMostNodes)) {
    return fail(ErrorCode::kUnsupported,
                fmt::format("beside a pattern or format, lengths must be below {}", Dfa::kMostNodes), place);
  }
  auto both = intersect(*all, lengths(min, max));
  if (!both) return at(both.error(), place);
  return std::optional(*std::move(both));
}

Result<StateId> SchemaCompiler::add_string(StateId from, const Object& schema, const std::string& where) {
  CISTERN_TRY(const auto dfa, string_dfa(schema, true, where));
  if (dfa) {
    if (dfa->empty()) return builder_.add_state();  // that nothing leads to
    return builder_.text(add_json_text(builder_, builder_.text(from, "\""), *dfa), "\"");
  }
  const std::uint32_t min = count_of(schema, "minLength", 0);
  const std::uint32_t max = count_of(schema, "maxLength", kEndless);
  if (min > max) return builder_.add_state();
  if (min == 0 && max == kEndless) return builder_.call(from, json_.string());
  return json_.string_of_length(from, min, max);
}

}  // namespace cistern::sample::grammar
