// Reads the text of one answer as it comes: of a conversation reasoning, content and calls of tools by the
// model's format (text/answer/), of a raw prompt plain content. An AnswerPlan says how and is shared by the
// choices of a task; each choice has a reader of its own. Not thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "serve/answer.h"
#include "text/answer/answer_parser.h"

namespace cistern::serve {

struct AnswerPlan {
  const text::Format* format = nullptr;  // of the model; null: all is content
  text::ToolSet tools;                   // that may be called
  bool in_reasoning = false;             // the prompt has begun the reasoning
  bool one_call = false;                 // the answer is complete after it
};

class AnswerReader {
 public:
  explicit AnswerReader(const AnswerPlan& plan);

  std::vector<Delta> push(std::string_view text);
  std::vector<Delta> finish();  // once, in the end

  bool has_calls() const { return calls_ > 0; }
  bool is_complete() const { return one_call_ && calls_ > 0; }  // nothing more may come
  bool is_reasoning() const { return reasoning_; }              // as far as it is decided

 private:
  std::vector<Delta> taken(std::vector<text::Delta> parsed);

  std::unique_ptr<text::AnswerParser> parser_;  // null: all is content
  bool one_call_ = false;
  bool reasoning_ = false;
  std::uint32_t calls_ = 0;  // that are complete
};

}  // namespace cistern::serve
