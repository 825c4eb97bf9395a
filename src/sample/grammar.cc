#include "sample/grammar.h"

#include <algorithm>

#include "sample/grammar/compiled.h"

namespace cistern::sample {

Grammar::Grammar(GrammarVocabPtr vocab, grammar::Automaton automaton,
                 const std::vector<std::string>& literals)
    : vocab_(std::move(vocab)), automaton_(std::move(automaton)) {
  for (const text::TokenId id : vocab_->specials()) {
    const std::string_view name = vocab_->bytes(id);
    const auto contains = [&](const std::string& literal) { return literal.find(name) != std::string::npos; };
    if (std::ranges::any_of(literals, contains)) specials_.push_back(id);
  }
}

Result<GrammarPtr> compile_json_schema(const boost::json::value& schema, GrammarVocabPtr vocab) {
  grammar::Builder builder;
  CISTERN_TRY(const grammar::RuleId root, add_json_schema(builder, schema, ""));
  CISTERN_TRY(grammar::Automaton automaton, std::move(builder).finish(root));
  return std::make_shared<const Grammar>(std::move(vocab), std::move(automaton), std::vector<std::string>{});
}

Result<GrammarPtr> any_json_object(GrammarVocabPtr vocab) {
  return compile_json_schema(boost::json::object{{"type", "object"}}, std::move(vocab));
}

Result<GrammarPtr> compile_gbnf(std::string_view text, GrammarVocabPtr vocab,
                                std::span<const NamedSchema> schemas) {
  grammar::Builder builder;
  CISTERN_TRY(const grammar::GbnfRoot root, add_gbnf(builder, text, schemas));
  CISTERN_TRY(grammar::Automaton automaton, std::move(builder).finish(root.rule));
  return std::make_shared<const Grammar>(std::move(vocab), std::move(automaton), root.literals);
}

}  // namespace cistern::sample
