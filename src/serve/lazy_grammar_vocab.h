// The tokens of a vocabulary as grammars need them, made when the first request wants a grammar: it takes a
// moment and some memory that most models never need. Thread-safe. The tokenizer outlives it.
#pragma once

#include <mutex>
#include <optional>

#include "base/error.h"
#include "sample/grammar.h"

namespace cistern::serve {

class LazyGrammarVocab {
 public:
  explicit LazyGrammarVocab(const text::Tokenizer& tokenizer) : tokenizer_(tokenizer) {}

  Result<sample::GrammarVocabPtr> get() {
    const std::lock_guard lock(mutex_);
    if (vocab_ == nullptr) {
      CISTERN_TRY(vocab_, sample::GrammarVocab::create(tokenizer_));
    }
    return vocab_;
  }

 private:
  const text::Tokenizer& tokenizer_;
  std::mutex mutex_;
  sample::GrammarVocabPtr vocab_;
};

}  // namespace cistern::serve
