// Finding and replacing text in time linear in its size whatever the texts are (std::string::find is
// quadratic for hostile ones). Used by the string methods and filters of the interpreter. Pure functions over
// bytes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "text/jinja/runtime.h"

namespace cistern::text::jinja {

// Offset of the first (last) occurrence, or npos. An empty part is found at the start (end).
std::size_t find_first(std::string_view text, std::string_view part, std::size_t from = 0);
std::size_t find_last(Runtime& rt, std::string_view text, std::string_view part);
// The same as find_last, but cheap when the hit is near the end: for callers that search again and again.
std::size_t find_last_nearby(Runtime& rt, std::string_view text, std::string_view part);

// Calls visit(offset) for every occurrence from the left, without overlaps, until it returns false.
// REQUIRES: !part.empty().
template <class Visit>
void for_each_occurrence(std::string_view text, std::string_view part, Visit visit) {
  for (std::size_t hit = find_first(text, part); hit != std::string_view::npos;
       hit = find_first(text, part, hit + part.size())) {
    if (!visit(hit)) return;
  }
}

// str.replace; a negative count replaces all. The size of the result is checked before it is made.
std::string replace_all(Runtime& rt, std::string_view text, std::string_view old, std::string_view by,
                        int64_t count);

}  // namespace cistern::text::jinja
