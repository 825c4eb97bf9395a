// An answer as Ollama tells it: parts of a message, each complete in itself. A tool's call is told when it is
// whole, so PieceCollector keeps the arguments of the one that is being written. Used by the sinks of chat
// and generate; values and one small state per answer, calls come one after the other.
#pragma once

#include <boost/json/array.hpp>
#include <optional>
#include <string>
#include <vector>

#include "serve/answer.h"

namespace cistern::serve::ollama {

struct AnswerPiece {
  std::string content;
  std::string thinking;
  boost::json::array tool_calls;
  boost::json::array logprobs;

  bool empty() const;
  void append(AnswerPiece piece);
};

class PieceCollector {
 public:
  AnswerPiece collect(const std::vector<Delta>& deltas, const std::vector<ChosenLogprob>& logprobs);
  // What is left at the end: a call that was cut off, as text.
  AnswerPiece rest();

 private:
  void end_call(AnswerPiece& piece);

  std::optional<Delta> call_;  // that is being written, with its arguments as text
};

}  // namespace cistern::serve::ollama
