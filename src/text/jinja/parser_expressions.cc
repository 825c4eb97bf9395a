// Operators and literals, from the loosest binding to the tightest.
#include <algorithm>
#include <cmath>

#include "text/jinja/failure.h"
#include "text/jinja/number_parse.h"
#include "text/jinja/parser.h"

namespace cistern::text::jinja {

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

}  // namespace cistern::text::jinja
