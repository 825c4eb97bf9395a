#include "tools/json_out.h"

#include <fmt/format.h>

#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cmath>

#include "text/utf8.h"

namespace cistern::tools {
namespace json = boost::json;
namespace {

// Characters that JSON allows in strings but that some readers of lines take for the end of one.
constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kLineEnds = {
    {{"\xC2\x85", "\\u0085"}, {"\xE2\x80\xA8", "\\u2028"}, {"\xE2\x80\xA9", "\\u2029"}}};

class Writer {
 public:
  explicit Writer(JsonForm form) : pretty_(form == JsonForm::kPretty), typed_(form == JsonForm::kTypedLine) {}

  void write(const json::value& value) {
    if (const auto* object = value.if_object()) return write_object(*object);
    if (const auto* array = value.if_array()) return write_array(*array);
    if (const auto* text = value.if_string()) return write_string({text->data(), text->size()});
    if (const double* number = value.if_double()) {
      const std::string plain = std::isfinite(*number) ? fmt::format("{}", *number) : "null";
      const bool looks_whole = plain.find_first_not_of("-0123456789") == std::string::npos;
      out_ += typed_ && looks_whole ? plain + ".0" : plain;
    } else {
      out_ += json::serialize(value);  // integers, booleans, null
    }
  }
  std::string take() { return std::move(out_); }

 private:
  void write_string(std::string_view text) {
    std::string quoted = json::serialize(json::string(text::repair_utf8(text)));
    for (const auto& [character, escape] : kLineEnds) {
      for (std::size_t at = quoted.find(character); at != std::string::npos;
           at = quoted.find(character, at)) {
        quoted.replace(at, character.size(), escape);
      }
    }
    out_ += quoted;
  }

  void write_object(const json::object& object) {
    out_ += '{';
    ++depth_;
    bool first = true;
    for (const auto& [key, value] : object) {
      separate(first, pretty_);
      write_string({key.data(), key.size()});
      out_ += pretty_ ? ": " : ":";
      write(value);
    }
    close('}', !first && pretty_);
  }

  void write_array(const json::array& array) {
    // Lists of plain values stay on one line, or a token list would fill pages.
    bool broken = false;
    for (const json::value& value : array) broken = broken || value.is_structured();
    broken = broken && pretty_;
    out_ += '[';
    ++depth_;
    bool first = true;
    for (const json::value& value : array) {
      separate(first, broken);
      write(value);
    }
    close(']', !first && broken);
  }

  void separate(bool& first, bool new_line) {
    if (!first) out_ += pretty_ && !new_line ? ", " : ",";
    first = false;
    if (new_line) out_ += '\n' + std::string(2 * depth_, ' ');
  }

  void close(char bracket, bool new_line) {
    --depth_;
    if (new_line) out_ += '\n' + std::string(2 * depth_, ' ');
    out_ += bracket;
  }

  bool pretty_;
  bool typed_;
  std::size_t depth_ = 0;
  std::string out_;
};

}  // namespace

std::string to_json(const json::value& value, JsonForm form) {
  Writer writer(form);
  writer.write(value);
  return writer.take();
}

boost::json::value json_or_null(double value) {
  return value > 0 && std::isfinite(value) ? boost::json::value(value) : boost::json::value();
}

json::array json_ids(std::span<const text::TokenId> ids) {
  json::array array;
  array.reserve(ids.size());
  for (const text::TokenId id : ids) array.push_back(json::value(id));
  return array;
}

json::object json_error(const Error& error) {
  return {{"code", std::string(name_of(error.code))}, {"message", error.message}, {"where", error.where}};
}

Result<json::value> parse_json(std::string_view text, std::string_view what) {
  json::error_code error;
  json::parse_options options;
  options.max_depth = 256;
  json::value value = json::parse({text.data(), text.size()}, error, {}, options);
  if (error)
    return fail(ErrorCode::kFormat, fmt::format("not valid JSON: {}", error.message()), std::string(what));
  return value;
}

Result<std::vector<text::TokenId>> ids_from_json(const json::value& value, std::uint32_t n_vocab,
                                                 std::string_view what) {
  const json::array* array = value.if_array();
  if (array == nullptr)
    return fail(ErrorCode::kFormat, "expected a JSON array of token ids", std::string(what));
  std::vector<text::TokenId> ids;
  ids.reserve(array->size());
  for (const json::value& element : *array) {
    const std::int64_t* id = element.if_int64();
    if (id == nullptr || *id < 0 || *id >= static_cast<std::int64_t>(n_vocab)) {
      return fail(ErrorCode::kFormat,
                  fmt::format("element {} is {}; token ids are whole numbers from 0 to {}", ids.size(),
                              to_json(element).substr(0, 40), static_cast<std::int64_t>(n_vocab) - 1),
                  std::string(what));
    }
    ids.push_back(static_cast<text::TokenId>(*id));
  }
  return ids;
}

}  // namespace cistern::tools
