// The tags.
#include <algorithm>

#include "text/jinja/failure.h"
#include "text/jinja/parser.h"

namespace cistern::text::jinja {
namespace {

bool is_blank(const Body& body) {
  return std::all_of(body.begin(), body.end(), [](const StmtPtr& stmt) {
    if (stmt->kind != StmtKind::kOutput) return false;
    const auto& parts = static_cast<const OutputStmt&>(*stmt).parts;
    return std::all_of(parts.begin(), parts.end(), [](const OutputStmt::Part& part) {
      return !part.expr && part.text.find_first_not_of(" \t\n\r\f\v") == std::string::npos;
    });
  });
}

std::string joined(std::initializer_list<std::string_view> tags) {
  std::string out;
  for (const std::string_view tag : tags) out += fmt::format("{}'{}'", out.empty() ? "" : " or ", tag);
  return out;
}

}  // namespace

Program Parser::parse() {
  Program program;
  program.body = parse_body({});
  return program;
}

Body Parser::parse_body(std::initializer_list<std::string_view> end_tags) {
  Body body;
  std::unique_ptr<OutputStmt> output;
  const auto add_part = [&](int line, OutputStmt::Part part) {
    if (!output) output = std::make_unique<OutputStmt>(line);
    output->parts.push_back(std::move(part));
  };
  const auto flush = [&] {
    if (output) body.push_back(std::move(output));
  };
  while (!at(TokenType::kEnd)) {
    if (at(TokenType::kText)) {
      const Token token = take();
      add_part(token.line, {token.text, nullptr});
    } else if (at(TokenType::kVariableBegin)) {
      const int line = take().line;
      ExprPtr expr = parse_tuple({});
      if (!at(TokenType::kVariableEnd)) {
        raise_at(current().line, "expected the end of the print statement, got {}", describe(current()));
      }
      take();
      add_part(line, {"", std::move(expr)});
    } else {
      flush();
      take();  // {%
      if (at(TokenType::kName) &&
          std::find(end_tags.begin(), end_tags.end(), current().text) != end_tags.end())
        return body;
      body.push_back(parse_statement());
      if (!at(TokenType::kBlockEnd)) {
        raise_at(current().line, "expected the end of the statement block, got {}", describe(current()));
      }
      take();
    }
  }
  flush();
  if (end_tags.size() != 0) {
    raise_at(current().line, "unexpected end of template: looking for the tag {}", joined(end_tags));
  }
  return body;
}

Body Parser::parse_block_body(std::initializer_list<std::string_view> end_tags) {
  skip_operator(":");
  if (!at(TokenType::kBlockEnd)) {
    raise_at(current().line, "expected the end of the statement block, got {}", describe(current()));
  }
  take();
  return parse_body(end_tags);
}

StmtPtr Parser::parse_statement() {
  const Nesting nesting(*this);
  static constexpr std::pair<std::string_view, StmtPtr (Parser::*)()> kTags[] = {
      {"for", &Parser::parse_for},
      {"if", &Parser::parse_if},
      {"set", &Parser::parse_set},
      {"macro", &Parser::parse_macro},
      {"call", &Parser::parse_call_block},
      {"filter", &Parser::parse_filter_block},
      {"with", &Parser::parse_with},
      {"autoescape", &Parser::parse_autoescape},
      {"block", &Parser::parse_block},
      {"print", &Parser::parse_print},
      {"break", &Parser::parse_jump},
      {"continue", &Parser::parse_jump},
      {"include", &Parser::parse_include},
      {"import", &Parser::parse_import},
      {"from", &Parser::parse_from},
      {"extends", &Parser::parse_extends},
      {"generation", &Parser::parse_generation},
  };
  if (!at(TokenType::kName)) {
    if (at(TokenType::kBlockEnd) || at(TokenType::kEnd))
      raise_at(current().line, "tag name expected, got {}", describe(current()));
    raise_at(current().line, "tag name expected");
  }
  for (const auto& [tag, parse_tag] : kTags) {
    if (current().text == tag) return (this->*parse_tag)();
  }
  raise_at(current().line, "unknown tag '{}'", current().text);
}

StmtPtr Parser::parse_if() {
  auto stmt = std::make_unique<IfStmt>(take().line);
  while (true) {
    IfStmt::Branch branch;
    branch.test = parse_tuple({.conditional = false});
    branch.body = parse_block_body({"elif", "else", "endif"});
    stmt->branches.push_back(std::move(branch));
    const std::string tag = take().text;
    if (tag == "elif") continue;
    if (tag == "else") {
      stmt->otherwise = parse_block_body({"endif"});
      take();
    }
    return stmt;
  }
}

StmtPtr Parser::parse_for() {
  auto stmt = std::make_unique<ForStmt>(take().line);
  stmt->target = parse_target({.primary_only = true});
  expect_name("in");
  stmt->iterable = parse_tuple({.conditional = false});
  if (skip_name("if")) {
    stmt->test = parse_expression();
    stmt->test_target = copy_target(*stmt->target);
  }
  stmt->recursive = skip_name("recursive");
  stmt->body = parse_block_body({"endfor", "else"});
  if (take().text == "else") {
    stmt->otherwise = parse_block_body({"endfor"});
    take();
  }
  return stmt;
}

StmtPtr Parser::parse_set() {
  const int line = take().line;
  ExprPtr target = parse_target({.primary_only = true, .namespace_refs = true});
  if (skip_operator("=")) {
    auto stmt = std::make_unique<AssignStmt>(line);
    stmt->target = std::move(target);
    stmt->value = parse_tuple({});
    return stmt;
  }
  auto stmt = std::make_unique<AssignBlockStmt>(line);
  stmt->target = std::move(target);
  while (skip_operator("|")) stmt->filter = parse_filter(std::move(stmt->filter));
  stmt->body = parse_block_body({"endset"});
  take();
  return stmt;
}

void Parser::parse_signature(MacroBody& macro) {
  expect_operator("(");
  while (!at_operator(")")) {
    if (!macro.parameters.empty()) expect_operator(",");
    auto name = parse_store_name();
    for (const auto& other : macro.parameters) {
      if (other->name == name->name) raise_at(name->line, "duplicate argument '{}' in a macro", name->name);
    }
    if (skip_operator("=")) {
      macro.defaults.push_back(parse_expression());
    } else if (!macro.defaults.empty()) {
      raise_at(name->line, "non-default argument follows default argument");
    }
    macro.parameters.push_back(std::move(name));
  }
  expect_operator(")");
}

StmtPtr Parser::parse_macro() {
  auto stmt = std::make_unique<MacroStmt>(take().line);
  stmt->name = parse_store_name();
  parse_signature(stmt->macro);
  stmt->macro.body = parse_block_body({"endmacro"});
  take();
  return stmt;
}

StmtPtr Parser::parse_call_block() {
  auto stmt = std::make_unique<CallBlockStmt>(take().line);
  if (at_operator("(")) parse_signature(stmt->macro);
  ExprPtr call = parse_expression();
  if (call->kind != ExprKind::kCall) raise_at(stmt->line, "expected call");
  stmt->call.reset(static_cast<CallExpr*>(call.release()));
  for (const auto& [name, value] : stmt->call->arguments.named) {
    if (name == "caller") raise_at(stmt->line, "keyword argument repeated: caller");
  }
  stmt->macro.body = parse_block_body({"endcall"});
  take();
  return stmt;
}

StmtPtr Parser::parse_generation() {
  auto stmt = std::make_unique<CallBlockStmt>(take().line);
  stmt->macro.body = parse_block_body({"endgeneration"});
  take();
  return stmt;
}

StmtPtr Parser::parse_filter_block() {
  auto stmt = std::make_unique<FilterBlockStmt>(take().line);
  stmt->filter = parse_filter(nullptr);
  while (skip_operator("|")) stmt->filter = parse_filter(std::move(stmt->filter));
  stmt->body = parse_block_body({"endfilter"});
  take();
  return stmt;
}

StmtPtr Parser::parse_with() {
  auto stmt = std::make_unique<WithStmt>(take().line);
  while (!at(TokenType::kBlockEnd)) {
    if (!stmt->assignments.empty()) expect_operator(",");
    ExprPtr target = parse_target({.primary_only = true});
    expect_operator("=");
    stmt->assignments.emplace_back(std::move(target), parse_expression());
  }
  stmt->body = parse_block_body({"endwith"});
  take();
  return stmt;
}

StmtPtr Parser::parse_autoescape() {
  auto stmt = std::make_unique<AutoescapeStmt>(take().line);
  const ExprPtr option = parse_expression();
  const Value* value =
      option->kind == ExprKind::kConstant ? &static_cast<const ConstantExpr&>(*option).value : nullptr;
  if (!value || !value->as_bool()) raise_at(stmt->line, "autoescape is supported with true or false only");
  stmt->on = *value->as_bool();
  stmt->body = parse_block_body({"endautoescape"});
  take();
  return stmt;
}

StmtPtr Parser::parse_block() {
  auto stmt = std::make_unique<BlockStmt>(take().line);
  stmt->name = expect_any_name();
  if (skip_name("scoped")) raise_at(stmt->line, "scoped blocks are not supported");
  stmt->required = skip_name("required");
  stmt->body = parse_block_body({"endblock"});
  take();
  if (stmt->required && !is_blank(stmt->body)) {
    raise_at(stmt->line, "Required blocks can only contain comments or whitespace");
  }
  skip_name(stmt->name);
  return stmt;
}

StmtPtr Parser::parse_print() {
  auto stmt = std::make_unique<OutputStmt>(take().line);
  while (!at(TokenType::kBlockEnd)) {
    if (!stmt->parts.empty()) expect_operator(",");
    stmt->parts.push_back({"", parse_expression()});
  }
  return stmt;
}

StmtPtr Parser::parse_jump() {
  const Token token = take();
  return std::make_unique<JumpStmt>(token.text == "break" ? StmtKind::kBreak : StmtKind::kContinue,
                                    token.line);
}

bool Parser::skip_import_context() {
  if (!(at_name("with") || at_name("without")) || ahead().type != TokenType::kName ||
      ahead().text != "context")
    return false;
  take();
  take();
  return true;
}

StmtPtr Parser::parse_include() {
  auto stmt = std::make_unique<LoadStmt>(take().line, "include");
  stmt->source = parse_expression();
  if (at_name("ignore") && ahead().type == TokenType::kName && ahead().text == "missing") {
    take();
    take();
  }
  skip_import_context();
  return stmt;
}

StmtPtr Parser::parse_import() {
  auto stmt = std::make_unique<LoadStmt>(take().line, "import");
  stmt->source = parse_expression();
  expect_name("as");
  stmt->stores.push_back(parse_store_name());
  skip_import_context();
  return stmt;
}

StmtPtr Parser::parse_from() {
  auto stmt = std::make_unique<LoadStmt>(take().line, "from");
  stmt->source = parse_expression();
  expect_name("import");
  for (bool first = true;; first = false) {
    if (!first) expect_operator(",");
    if (skip_import_context()) break;
    auto name = parse_store_name();
    if (name->name.starts_with('_'))
      raise_at(name->line, "names starting with an underline can not be imported");
    stmt->stores.push_back(skip_name("as") ? parse_store_name() : std::move(name));
    if (skip_import_context() || !at_operator(",")) break;
  }
  return stmt;
}

StmtPtr Parser::parse_extends() {
  auto stmt = std::make_unique<LoadStmt>(take().line, "extends");
  stmt->source = parse_expression();
  return stmt;
}

std::unique_ptr<NameExpr> Parser::parse_store_name() {
  const int line = current().line;
  auto name = std::make_unique<NameExpr>(line, expect_any_name());
  for (const std::string_view constant : {"true", "false", "none", "True", "False", "None"}) {
    if (name->name == constant) raise_at(line, "can't assign to '{}'", constant);
  }
  return name;
}

ExprPtr Parser::parse_target(const TupleRules& rules) {
  const int line = current().line;
  ExprPtr target = parse_tuple(rules);
  const auto check = [line](const auto& self, const Expr& expr) -> void {
    if (expr.kind == ExprKind::kTuple) {
      for (const ExprPtr& item : static_cast<const SequenceExpr&>(expr).items) self(self, *item);
    } else if (expr.kind != ExprKind::kName && expr.kind != ExprKind::kNamespaceRef) {
      raise_at(line, "can't assign to an expression");
    }
  };
  check(check, *target);
  return target;
}

ExprPtr Parser::copy_target(const Expr& target) const {
  if (target.kind == ExprKind::kName) {
    return std::make_unique<NameExpr>(target.line, static_cast<const NameExpr&>(target).name);
  }
  auto copy = std::make_unique<SequenceExpr>(ExprKind::kTuple, target.line);
  for (const ExprPtr& item : static_cast<const SequenceExpr&>(target).items)
    copy->items.push_back(copy_target(*item));
  return copy;
}

}  // namespace cistern::text::jinja
