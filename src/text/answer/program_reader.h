// Reads one program of a format (format.h) in an answer's text as it streams in: whether the text follows it,
// and the call or the content that it holds. answer_parser.h runs these. It decides nothing about what
// becomes of text that does not follow. Not thread-safe; the format and the tools must outlive it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "text/answer/format.h"
#include "text/answer/json_scanner.h"
#include "text/answer/object_reader.h"
#include "text/answer/tool_set.h"

namespace cistern::text {

class ProgramReader {
 public:
  ProgramReader(const Format& format, std::span<const Step> steps, const ToolSet& tools)
      : format_(&format), steps_(steps), tools_(&tools), object_(format.known_members_only) {}

  // Reads on in `input`, the answer's text from where the program begins; it may have grown since the last
  // call and must not have changed. With `at_end` nothing will follow it, and kMore is not returned.
  Progress read(std::string_view input, bool at_end);

  std::size_t at() const { return at_; }  // behind what has been read, or at what is wrong
  const CallSoFar& call() const { return call_; }
  const std::string& content() const { return content_; }  // of kString
  // The call is known well enough to be told: its tool, and that arguments have begun.
  bool begun() const { return call_.tool != nullptr && !call_.arguments.empty(); }

 private:
  Progress step(const Step& step, std::string_view input, bool at_end);
  Progress literal(std::string_view text, bool optional, std::string_view input, bool at_end);
  Progress word(const Step& step, std::string_view input);
  bool take_word(Step::Kind kind, std::string_view word);
  Progress arguments(std::string_view input);
  Progress string(std::string_view input);
  Progress parameters(std::string_view input, bool at_end);
  Progress parameter_text(std::string_view end, std::string_view input);
  void add_parameter();

  enum class Part : std::uint8_t { kBetween, kKey, kValueBegin, kValue };

  const Format* format_;
  std::span<const Step> steps_;
  const ToolSet* tools_;
  std::size_t at_ = 0;
  CallSoFar call_;
  std::string content_;

  // Of the step that is being read.
  ObjectReader object_;
  JsonScanner scanner_;
  std::size_t begin_ = 0;
  bool in_step_ = false;
  Part part_ = Part::kBetween;
  std::string_view found_;  // the text before a parameter's mark
  std::string key_, value_;
};

}  // namespace cistern::text
