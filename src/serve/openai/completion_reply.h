// Writes answers of POST /v1/completions, whose prompts are tasks of their own: choice c of prompt p has
// index p * n + c. One CompletionReply collects what their sinks are told, which may come from several
// threads at a time. An error of one task ends the others and is the answer.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "serve/answer.h"
#include "serve/openai/reply.h"

namespace cistern::serve::openai {

struct CompletionReplyOptions {
  std::uint32_t prompts = 1;
  std::uint32_t choices = 1;  // of each
  bool logprobs = false;
  bool stream = false;
  bool include_usage = false;  // of a stream
};

class CompletionReply : public std::enable_shared_from_this<CompletionReply> {
 public:
  CompletionReply(ReplyTo to, const CompletionReplyOptions& options);
  ~CompletionReply();

  std::shared_ptr<AnswerSink> sink_of_prompt(std::uint32_t prompt);
  bool is_complete() const;

 private:
  class PromptSink;
  struct Choice;

  void on_start();
  void on_delta(std::uint32_t index, const std::vector<Delta>& deltas,
                const std::vector<ChosenLogprob>& logprobs);
  void on_finish(std::uint32_t index, Finish finish);
  void on_done(const Usage& usage);
  void on_error(const Error& error);

  void begin_stream();  // under the lock, as the rest
  boost::json::object document_json(boost::json::array choices) const;
  void write(std::uint32_t index, const std::string& text, boost::json::value logprobs,
             boost::json::value finish);
  void complete();

  const ReplyTo to_;
  const CompletionReplyOptions options_;
  mutable std::mutex mutex_;
  std::vector<Choice> choices_;
  std::uint32_t unfinished_;  // prompts
  Usage usage_;               // of all so far
  bool begun_ = false;        // the stream
  bool complete_ = false;
};

}  // namespace cistern::serve::openai
