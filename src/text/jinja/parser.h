// Builds the tree of a template from its tokens, by recursive descent over Jinja 3.1's grammar with
// transformers' tags (break, continue, generation). Used by Template::parse, followed by the resolver. Raises
// Failure with a line; nesting is limited, so hostile templates cannot exhaust the stack.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "text/jinja/ast.h"
#include "text/jinja/lexer.h"
#include "text/jinja/limits.h"

namespace cistern::text::jinja {

class Parser {
 public:
  Parser(std::vector<Token> tokens, const Limits& limits) : tokens_(std::move(tokens)), limits_(limits) {}

  Program parse();

 private:
  class Nesting;

  // Tokens (parser.cc).
  const Token& current() const { return tokens_[position_]; }
  const Token& ahead() const { return tokens_[std::min(position_ + 1, tokens_.size() - 1)]; }
  Token take();
  bool at(TokenType type) const { return current().type == type; }
  bool at_operator(std::string_view text) const { return at(TokenType::kOperator) && current().text == text; }
  bool at_name(std::string_view text) const { return at(TokenType::kName) && current().text == text; }
  bool skip_operator(std::string_view text);
  bool skip_name(std::string_view text);
  void expect_operator(std::string_view text);
  void expect_name(std::string_view text);
  std::string expect_any_name();
  [[noreturn]] void fail_unexpected() const;

  // A child makes its parent one higher; too high a tree is refused.
  void adopt(Expr& parent, const ExprPtr& child) const;
  template <class T>
  ExprPtr adopted(std::unique_ptr<T> parent, std::initializer_list<const ExprPtr*> children) const;

  // Expressions (parser_expressions.cc, parser_postfix.cc).
  struct TupleRules {
    bool conditional = true;      // a if b else c allowed
    bool primary_only = false;    // names and literals, as in targets
    bool namespace_refs = false;  // ns.x allowed
    bool in_parentheses = false;  // () is a value
  };
  ExprPtr parse_tuple(const TupleRules& rules);
  bool at_tuple_end() const;
  ExprPtr parse_expression();
  ExprPtr parse_or();
  ExprPtr parse_and();
  ExprPtr parse_not();
  ExprPtr parse_compare();
  bool take_comparison(Comparison& comparison);
  ExprPtr parse_sum();
  ExprPtr parse_concat();
  ExprPtr parse_product();
  ExprPtr parse_power();
  ExprPtr parse_unary(bool with_filters);
  ExprPtr parse_primary(bool namespace_refs);
  ExprPtr parse_name(bool namespace_refs);
  ExprPtr parse_list();
  ExprPtr parse_dict();
  ExprPtr parse_postfix(ExprPtr expr);
  ExprPtr parse_filters_and_tests(ExprPtr expr);
  ExprPtr parse_attribute(ExprPtr object);
  ExprPtr parse_subscript(ExprPtr object);
  ExprPtr parse_slice(int line, ExprPtr object, ExprPtr start);
  ExprPtr parse_call(ExprPtr callee);
  void parse_arguments(CallArguments& arguments, Expr& owner);
  void parse_argument(CallArguments& arguments, Expr& owner);
  std::string parse_dotted_name();
  ExprPtr parse_filter(ExprPtr value);  // behind the |
  ExprPtr parse_test(ExprPtr value);    // behind `is`

  // Statements (parser_statements.cc).
  Body parse_body(std::initializer_list<std::string_view> end_tags);        // up to, without, an end tag
  Body parse_block_body(std::initializer_list<std::string_view> end_tags);  // the same behind a tag's end
  StmtPtr parse_statement();
  StmtPtr parse_if();
  StmtPtr parse_for();
  StmtPtr parse_set();
  StmtPtr parse_macro();
  StmtPtr parse_call_block();
  StmtPtr parse_filter_block();
  StmtPtr parse_with();
  StmtPtr parse_autoescape();
  StmtPtr parse_block();
  StmtPtr parse_print();
  StmtPtr parse_generation();
  StmtPtr parse_jump();
  StmtPtr parse_include();
  StmtPtr parse_import();
  StmtPtr parse_from();
  StmtPtr parse_extends();
  bool skip_import_context();
  void parse_signature(MacroBody& macro);
  std::unique_ptr<NameExpr> parse_store_name();
  ExprPtr parse_target(const TupleRules& rules);
  ExprPtr copy_target(const Expr& target) const;

  std::vector<Token> tokens_;
  const Limits& limits_;
  std::size_t position_ = 0;
  int nesting_ = 0;
};

// Counts the parser's own recursion.
class Parser::Nesting {
 public:
  explicit Nesting(Parser& parser);
  Nesting(const Nesting&) = delete;
  ~Nesting() { --parser_.nesting_; }

 private:
  Parser& parser_;
};

template <class T>
ExprPtr Parser::adopted(std::unique_ptr<T> parent, std::initializer_list<const ExprPtr*> children) const {
  for (const ExprPtr* child : children) adopt(*parent, *child);
  return parent;
}

}  // namespace cistern::text::jinja
