// The parsed template. Built by the parser, completed by the resolver (resolver.h: where each variable
// lives), read by the interpreter; never changed afterwards, so one tree serves any number of renders at
// once. The height of the tree is limited by the parser, so that walking and destroying it recursively is
// safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "text/jinja/arguments.h"
#include "text/jinja/operators.h"
#include "text/jinja/value.h"

namespace cistern::text::jinja {

// A variable: the slot `index` of the activation of the enclosing function at depth `function` (0: the
// template).
struct Slot {
  int function = -1;
  int index = -1;
};

// What happens to a variable when its scope is entered.
struct SlotLoad {
  enum class Action {
    kUndefined,
    kResolve,
    kAlias
  } action;          // unset; from the context; from an outer variable
  int index;         // of the slot in the current function
  std::string name;  // kResolve
  Slot source;       // kAlias
};
using FrameLoads = std::vector<SlotLoad>;

// --- Expressions
// ------------------------------------------------------------------------------------------------------

enum class ExprKind : uint8_t {
  kConstant,
  kName,
  kNamespaceRef,
  kTuple,
  kList,
  kDict,
  kNot,
  kNegate,
  kPositive,
  kBinary,
  kAnd,
  kOr,
  kCompare,
  kConcat,
  kConditional,
  kAttribute,
  kItem,
  kSlice,
  kCall,
  kFilter,
  kTest,
};

struct Expr {
  Expr(ExprKind k, int l) : kind(k), line(l) {}
  virtual ~Expr() = default;
  const ExprKind kind;
  const int line;
  int height = 1;
};
using ExprPtr = std::unique_ptr<Expr>;

struct ConstantExpr : Expr {
  ConstantExpr(int l, Value v) : Expr(ExprKind::kConstant, l), value(std::move(v)) {}
  Value value;
};

struct NameExpr : Expr {
  NameExpr(int l, std::string n) : Expr(ExprKind::kName, l), name(std::move(n)) {}
  std::string name;
  Slot slot;
};

// ns.attribute as the target of an assignment.
struct NamespaceRefExpr : Expr {
  NamespaceRefExpr(int l, std::string n, std::string a)
      : Expr(ExprKind::kNamespaceRef, l), name(std::move(n)), attribute(std::move(a)) {}
  std::string name, attribute;
  Slot slot;
};

// kTuple, kList (items) and kConcat (a ~ b ~ c).
struct SequenceExpr : Expr {
  using Expr::Expr;
  std::vector<ExprPtr> items;
  bool autoescape = false;  // kConcat inside {% autoescape true %}
};

struct DictExpr : Expr {
  explicit DictExpr(int l) : Expr(ExprKind::kDict, l) {}
  std::vector<std::pair<ExprPtr, ExprPtr>> items;
};

// kNot, kNegate, kPositive.
struct UnaryExpr : Expr {
  UnaryExpr(ExprKind k, int l, ExprPtr o) : Expr(k, l), operand(std::move(o)) {}
  ExprPtr operand;
};

// kBinary (with op), kAnd, kOr.
struct BinaryExpr : Expr {
  BinaryExpr(ExprKind k, int l, ExprPtr a, ExprPtr b) : Expr(k, l), left(std::move(a)), right(std::move(b)) {}
  BinaryOperator op = BinaryOperator::kAdd;
  ExprPtr left, right;
};

// a < b <= c
struct CompareExpr : Expr {
  explicit CompareExpr(int l) : Expr(ExprKind::kCompare, l) {}
  ExprPtr first;
  std::vector<std::pair<Comparison, ExprPtr>> rest;
};

struct ConditionalExpr : Expr {
  explicit ConditionalExpr(int l) : Expr(ExprKind::kConditional, l) {}
  ExprPtr test, then, otherwise;  // otherwise may be null
};

struct AttributeExpr : Expr {
  AttributeExpr(int l, ExprPtr o, std::string n)
      : Expr(ExprKind::kAttribute, l), object(std::move(o)), name(std::move(n)) {}
  ExprPtr object;
  std::string name;
};

struct ItemExpr : Expr {
  ItemExpr(int l, ExprPtr o, ExprPtr k) : Expr(ExprKind::kItem, l), object(std::move(o)), key(std::move(k)) {}
  ExprPtr object, key;
};

struct SliceExpr : Expr {
  explicit SliceExpr(int l) : Expr(ExprKind::kSlice, l) {}
  ExprPtr object, start, stop, step;  // the last three may be null
};

struct CallArguments {
  std::vector<ExprPtr> positional;
  std::vector<std::pair<std::string, ExprPtr>> named;
  ExprPtr spread, named_spread;  // *list and **dict, may be null
};

struct CallExpr : Expr {
  CallExpr(int l, ExprPtr c) : Expr(ExprKind::kCall, l), callee(std::move(c)) {}
  ExprPtr callee;
  CallArguments arguments;
};

// kFilter and kTest. `value` is null for the filters of blocks, which take the text of the block.
struct ApplyExpr : Expr {
  ApplyExpr(ExprKind k, int l, ExprPtr v, std::string n)
      : Expr(k, l), value(std::move(v)), name(std::move(n)) {}
  ExprPtr value;
  std::string name;
  CallArguments arguments;
  const Builtin* builtin = nullptr;  // null: there is none of this name, an error when it is reached
};

// --- Statements
// -------------------------------------------------------------------------------------------------------

enum class StmtKind : uint8_t {
  kOutput,
  kIf,
  kFor,
  kMacro,
  kCallBlock,
  kFilterBlock,
  kAssign,
  kAssignBlock,
  kWith,
  kAutoescape,
  kBlock,
  kBreak,
  kContinue,
  kLoad,
};

struct Stmt {
  Stmt(StmtKind k, int l) : kind(k), line(l) {}
  virtual ~Stmt() = default;
  const StmtKind kind;
  const int line;
};
using StmtPtr = std::unique_ptr<Stmt>;
using Body = std::vector<StmtPtr>;

// Text and {{ expressions }} in a row.
struct OutputStmt : Stmt {
  explicit OutputStmt(int l) : Stmt(StmtKind::kOutput, l) {}
  struct Part {
    std::string text;
    ExprPtr expr;  // null for text
  };
  std::vector<Part> parts;
  bool autoescape = false;
};

struct IfStmt : Stmt {
  explicit IfStmt(int l) : Stmt(StmtKind::kIf, l) {}
  struct Branch {
    ExprPtr test;
    Body body;
  };
  std::vector<Branch> branches;  // if and elif
  Body otherwise;
};

struct ForStmt : Stmt {
  explicit ForStmt(int l) : Stmt(StmtKind::kFor, l) {}
  ExprPtr target, iterable, test;  // test may be null
  ExprPtr test_target;             // the target again, as variables of the test
  Body body, otherwise;
  bool recursive = false;

