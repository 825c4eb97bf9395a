// JSON documents as template values: objects become dicts in their order, null becomes none. Whole numbers
// beyond 64 signed bits stay exact up to 64 unsigned bits; larger ones are floats, as Boost.JSON reads them.
// Used for the context of a render. The values belong to no render and may be shared between renders.
#pragma once

#include <boost/json/value.hpp>

#include "base/error.h"
#include "text/jinja/value.h"

namespace cistern::text::jinja {

// Fails with kTemplate when the document is nested too deeply or holds text that is no valid UTF-8; `where`
// names it.
Result<Value> from_json(const boost::json::value& json, std::string_view where);
// The same for an object whose entries become the variables of a template.
Result<std::vector<Dict::Entry>> entries_from_json(const boost::json::object& json, std::string_view where);

}  // namespace cistern::text::jinja
