// What comes back for a task, piece by piece: the backend (backend.h) calls an AnswerSink, the protocols'
// writers turn the calls into their events or into one document. All calls for a task come one after the
// other, but from changing threads; a sink must not block.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "text/vocab.h"

namespace cistern::serve {

struct TokenLogprob {
  text::TokenId id = 0;
  std::string bytes;  // of the token; not always valid UTF-8
  float logprob = 0;
};

struct ChosenLogprob {
  TokenLogprob chosen;
  std::vector<TokenLogprob> top;  // likeliest first
};

struct Delta {
  enum class Kind {
    kReasoning,      // text: what the model thinks
    kContent,        // text: what it answers
    kCallBegin,      // a tool is called: call, name, id
    kCallArguments,  // text: a piece of the JSON of call's arguments
    kCallEnd,        // call is complete
  };
  Kind kind = Kind::kContent;
  std::string text;        // valid UTF-8
  std::uint32_t call = 0;  // index of the call in its choice, from 0
  std::string name, id;    // of kCallBegin
};

enum class Finish {
  kEnd,        // the model ended its answer
  kStop,       // a stop string did
  kLength,     // max_tokens or the context
  kToolCalls,  // the answer calls tools
  kCancelled,  // the client left, the time was over or the server is stopping
};

struct Usage {
  std::uint32_t prompt_tokens = 0;
  std::uint32_t cached_tokens = 0;  // of the prompt, found in the KV cache
  std::uint32_t completion_tokens = 0;
  std::uint32_t reasoning_tokens = 0;  // of the completion
  double queue_s = 0;                  // before the prompt was begun
  double prefill_s = 0;                // reading the prompt
  double decode_s = 0;
  double load_s = 0;  // loading the model for this request; 0 mostly
};

class AnswerSink {
 public:
  virtual ~AnswerSink() = default;
  // The prompt has been read; tokens follow.
  virtual void on_start(std::uint32_t prompt_tokens, std::uint32_t cached_tokens) = 0;
  // Deltas of one token, or of none where logprobs alone are told; logprobs only when they were asked for.
  virtual void on_delta(std::uint32_t choice, const std::vector<Delta>& deltas,
                        const std::vector<ChosenLogprob>& logprobs) = 0;
  // `stop`: the string of kStop.
  virtual void on_finish(std::uint32_t choice, Finish finish, const std::string& stop) = 0;
  // Exactly one of these is the last call.
  virtual void on_done(const Usage& usage) = 0;
  virtual void on_error(const Error& error) = 0;
};

}  // namespace cistern::serve
