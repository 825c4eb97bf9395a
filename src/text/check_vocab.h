// Whether a vocabulary makes sense, before anything is built from it. Vocabularies come from files and are
// not trusted: every id is checked against the number of tokens, every array against its length. Pure
// functions.
#pragma once

#include "base/error.h"
#include "text/vocab.h"

namespace cistern::text {

// kFormat, naming the GGUF key and the index.
Result<void> check_vocab(const Vocab& vocab);

// Gives each token a kind where the file says none: byte tokens by name, special tokens by their ids.
void complete_kinds(Vocab& vocab);

}  // namespace cistern::text
