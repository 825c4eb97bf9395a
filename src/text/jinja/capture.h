// Helpers of the interpreter's own files that hold something for the length of a scope. Not for others.
#pragma once

#include <string>
#include <utility>

#include "text/jinja/failure.h"
#include "text/jinja/interpreter.h"

namespace cistern::text::jinja {

// Sends text to a string of its own for as long as it lives.
class Interpreter::Captured {
 public:
  explicit Captured(Interpreter& interpreter) : interpreter_(interpreter), outside_(interpreter.out_) {
    interpreter_.out_ = &text_;
  }
  Captured(const Captured&) = delete;
  ~Captured() { stop(); }

  Value take(bool markup) {
    stop();
    return interpreter_.rt_.string(std::move(text_), markup);
  }

 private:
  void stop() {
    if (interpreter_.out_ != &text_) return;
    interpreter_.out_ = outside_;
    interpreter_.rt_.release_output(text_.size());
  }

  Interpreter& interpreter_;
  std::string* outside_;
  std::string text_;
};

// Counts calls inside each other.
class Interpreter::CallDepth {
 public:
  explicit CallDepth(Interpreter& interpreter) : interpreter_(interpreter) {
    if (interpreter_.call_depth_ >= interpreter_.rt_.limits().max_call_depth) {
      raise("macros call each other too deeply (more than {} levels)",
            interpreter_.rt_.limits().max_call_depth);
    }
    ++interpreter_.call_depth_;
  }
  CallDepth(const CallDepth&) = delete;
  ~CallDepth() { --interpreter_.call_depth_; }

 private:
  Interpreter& interpreter_;
};

}  // namespace cistern::text::jinja
