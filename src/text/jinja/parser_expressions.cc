#include <algorithm>
#include <cmath>

#include "text/jinja/failure.h"
#include "text/jinja/filters.h"
#include "text/jinja/number_parse.h"
#include "text/jinja/parser.h"
#include "text/jinja/tests_table.h"

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

template <class T>
ExprPtr Parser::adopted(std::unique_ptr<T> parent, std::initializer_list<const ExprPtr*> children) const {
  for (const ExprPtr* child : children) adopt(*parent, *child);
  return parent;
}

bool Parser::at_tuple_end() const {
  return at(TokenType::kVariableEnd) || at(TokenType::kBlockEnd) || at_operator(")");
}

ExprPtr Parser::parse_tuple(const TupleRules& rules) {
  const int line = current().line;
  auto tuple = std::make_unique<SequenceExpr>(ExprKind::kTuple, line);
  bool is_tuple = false;
  while (true) {
    if (!tuple->items.empty()) expect_operator(",");
    if (at_tuple_end()) break;
    tuple->items.push_back(rules.primary_only  ? parse_primary(rules.namespace_refs)
                           : rules.conditional ? parse_expression()
                                               : parse_or());
    if (!at_operator(",")) break;
    is_tuple = true;
  }
  if (!is_tuple) {
    if (!tuple->items.empty()) return std::move(tuple->items.front());
    if (!rules.in_parentheses)
      raise_at(current().line, "expected an expression, got {}", describe(current()));
  }
  for (const ExprPtr& item : tuple->items) adopt(*tuple, item);
  return tuple;
}

// a if test else b; without else, more ifs may follow.
ExprPtr Parser::parse_expression() {
  const Nesting nesting(*this);
  ExprPtr expr = parse_or();
  while (at_name("if")) {
    auto conditional = std::make_unique<ConditionalExpr>(take().line);
    conditional->then = std::move(expr);
    conditional->test = parse_or();
    if (skip_name("else")) conditional->otherwise = parse_expression();
    const ConditionalExpr& made = *conditional;
    expr = adopted(std::move(conditional), {&made.then, &made.test, &made.otherwise});
  }
  return expr;
}

ExprPtr Parser::parse_or() {
  ExprPtr left = parse_and();
  while (at_name("or")) {
    const int line = take().line;
    auto node = std::make_unique<BinaryExpr>(ExprKind::kOr, line, std::move(left), parse_and());
    const BinaryExpr& made = *node;
    left = adopted(std::move(node), {&made.left, &made.right});
  }
  return left;
}

ExprPtr Parser::parse_and() {
  ExprPtr left = parse_not();
  while (at_name("and")) {
    const int line = take().line;
    auto node = std::make_unique<BinaryExpr>(ExprKind::kAnd, line, std::move(left), parse_not());
    const BinaryExpr& made = *node;
    left = adopted(std::move(node), {&made.left, &made.right});
  }
  return left;
}

ExprPtr Parser::parse_not() {
  if (!at_name("not")) return parse_compare();
  const Nesting nesting(*this);
  const int line = take().line;
  auto node = std::make_unique<UnaryExpr>(ExprKind::kNot, line, parse_not());
  const UnaryExpr& made = *node;
  return adopted(std::move(node), {&made.operand});
}

bool Parser::take_comparison(Comparison& comparison) {
  static constexpr std::pair<std::string_view, Comparison> kOperators[] = {
      {"==", Comparison::kEqual},     {"!=", Comparison::kNotEqual}, {"<", Comparison::kLess},
      {"<=", Comparison::kLessEqual}, {">", Comparison::kGreater},   {">=", Comparison::kGreaterEqual}};
  for (const auto& [text, value] : kOperators) {
    if (skip_operator(text)) {
      comparison = value;
      return true;
    }
  }
  if (skip_name("in")) {
    comparison = Comparison::kIn;
    return true;
  }
  if (at_name("not") && ahead().type == TokenType::kName && ahead().text == "in") {
    take();
    take();
    comparison = Comparison::kNotIn;
    return true;
  }
  return false;
}

