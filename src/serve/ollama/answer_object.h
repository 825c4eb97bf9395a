// The objects of Ollama's chat and generate: one per piece of a streamed answer, and the last one, which is
// the whole answer where it is not streamed. Pure functions.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <string>

#include "serve/answer.h"
#include "serve/ollama/answer_pieces.h"

namespace cistern::serve::ollama {

enum class Endpoint { kChat, kGenerate };

struct AnswerHead {
  Endpoint endpoint = Endpoint::kChat;
  std::string model;       // as the client named it
  std::string created_at;  // of this object, RFC 3339
};

boost::json::object piece_object(const AnswerHead& head, AnswerPiece piece);

// The last object, with "done_reason" and the figures of `usage`; `total_ns`: since the request came.
// REQUIRES: not cancelled; that is an error.
struct AnswerEnd {
  Finish finish = Finish::kEnd;
  Usage usage;
  std::int64_t total_ns = 0;
};
boost::json::object final_object(const AnswerHead& head, AnswerPiece piece, const AnswerEnd& end);

// The answer to a request that only loads the model.
boost::json::object loaded_object(const AnswerHead& head, std::int64_t total_ns, double load_s);

}  // namespace cistern::serve::ollama
