// The text of an answer, as it streams in, to reasoning, content and calls of tools, by the format of the
// model (format.h). Serving makes one per answer; `cistern parse` reads whole answers. What does not follow
// the format is content, word by word: nothing of an answer is lost. Only white space around the parts is
// dropped.
//
// Content is held back while it may be the beginning of a mark. A call is told as soon as its name is one of
// the offered tools and its arguments have begun; their JSON follows as it comes (formats that mark
// parameters one by one: a parameter at a time). Arguments are valid JSON as far as they are told. If such a
// call turns out to be malformed, or ends too soon, its raw text becomes content and it gets no kCallEnd: a
// call without one is void. The calls that end, and all reasoning and content, do not depend on how the text
// was cut. Linear time. Not thread-safe. No error: every text is an answer.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/answer/delta.h"
#include "text/answer/format.h"
#include "text/answer/program_reader.h"
#include "text/answer/tool_set.h"

namespace cistern::text {

struct AnswerOptions {
  const Format* format = nullptr;  // not null
  ToolSet tools = {};              // none: nothing is a call
  bool in_reasoning = false;       // the prompt has begun the reasoning (template_probe.h)
};

class AnswerParser {
 public:
  explicit AnswerParser(AnswerOptions options);
  AnswerParser(const AnswerParser&) = delete;  // readers point into it
  AnswerParser& operator=(const AnswerParser&) = delete;

  // The next piece of UTF-8; it may end inside a character. Bytes that are no UTF-8 become U+FFFD.
  std::vector<Delta> push(std::string_view piece);
  // The answer is over. Call once, and nothing afterwards.
  std::vector<Delta> finish();

 private:
  enum class Mode : std::uint8_t { kStart, kReasoning, kText, kProgram, kAfterCall };

  void run(bool at_end);
  bool advance(bool at_end);  // false: more text is needed
  bool at_start();
  bool begin_reasoning(bool at_end);
  bool in_reasoning(bool at_end);
  bool in_text(bool at_end);
  bool in_program(bool at_end);
  bool after_call(bool at_end);

  struct Mark {
    std::size_t begin = 0;           // where a mark, or what may become one, begins; else the end
    const Program* found = nullptr;  // null: what begins there may become a mark
  };
  Mark find_mark(std::string_view text, bool at_end) const;
  bool usable(const Program& program) const;
  void try_candidates();  // from where the text stands
  void try_next_candidate();
  bool give_up(std::size_t read);
  void finish_program();
  void tell_call();
  void emit(Delta::Kind kind, std::string_view text);
  void emit_content(std::string_view text);
  void take_spaces();
  std::string_view rest() const { return std::string_view(text_).substr(pos_); }

  AnswerOptions options_;
  std::vector<const Program*> started_;  // the programs that begin with a mark, wherever it is
  std::vector<const Program*> first_;    // and those that begin the answer
  Program next_;                         // of a further call
  std::vector<Delta> out_;

  std::string cut_;   // the beginning of a character
  std::string text_;  // what is not decided yet, from pos_
  std::size_t pos_ = 0;
  std::string spaces_;              // white space that belongs to the content if text follows it
  bool drop_spaces_ = false;        // what comes is right behind reasoning
  std::string_view until_;          // ends the reasoning
  std::string_view repeated_mark_;  // an answer may repeat the mark that the prompt ends with
  bool reasoning_begun_ = false;
  std::size_t end_marks_ = 0;  // of those behind a call, how many have been passed

  Mode mode_ = Mode::kStart;
  std::vector<const Program*> candidates_;  // programs to try, the one that is being read first
  std::optional<ProgramReader> reader_;
  Mode otherwise_ = Mode::kText;  // where to go on when no candidate fits
  std::size_t farthest_ = 0;      // that one of them came
  std::size_t told_bytes_ = 0;    // of the arguments of a call that has begun
  bool told_ = false;
  std::uint32_t calls_ = 0;
};

// A whole answer.
Answer parse_answer(AnswerOptions options, std::string_view text);

}  // namespace cistern::text
