#include "text/jinja/wrap.h"

#include <algorithm>

#include "text/jinja/failure.h"
#include "text/jinja/unicode.h"

namespace cistern::text::jinja {
namespace {

bool is_wrap_space(char c) {
  return c == '\t' || c == '\n' || c == '\v' || c == '\f' || c == '\r' || c == ' ';
}

// Runs of white space and runs of anything else, in reverse order.
std::vector<std::string_view> reversed_chunks(std::string_view line) {
  std::vector<std::string_view> chunks;
  for (std::size_t i = 0; i < line.size();) {
    const std::size_t start = i;
    const bool space = is_wrap_space(line[i]);
    while (i < line.size() && is_wrap_space(line[i]) == space) ++i;
    chunks.push_back(line.substr(start, i - start));
  }
  std::reverse(chunks.begin(), chunks.end());
  return chunks;
}

bool is_blank(std::string_view chunk) {
  return strip(chunk, nullptr, true, false).empty();
}

}  // namespace

std::vector<std::string> wrap_line(Runtime& rt, std::string_view line, const WrapStyle& style) {
  if (style.width <= 0) raise("invalid width {} (must be > 0)", style.width);
  if (style.break_on_hyphens && line.find('-') != std::string_view::npos) {
    raise("wordwrap of text with hyphens is supported only with break_on_hyphens=false");
  }
  const auto width = static_cast<std::size_t>(style.width);
  std::vector<std::string_view> chunks = reversed_chunks(line);
  rt.reserve_many(chunks.size(), 2 * sizeof(std::string));
  std::vector<std::string> lines;
  while (!chunks.empty()) {
    std::vector<std::string_view> current;
    std::size_t length = 0;
    if (!lines.empty() && is_blank(chunks.back())) chunks.pop_back();
    while (!chunks.empty()) {
      rt.step();
      const std::size_t size = count_code_points(chunks.back());
      if (length + size > width) break;
      current.push_back(chunks.back());
      chunks.pop_back();
      length += size;
    }
    if (!chunks.empty() && count_code_points(chunks.back()) > width) {
      rt.work(chunks.back().size());
      if (style.break_long_words) {
        const std::size_t cut = offset_of(chunks.back(), width - length);
        current.push_back(chunks.back().substr(0, cut));
        chunks.back().remove_prefix(cut);
      } else if (current.empty()) {
        current.push_back(chunks.back());
        chunks.pop_back();
      }
    }
    if (!current.empty() && is_blank(current.back())) current.pop_back();
    if (current.empty()) continue;
    std::string out;
    for (const std::string_view chunk : current) out += chunk;
    lines.push_back(std::move(out));
  }
  return lines;
}

}  // namespace cistern::text::jinja
