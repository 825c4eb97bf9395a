// Reads through a JSON Schema before it is compiled: every keyword must be known and have a value of the
// right kind. What is not known is an error with its place, so that nothing that a schema asks is ever
// ignored. Pure function.
#pragma once

#include <boost/json/value.hpp>
#include <string>

#include "base/error.h"

namespace cistern::sample::grammar {

// Of the schema and all schemas in it. kUnsupported or kFormat, `where` is the pointer of the keyword; that
// of the schema itself is given.
Result<void> check_keywords(const boost::json::value& schema, const std::string& where);

// `where` and the keyword or name below it, as a JSON pointer.
std::string below(const std::string& where, std::string_view name);

}  // namespace cistern::sample::grammar
