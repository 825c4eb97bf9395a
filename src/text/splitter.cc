#include "text/splitter.h"

#include "text/unicode.h"
#include "text/utf8.h"

namespace cistern::text {
namespace {

using Pieces = std::vector<std::string_view>;

void append_piece(Pieces& out, std::string_view piece) {
  if (!piece.empty()) out.push_back(piece);
}

Result<void> split_by_pattern(Regex::Matcher& matcher, std::string_view text, Pieces& out) {
  std::size_t done = 0;
  while (done < text.size()) {
    CISTERN_TRY(const auto match, matcher.find(text, done));
    if (!match) break;
    append_piece(out, text.substr(done, match->begin - done));
    append_piece(out, text.substr(match->begin, match->end - match->begin));
    if (match->end == done) break;  // no pattern of the table matches the empty string
    done = match->end;
  }
  append_piece(out, text.substr(done));
  return {};
}

// Length in bytes of a decimal digit at the beginning of the text; 0 if there is none.
std::size_t digit_length(std::string_view text) {
  if (text.empty()) return 0;
  const CodePoint c = decode_utf8(text);
  return category_of(c.value) == UTF8PROC_CATEGORY_ND ? c.length : 0;
}

// kDigitGroups is the pattern (?=(\d{3})+(?!\d)): a cut wherever a multiple of three digits is left.
// kDigitGroupsAtWordEnd is \d{1,3}(?=(?:\d{3})*\b). Both would take quadratic time as patterns.
void split_digit_groups(std::string_view text, bool at_word_end, Pieces& out) {
  std::size_t piece = 0;
  for (std::size_t pos = 0; pos < text.size();) {
    std::vector<std::size_t> digits;  // offsets
    std::size_t end = pos;
    while (const std::size_t length = digit_length(text.substr(end))) {
      digits.push_back(end);
      end += length;
    }
    if (digits.empty()) {
      pos += decode_utf8(text.substr(pos)).length;
      continue;
    }
    const bool ends_word = end == text.size() || !is_word_character(decode_utf8(text.substr(end)).value);
    if (!at_word_end || ends_word) {
      for (std::size_t i = 0; i < digits.size(); ++i) {
        const bool group_begins = (digits.size() - i) % 3 == 0 || (at_word_end && i == 0);
        if (!group_begins) continue;
        append_piece(out, text.substr(piece, digits[i] - piece));
        piece = digits[i];
      }
      if (at_word_end) {
        append_piece(out, text.substr(piece, end - piece));
        piece = end;
      }
    }
    pos = end;
  }
  append_piece(out, text.substr(piece));
}

}  // namespace

Result<Splitter> Splitter::create(std::span<const Split> splits) {
  Splitter splitter;
  for (const Split& split : splits) {
    Step step{.kind = split.kind, .regex = {}};
    if (split.kind == Split::Kind::kPattern || split.kind == Split::Kind::kBytePattern) {
      const bool bytes = split.kind == Split::Kind::kBytePattern;
      CISTERN_TRY(Regex regex,
                  Regex::compile(split.pattern, bytes ? Regex::Unit::kBytes : Regex::Unit::kCharacters));
      step.regex.push_back(std::move(regex));
    }
    splitter.steps_.push_back(std::move(step));
  }
  return splitter;
}

Result<std::vector<std::string_view>> Splitter::split(std::string_view text) const {
  Pieces pieces, next;
  append_piece(pieces, text);
  for (const Step& step : steps_) {
    next.clear();
    next.reserve(pieces.size() + text.size() / 4);
    if (step.regex.empty()) {
      for (const auto piece : pieces)
        split_digit_groups(piece, step.kind == Split::Kind::kDigitGroupsAtWordEnd, next);
    } else {
      Regex::Matcher matcher(step.regex[0], text.size());
      for (const auto piece : pieces) CISTERN_TRY_VOID(split_by_pattern(matcher, piece, next));
    }
    pieces.swap(next);
  }
  return pieces;
}

}  // namespace cistern::text
