#include "text/metaspace_normalizer.h"

#include <utf8proc.h>

#include <algorithm>

#include "text/space_mark.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace cistern::text {
namespace {

// Only clusters shorter than this are looked up as a whole; the number is the library's.
constexpr std::size_t kLongCluster = 6;

std::size_t cluster_length(std::string_view text) {
  CodePoint c = decode_utf8(text);
  std::size_t length = c.length;
  utf8proc_int32_t state = 0;
  while (length < text.size()) {
    const CodePoint next = decode_utf8(text.substr(length));
    if (utf8proc_grapheme_break_stateful(static_cast<utf8proc_int32_t>(c.value),
                                         static_cast<utf8proc_int32_t>(next.value), &state))
      break;
    length += next.length;
    c = next;
  }
  return length;
}

// A rule for the beginning of a short cluster replaces all of it: a second accent is lost, and models learnt
// that.
void append_mapped(std::string& out, std::string_view cluster, const Charsmap& charsmap) {
  if (cluster.size() < kLongCluster) {
    if (const auto rule = charsmap.shortest(cluster); rule.length > 0) {
      out += rule.replacement;
      return;
    }
  }
  while (!cluster.empty()) {
    const std::string_view character = cluster.substr(0, length_by_lead(cluster[0]));
    const auto rule = charsmap.shortest(character);
    out += rule.length > 0 ? rule.replacement : character;
    cluster.remove_prefix(character.size());
  }
}

}  // namespace

std::vector<std::string> metaspace_words(std::string_view text, const Charsmap& charsmap) {
  std::string mapped;
  mapped.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = cluster_length(text);
    append_mapped(mapped, text.substr(0, length), charsmap);
    text.remove_prefix(length);
  }
  if (!is_valid_utf8(mapped)) mapped = repair_utf8(mapped);  // a damaged charsmap can write anything

  std::vector<std::string> words;
  bool in_word = false;
  for (std::string_view rest = mapped; !rest.empty();) {
    const CodePoint c = decode_utf8(rest);
    const std::string_view character = rest.substr(0, c.length);
    rest.remove_prefix(c.length);
    if (is_whitespace(c.value)) {
      in_word = false;
      continue;
    }
    if (!in_word) words.emplace_back(character == kSpaceMark ? "" : kSpaceMark);
    words.back() += character;
    in_word = true;
  }
  return words;
}

}  // namespace cistern::text
