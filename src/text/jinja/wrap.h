// Python's textwrap.wrap for one line, as the filter wordwrap uses it (white space at the line ends dropped).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/jinja/runtime.h"

namespace cistern::text::jinja {

struct WrapStyle {
  int64_t width;
  bool break_long_words;
  bool break_on_hyphens;
};

std::vector<std::string> wrap_line(Runtime& rt, std::string_view line, const WrapStyle& style);

}  // namespace cistern::text::jinja
