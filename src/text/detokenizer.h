// From ids to text, one at a time: push() gives the text that is certain so far, never a part of a character,
// and flush() the rest. All pushes and the flush together are Tokenizer::decode() of the ids. Used by every
// stream of generated text. Not thread-safe (it is the state of one stream); the Tokenizer must outlive it.
#pragma once

#include <string>
#include <string_view>

#include "text/rendering.h"
#include "text/vocab.h"

namespace cistern::text {

class Tokenizer;

struct DetokenizerOptions {
  bool hide_control = false;  // control and unknown tokens contribute nothing
  bool continuation = false;  // the ids continue a text: a space at their beginning is part of it
};

class Detokenizer {
 public:
  explicit Detokenizer(const Tokenizer& tokenizer, DetokenizerOptions options = {});

  // An id beyond the vocabulary gives U+FFFD.
  std::string push(TokenId id);
  std::string flush();

 private:
  std::string without_leading_space(std::string_view text);
  std::string take_pending(bool all);

  const Tokenizer& tokenizer_;
  const Rendering& rendering_;
  bool hide_control_;
  bool first_ = true;     // nothing pushed that shows
  bool started_ = false;  // some text came out
  bool space_dropped_ = false;
  std::string pending_;  // bytes whose character is not complete; kByteFallback: a run of byte tokens
};

}  // namespace cistern::text
