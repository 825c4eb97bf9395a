#include "text/jinja/from_json.h"

#include "text/jinja/failure.h"
#include "text/jinja/unicode.h"

namespace cistern::text::jinja {
namespace {

constexpr int kMaxNesting = 100;

Value string_value(std::string_view text) {
  if (find_invalid_utf8(text) != std::string_view::npos) raise("a string is not valid UTF-8");
  return constant_string(std::string(text));
}

Value convert(const boost::json::value& json, int nesting);

std::vector<Dict::Entry> convert_entries(const boost::json::object& json, int nesting) {
  std::vector<Dict::Entry> entries;
  entries.reserve(json.size());
  for (const auto& [key, value] : json) entries.emplace_back(string_value(key), convert(value, nesting));
  return entries;
}

Value convert(const boost::json::value& json, int nesting) {
  if (nesting > kMaxNesting) raise("JSON nested too deeply (more than {} levels)", kMaxNesting);
  switch (json.kind()) {
    case boost::json::kind::null:
      return Value::none();
    case boost::json::kind::bool_:
      return json.get_bool();
    case boost::json::kind::int64:
      return Value(json.get_int64());
    case boost::json::kind::uint64:
      return Integer::from_digits(std::to_string(json.get_uint64()), 10);
    case boost::json::kind::double_:
      return json.get_double();
    case boost::json::kind::string:
      return string_value(json.get_string());
    case boost::json::kind::array: {
      std::vector<Value> items;
      items.reserve(json.get_array().size());
      for (const auto& item : json.get_array()) items.push_back(convert(item, nesting + 1));
      return constant_list(std::move(items));
    }
    case boost::json::kind::object:
      return constant_dict(convert_entries(json.get_object(), nesting + 1));
  }
  return Value::none();
}

}  // namespace

Result<Value> from_json(const boost::json::value& json, std::string_view where) {
  try {
    return convert(json, 0);
  } catch (const Failure& failure) {
    return fail(ErrorCode::kTemplate, failure.message, std::string(where));
  }
}

Result<std::vector<Dict::Entry>> entries_from_json(const boost::json::object& json, std::string_view where) {
  try {
    return convert_entries(json, 0);
  } catch (const Failure& failure) {
    return fail(ErrorCode::kTemplate, failure.message, std::string(where));
  }
}

}  // namespace cistern::text::jinja
