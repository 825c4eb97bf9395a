// Ollama's "messages" as those that chat templates take (serve/task.h). Calls of tools have no ids there, so
// they get some, and results are matched with calls by the tool's name and their order. Pure.
#pragma once

#include <boost/json/array.hpp>
#include <cstddef>

#include "base/error.h"
#include "serve/json_fields.h"

namespace cistern::serve::ollama {

inline constexpr std::size_t kMostMessages = 100'000;
inline constexpr std::size_t kMostCalls = 256;  // of one message: every result looks for its call among them

Result<boost::json::array> read_messages(const Field& messages);

// kUnsupported when "images" has any.
Result<void> refuse_images(const Fields& of);

}  // namespace cistern::serve::ollama