ExprPtr Parser::parse_compare() {
  const int line = current().line;
  ExprPtr first = parse_sum();
  Comparison comparison{};
  if (!take_comparison(comparison)) return first;
  auto node = std::make_unique<CompareExpr>(line);
  node->first = std::move(first);
  adopt(*node, node->first);
  do {
    node->rest.emplace_back(comparison, parse_sum());
    adopt(*node, node->rest.back().second);
  } while (take_comparison(comparison));
  return node;
}

ExprPtr Parser::parse_sum() {
  ExprPtr left = parse_concat();
  while (at_operator("+") || at_operator("-")) {
    const Token op = take();
    auto node = std::make_unique<BinaryExpr>(ExprKind::kBinary, op.line, std::move(left), parse_concat());
    node->op = op.text == "+" ? BinaryOperator::kAdd : BinaryOperator::kSubtract;
    const BinaryExpr& made = *node;
    left = adopted(std::move(node), {&made.left, &made.right});
  }
  return left;
}

ExprPtr Parser::parse_concat() {
  const int line = current().line;
  ExprPtr first = parse_product();
  if (!at_operator("~")) return first;
  auto node = std::make_unique<SequenceExpr>(ExprKind::kConcat, line);
  node->items.push_back(std::move(first));
  while (skip_operator("~")) node->items.push_back(parse_product());
  for (const ExprPtr& item : node->items) adopt(*node, item);
  return node;
}

ExprPtr Parser::parse_product() {
  static constexpr std::pair<std::string_view, BinaryOperator> kOperators[] = {
      {"*", BinaryOperator::kMultiply},
      {"/", BinaryOperator::kDivide},
      {"//", BinaryOperator::kFloorDivide},
      {"%", BinaryOperator::kModulo}};
  ExprPtr left = parse_power();
  while (true) {
    const auto* op = std::find_if(std::begin(kOperators), std::end(kOperators),
                                  [this](const auto& candidate) { return at_operator(candidate.first); });
    if (op == std::end(kOperators)) return left;
    const int line = take().line;
    auto node = std::make_unique<BinaryExpr>(ExprKind::kBinary, line, std::move(left), parse_power());
    node->op = op->second;
    const BinaryExpr& made = *node;
    left = adopted(std::move(node), {&made.left, &made.right});
  }
}

ExprPtr Parser::parse_power() {
  ExprPtr left = parse_unary(true);
  while (at_operator("**")) {
    const int line = take().line;
    auto node = std::make_unique<BinaryExpr>(ExprKind::kBinary, line, std::move(left), parse_unary(true));
    node->op = BinaryOperator::kPower;
    const BinaryExpr& made = *node;
    left = adopted(std::move(node), {&made.left, &made.right});
  }
  return left;
}

ExprPtr Parser::parse_unary(bool with_filters) {
  ExprPtr node;
  if (at_operator("-") || at_operator("+")) {
    const Nesting nesting(*this);
    const Token sign = take();
    auto unary = std::make_unique<UnaryExpr>(sign.text == "-" ? ExprKind::kNegate : ExprKind::kPositive,
                                             sign.line, parse_unary(false));
    const UnaryExpr& made = *unary;
    node = adopted(std::move(unary), {&made.operand});
  } else {
    node = parse_primary(false);
  }
  node = parse_postfix(std::move(node));
  return with_filters ? parse_filters_and_tests(std::move(node)) : std::move(node);
}

ExprPtr Parser::parse_name(bool namespace_refs) {
  Token token = take();
  if (token.text == "true" || token.text == "True")
    return std::make_unique<ConstantExpr>(token.line, Value(true));
  if (token.text == "false" || token.text == "False")
    return std::make_unique<ConstantExpr>(token.line, Value(false));
  if (token.text == "none" || token.text == "None")
    return std::make_unique<ConstantExpr>(token.line, Value::none());
  if (namespace_refs && skip_operator(".")) {
    return std::make_unique<NamespaceRefExpr>(token.line, std::move(token.text), expect_any_name());
  }
  return std::make_unique<NameExpr>(token.line, std::move(token.text));
}

