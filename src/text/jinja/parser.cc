// What all parts of the parser share: tokens, nesting and height.
#include "text/jinja/parser.h"

#include <algorithm>

#include "text/jinja/failure.h"

namespace cistern::text::jinja {

Parser::Nesting::Nesting(Parser& parser) : parser_(parser) {
  if (parser_.nesting_ >= parser_.limits_.max_nesting) {
    raise_at(parser_.current().line, "template nested too deeply (more than {} levels)",
             parser_.limits_.max_nesting);
  }
  ++parser_.nesting_;
}

Token Parser::take() {
  Token token = tokens_[position_];
  if (position_ + 1 < tokens_.size()) ++position_;
  return token;
}

bool Parser::skip_operator(std::string_view text) {
  if (!at_operator(text)) return false;
  take();
  return true;
}

bool Parser::skip_name(std::string_view text) {
  if (!at_name(text)) return false;
  take();
  return true;
}

void Parser::expect_operator(std::string_view text) {
  if (!skip_operator(text)) raise_at(current().line, "expected '{}', got {}", text, describe(current()));
}

void Parser::expect_name(std::string_view text) {
  if (!skip_name(text)) raise_at(current().line, "expected '{}', got {}", text, describe(current()));
}

std::string Parser::expect_any_name() {
  if (!at(TokenType::kName)) raise_at(current().line, "expected a name, got {}", describe(current()));
  return take().text;
}

void Parser::fail_unexpected() const {
  raise_at(current().line, "unexpected {}", describe(current()));
}

void Parser::adopt(Expr& parent, const ExprPtr& child) const {
  if (!child) return;
  parent.height = std::max(parent.height, child->height + 1);
  if (parent.height > limits_.max_nesting) {
    raise_at(parent.line, "expression nested too deeply (more than {} levels)", limits_.max_nesting);
  }
}

}  // namespace cistern::text::jinja
