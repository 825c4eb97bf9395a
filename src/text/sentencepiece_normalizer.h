// What SentencePiece does to a text before it looks for pieces: the rules of the precompiled charsmap, spaces
// squeezed and trimmed, a space put in front, every space written as U+2581. User-defined symbols pass
// untouched. Used by the SPM and Unigram encoders. Immutable after creation; thread-safe; the vocabulary must
// outlive it.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "text/charsmap.h"
#include "text/prefix_table.h"
#include "text/vocab.h"

namespace cistern::text {

class SentencePieceNormalizer {
 public:
  // REQUIRES: vocab.kinds has one entry per token.
  static Result<SentencePieceNormalizer> create(const Vocab& vocab);

  // Valid UTF-8 in, valid UTF-8 out. Empty if nothing but removable space is there.
  std::string normalize(std::string_view text) const;

  // User-defined tokens in the form that they have in a normalized text.
  const PrefixTable& user_defined() const { return user_defined_; }

 private:
  struct Step {
    std::string_view text;
    std::size_t consumed;
  };
  Step next(std::string_view text) const;

  Charsmap charsmap_;
  PrefixTable user_defined_;
  bool add_space_prefix_ = true;
  bool remove_extra_whitespaces_ = false;
  bool escape_whitespaces_ = true;
};

}  // namespace cistern::text
