// What follows a value in an expression: attributes, subscripts, calls, filters and tests.
#include "text/jinja/failure.h"
#include "text/jinja/filters.h"
#include "text/jinja/number_parse.h"
#include "text/jinja/parser.h"
#include "text/jinja/tests_table.h"

namespace cistern::text::jinja {

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