ExprPtr Parser::parse_primary(bool namespace_refs) {
  const int line = current().line;
  switch (current().type) {
    case TokenType::kName:
      return parse_name(namespace_refs);
    case TokenType::kString: {
      std::string text;
      while (at(TokenType::kString)) text += take().text;
      return std::make_unique<ConstantExpr>(line, constant_string(std::move(text)));
    }
    case TokenType::kInteger:
      return std::make_unique<ConstantExpr>(line, Value(*parse_integer(take().text, 0)));
    case TokenType::kFloat: {
      const double value = *parse_float(take().text);
      if (std::isinf(value)) raise_at(line, "float literal too large");
      return std::make_unique<ConstantExpr>(line, Value(value));
    }
    default:
      break;
  }
  if (skip_operator("(")) {
    ExprPtr inner = parse_tuple({.in_parentheses = true});
    expect_operator(")");
    return inner;
  }
  if (at_operator("[")) return parse_list();
  if (at_operator("{")) return parse_dict();
  fail_unexpected();
}

ExprPtr Parser::parse_list() {
  auto list = std::make_unique<SequenceExpr>(ExprKind::kList, take().line);
  while (!at_operator("]")) {
    if (!list->items.empty()) expect_operator(",");
    if (at_operator("]")) break;
    list->items.push_back(parse_expression());
    adopt(*list, list->items.back());
  }
  expect_operator("]");
  return list;
}

ExprPtr Parser::parse_dict() {
  auto dict = std::make_unique<DictExpr>(take().line);
  while (!at_operator("}")) {
    if (!dict->items.empty()) expect_operator(",");
    if (at_operator("}")) break;
    ExprPtr key = parse_expression();
    expect_operator(":");
    dict->items.emplace_back(std::move(key), parse_expression());
    adopt(*dict, dict->items.back().first);
    adopt(*dict, dict->items.back().second);
  }
  expect_operator("}");
  return dict;
}

ExprPtr Parser::parse_postfix(ExprPtr expr) {
  while (true) {
    if (at_operator(".")) {
      expr = parse_attribute(std::move(expr));
    } else if (at_operator("[")) {
      expr = parse_subscript(std::move(expr));
    } else if (at_operator("(")) {
      expr = parse_call(std::move(expr));
    } else {
      return expr;
    }
  }
}

ExprPtr Parser::parse_filters_and_tests(ExprPtr expr) {
  while (true) {
    if (skip_operator("|")) {
      expr = parse_filter(std::move(expr));
    } else if (skip_name("is")) {
      expr = parse_test(std::move(expr));
    } else if (at_operator("(")) {
      expr = parse_call(std::move(expr));
    } else {
      return expr;
    }
  }
}

ExprPtr Parser::parse_attribute(ExprPtr object) {
  const int line = take().line;
  if (at(TokenType::kInteger)) {
    auto key = std::make_unique<ConstantExpr>(line, Value(*parse_integer(take().text, 0)));
    auto node = std::make_unique<ItemExpr>(line, std::move(object), std::move(key));
    const ItemExpr& made = *node;
    return adopted(std::move(node), {&made.object});
  }
  auto node = std::make_unique<AttributeExpr>(line, std::move(object), expect_any_name());
  const AttributeExpr& made = *node;
  return adopted(std::move(node), {&made.object});
}

ExprPtr Parser::parse_slice(int line, ExprPtr object, ExprPtr start) {
  auto slice = std::make_unique<SliceExpr>(line);
  slice->object = std::move(object);
  slice->start = std::move(start);
  const auto parse_part = [this]() -> ExprPtr {
    return at_operator("]") || at_operator(":") ? nullptr : parse_expression();
  };
  slice->stop = parse_part();
  if (skip_operator(":")) slice->step = parse_part();
  const SliceExpr& made = *slice;
  return adopted(std::move(slice), {&made.object, &made.start, &made.stop, &made.step});
}

