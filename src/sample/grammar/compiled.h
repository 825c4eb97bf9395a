// What a Grammar is made of, for the compilers that make one and the state that follows it. Internal to
// sample/; others see grammar.h. The compilers add rules to a Builder and return the one that stands for the
// whole, so that they can be combined: GBNF may name schemas.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sample/grammar.h"
#include "sample/grammar/builder.h"
#include "sample/grammar/mask_cache.h"

namespace cistern::sample {

namespace grammar {

// `where` is the pointer of the schema, for errors: mostly empty.
Result<RuleId> add_json_schema(Builder& builder, const boost::json::value& schema, const std::string& where);

struct GbnfRoot {
  RuleId rule = 0;
  std::vector<std::string> literals;  // in the text: what special tokens may write is a part of one
};
Result<GbnfRoot> add_gbnf(Builder& builder, std::string_view text, std::span<const NamedSchema> schemas);

}  // namespace grammar

class Grammar {
 public:
  Grammar(GrammarVocabPtr vocab, grammar::Automaton automaton, const std::vector<std::string>& literals);

  const GrammarVocab& vocab() const { return *vocab_; }
  const grammar::Automaton& automaton() const { return automaton_; }
  const std::vector<text::TokenId>& specials() const { return specials_; }  // that literals may contain
  grammar::MaskCache& masks() const { return masks_; }

 private:
  GrammarVocabPtr vocab_;
  grammar::Automaton automaton_;
  std::vector<text::TokenId> specials_;
  mutable grammar::MaskCache masks_;
};

}  // namespace cistern::sample