  bool uses_loop = false;  // the body reads `loop`
  bool autoescape = false;
  Slot loop;
  FrameLoads body_loads, otherwise_loads, test_loads;
  int test_slots = 0;  // the test runs as a function of its own
  int body_slots = 0;  // a recursive loop as well
};

// The callable part of {% macro %} and {% call %}.
struct MacroBody {
  std::vector<std::unique_ptr<NameExpr>> parameters;
  std::vector<ExprPtr> defaults;  // of the last parameters
  Body body;

  int slots = 0;
  FrameLoads loads;
  int caller = -1, kwargs = -1,
      varargs = -1;  // slots of the special variables, -1 where the body does not use them
  bool caller_is_parameter = false;
};

struct MacroStmt : Stmt {
  explicit MacroStmt(int l) : Stmt(StmtKind::kMacro, l) {}
  std::unique_ptr<NameExpr> name;
  MacroBody macro;
  bool exported = false;
};

struct CallBlockStmt : Stmt {
  explicit CallBlockStmt(int l) : Stmt(StmtKind::kCallBlock, l) {}
  std::unique_ptr<CallExpr> call;  // null for {% generation %}, which writes its body
  MacroBody macro;
};

struct FilterBlockStmt : Stmt {
  explicit FilterBlockStmt(int l) : Stmt(StmtKind::kFilterBlock, l) {}
  ExprPtr filter;
  Body body;
  FrameLoads loads;
  bool autoescape = false;
};

struct AssignStmt : Stmt {
  explicit AssignStmt(int l) : Stmt(StmtKind::kAssign, l) {}
  ExprPtr target, value;
  bool exported = false;  // at the top level: blocks see it
};

struct AssignBlockStmt : Stmt {
  explicit AssignBlockStmt(int l) : Stmt(StmtKind::kAssignBlock, l) {}
  ExprPtr target, filter;  // filter may be null
  Body body;
  FrameLoads loads;
  bool exported = false;
};

struct WithStmt : Stmt {
  explicit WithStmt(int l) : Stmt(StmtKind::kWith, l) {}
  std::vector<std::pair<ExprPtr, ExprPtr>> assignments;
  Body body;
  FrameLoads loads;
};

struct AutoescapeStmt : Stmt {
  explicit AutoescapeStmt(int l) : Stmt(StmtKind::kAutoescape, l) {}
  bool on = false;
  Body body;
  FrameLoads loads;
};

struct BlockStmt : Stmt {
  explicit BlockStmt(int l) : Stmt(StmtKind::kBlock, l) {}
  std::string name;
  Body body;
  bool required = false;
  FrameLoads loads;
  int slots = 0;
};

struct JumpStmt : Stmt {  // kBreak, kContinue
  using Stmt::Stmt;
};

// include, import, from, extends: always an error when reached, for there is no loader.
struct LoadStmt : Stmt {
  LoadStmt(int l, std::string t) : Stmt(StmtKind::kLoad, l), tag(std::move(t)) {}
  std::string tag;
  ExprPtr source;
  std::vector<std::unique_ptr<NameExpr>> stores;
};

struct Program {
  Body body;
  FrameLoads loads;
  int slots = 0;
};

}  // namespace cistern::text::jinja
