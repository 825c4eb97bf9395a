// JSON as commands print it: Boost.JSON values, written with plain decimal numbers ("0.5", not "5E-1") and
// with bytes that are no UTF-8 replaced by U+FFFD, so that every line is valid JSON whatever a model file
// holds.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <span>
#include <string>

#include "base/error.h"
#include "text/vocab.h"

namespace cistern::tools {

enum class JsonForm {
  kLine,
  kPretty,     // indented by two spaces
  kTypedLine,  // a line in which 1.0 does not become 1: for values that are passed on
};

// Without a newline at the end. Infinities and NaN, which JSON lacks, become null.
std::string to_json(const boost::json::value& value, JsonForm form = JsonForm::kLine);

// A figure; null where it is not known, which is 0.
boost::json::value json_or_null(double value);

boost::json::array json_ids(std::span<const text::TokenId> ids);

// {"code", "message", "where"}
boost::json::object json_error(const Error& error);

// Parses one document. kFormat names the place inside the text; never throws, bounded depth.
Result<boost::json::value> parse_json(std::string_view text, std::string_view what);

// Ids out of a JSON array; kFormat names the first element that is no token id below `n_vocab`.
Result<std::vector<text::TokenId>> ids_from_json(const boost::json::value& value, std::uint32_t n_vocab,
                                                 std::string_view what);

}  // namespace cistern::tools