// object[key], object[a, b] (a tuple as key) or object[start:stop:step].
ExprPtr Parser::parse_subscript(ExprPtr object) {
  const int line = take().line;
  auto keys = std::make_unique<SequenceExpr>(ExprKind::kTuple, line);
  while (!at_operator("]")) {
    if (!keys->items.empty()) expect_operator(",");
    ExprPtr key = at_operator(":") ? nullptr : parse_expression();
    if (skip_operator(":")) {
      ExprPtr slice = parse_slice(line, std::move(object), std::move(key));
      if (!keys->items.empty() || !at_operator("]")) raise_at(line, "a slice cannot be part of a tuple");
      take();
      return slice;
    }
    keys->items.push_back(std::move(key));
    adopt(*keys, keys->items.back());
  }
  expect_operator("]");
  const bool single = keys->items.size() == 1;
  ExprPtr key = single ? std::move(keys->items.front()) : ExprPtr(std::move(keys));
  auto node = std::make_unique<ItemExpr>(line, std::move(object), std::move(key));
  const ItemExpr& made = *node;
  return adopted(std::move(node), {&made.object, &made.key});
}

ExprPtr Parser::parse_call(ExprPtr callee) {
  auto call = std::make_unique<CallExpr>(current().line, std::move(callee));
  adopt(*call, call->callee);
  parse_arguments(call->arguments, *call);
  return call;
}

void Parser::parse_argument(CallArguments& arguments, Expr& owner) {
  const int line = current().line;
  const auto ensure = [line](bool allowed) {
    if (!allowed) raise_at(line, "invalid syntax for function call expression");
  };
  if (skip_operator("*")) {
    ensure(!arguments.spread && !arguments.named_spread);
    arguments.spread = parse_expression();
    adopt(owner, arguments.spread);
  } else if (skip_operator("**")) {
    ensure(!arguments.named_spread);
    arguments.named_spread = parse_expression();
    adopt(owner, arguments.named_spread);
  } else if (at(TokenType::kName) && ahead().type == TokenType::kOperator && ahead().text == "=") {
    ensure(!arguments.named_spread);
    std::string name = take().text;
    take();
    for (const auto& [other, value] : arguments.named) {
      if (other == name) raise_at(line, "keyword argument repeated: {}", name);
    }
    arguments.named.emplace_back(std::move(name), parse_expression());
    adopt(owner, arguments.named.back().second);
  } else {
    ensure(!arguments.spread && !arguments.named_spread && arguments.named.empty());
    arguments.positional.push_back(parse_expression());
    adopt(owner, arguments.positional.back());
  }
}

void Parser::parse_arguments(CallArguments& arguments, Expr& owner) {
  expect_operator("(");
  for (bool first = true; !at_operator(")"); first = false) {
    if (!first) {
      expect_operator(",");
      if (at_operator(")")) break;
    }
    parse_argument(arguments, owner);
  }
  expect_operator(")");
}

std::string Parser::parse_dotted_name() {
  std::string name = expect_any_name();
  while (skip_operator(".")) name += "." + expect_any_name();
  return name;
}

ExprPtr Parser::parse_filter(ExprPtr value) {
  const int line = current().line;
  auto filter = std::make_unique<ApplyExpr>(ExprKind::kFilter, line, std::move(value), parse_dotted_name());
  adopt(*filter, filter->value);
  filter->builtin = find_filter(filter->name);
  if (at_operator("(")) parse_arguments(filter->arguments, *filter);
  return filter;
}

ExprPtr Parser::parse_test(ExprPtr value) {
  const int line = current().line;
  const bool negated = skip_name("not");
  auto test = std::make_unique<ApplyExpr>(ExprKind::kTest, line, std::move(value), parse_dotted_name());
  adopt(*test, test->value);
  test->builtin = find_test(test->name);
  const bool starts_argument = at(TokenType::kString) || at(TokenType::kInteger) || at(TokenType::kFloat) ||
                               at(TokenType::kName) || at_operator("[") || at_operator("{");
  if (at_operator("(")) {
    parse_arguments(test->arguments, *test);
  } else if (starts_argument && !at_name("else") && !at_name("or") && !at_name("and")) {
    if (at_name("is")) raise_at(line, "You cannot chain multiple tests with is");
    test->arguments.positional.push_back(parse_postfix(parse_primary(false)));
    adopt(*test, test->arguments.positional.back());
  }
  if (!negated) return test;
  auto node = std::make_unique<UnaryExpr>(ExprKind::kNot, line, std::move(test));
  const UnaryExpr& made = *node;
  return adopted(std::move(node), {&made.operand});
}

}  // namespace cistern::text::jinja
