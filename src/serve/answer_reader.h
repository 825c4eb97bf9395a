// Reads the text of one answer as it comes: reasoning, content and calls of tools where the task was a
// conversation, plain content otherwise. An AnswerPlan says how and is shared by the choices of a task; each
// choice has a reader of its own. Not thread-safe.
#pragma once

#include <string_view>
#include <vector>

#include "serve/answer.h"

namespace cistern::serve {

struct AnswerPlan {
  bool conversation = false;
};

class AnswerReader {
 public:
  explicit AnswerReader(const AnswerPlan& plan) : plan_(plan) {}

  std::vector<Delta> push(std::string_view text);
  std::vector<Delta> finish();
  bool is_reasoning() const { return false; }  // what comes next is
  bool has_calls() const { return false; }
  bool is_complete() const { return false; }  // nothing more may come

 private:
  AnswerPlan plan_;
};

}  // namespace cistern::serve
