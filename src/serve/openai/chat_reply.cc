#include "serve/openai/chat_reply.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <string_view>
#include <utility>
#include <vector>

#include "serve/collected_answer.h"
#include "serve/http/sse.h"

namespace cistern::serve::openai {
namespace {

namespace json = boost::json;

json::object head_json(const ReplyTo& to, std::string_view object) {
  return {{"id", to.id},
          {"object", object},
          {"created", to.created},
          {"model", to.model.id},
          {"system_fingerprint", fingerprint(to.model)}};
}

json::value logprobs_json(const std::vector<ChosenLogprob>& tokens) {
  json::array content;
  append_logprobs(content, tokens);
  return {{"content", std::move(content)}, {"refusal", nullptr}};
}

json::object call_json(const CollectedCall& call) {
  return {{"id", call.id},
          {"type", "function"},
          {"function", {{"name", call.name}, {"arguments", call.arguments}}}};
}

json::object message_json(const CollectedAnswer& answer) {
  json::object message = {{"role", "assistant"}, {"content", answer.content}, {"refusal", nullptr}};
  if (!answer.reasoning.empty()) message["reasoning_content"] = answer.reasoning;
  if (answer.calls.empty()) return message;
  if (answer.content.empty()) message["content"] = nullptr;
  json::array calls;
  for (const CollectedCall& call : answer.calls) calls.emplace_back(call_json(call));
  message["tool_calls"] = std::move(calls);
  return message;
}

class ChatDocument final : public AnswerSink {
 public:
  ChatDocument(ReplyTo to, const ChatReplyOptions& options)
      : to_(std::move(to)), logprobs_(options.logprobs), answers_(options.choices) {}

  void on_start(std::uint32_t, std::uint32_t) override {}
  void on_delta(std::uint32_t choice, const std::vector<Delta>& deltas,
                const std::vector<ChosenLogprob>& logprobs) override {
    answers_[choice].add(deltas, logprobs);
  }
  void on_finish(std::uint32_t choice, Finish finish, const std::string&) override {
    answers_[choice].finish = finish;
  }

  void on_done(const Usage& usage) override {
    json::array choices;
    for (std::size_t i = 0; i < answers_.size(); ++i) {
      const CollectedAnswer& answer = answers_[i];
      choices.push_back({{"index", i},
                         {"message", message_json(answer)},
                         {"logprobs", logprobs_ ? logprobs_json(answer.logprobs) : nullptr},
                         {"finish_reason", finish_reason(answer.finish)}});
    }
    json::object document = head_json(to_, "chat.completion");
    document["choices"] = std::move(choices);
    document["usage"] = usage_json(usage);
    document["timings"] = timings_json(usage);
    respond_json(*to_.exchange, document);
    to_.watch->finish();
  }

  void on_error(const Error& error) override {
    respond_error(*to_.exchange, *to_.backend, error);
    to_.watch->finish();
  }

 private:
  const ReplyTo to_;
  const bool logprobs_;
  std::vector<CollectedAnswer> answers_;
};

// The entry of a call among those of one piece.
json::object& call_entry(json::object& delta, std::uint32_t call) {
  if (!delta.contains("tool_calls")) delta["tool_calls"] = json::array();
  json::array& calls = delta["tool_calls"].as_array();
  for (json::value& entry : calls)
    if (entry.at("index") == call) return entry.as_object();
  calls.push_back({{"index", call}, {"function", {{"arguments", ""}}}});
  return calls.back().as_object();
}

void append_text(json::object& to, std::string_view name, std::string_view text) {
  json::value& value = to[name];
  if (value.is_null()) value = json::string();
  value.as_string().append(text);
}

// All deltas of one token as one.
json::object delta_json(const std::vector<Delta>& deltas) {
  json::object out;
  for (const Delta& delta : deltas) {
    switch (delta.kind) {
      case Delta::Kind::kReasoning:
        append_text(out, "reasoning_content", delta.text);
        break;
      case Delta::Kind::kContent:
        append_text(out, "content", delta.text);
        break;
      case Delta::Kind::kCallBegin: {
        json::object& entry = call_entry(out, delta.call);
        entry["id"] = delta.id;
        entry["type"] = "function";
        entry["function"].as_object()["name"] = delta.name;
        break;
      }
      case Delta::Kind::kCallArguments:
        append_text(call_entry(out, delta.call)["function"].as_object(), "arguments", delta.text);
        break;
      case Delta::Kind::kCallEnd:
        break;
    }
  }
  return out;
}

class ChatStream final : public AnswerSink {
 public:
  ChatStream(ReplyTo to, const ChatReplyOptions& options) : to_(std::move(to)), options_(options) {}

  void on_start(std::uint32_t, std::uint32_t) override {
    if (begun_) return;
    begun_ = true;
    to_.exchange->begin_stream(http::sse_head());
    for (std::uint32_t choice = 0; choice < options_.choices; ++choice)
      write(choice, {{"role", "assistant"}, {"content", ""}}, nullptr, nullptr);
  }

  void on_delta(std::uint32_t choice, const std::vector<Delta>& deltas,
                const std::vector<ChosenLogprob>& logprobs) override {
    json::object delta = delta_json(deltas);
    if (delta.empty() && logprobs.empty()) return;
    const bool tells_logprobs = options_.logprobs && !logprobs.empty();
    write(choice, std::move(delta), tells_logprobs ? logprobs_json(logprobs) : nullptr, nullptr);
    to_.watch->check(*to_.exchange);
  }

  void on_finish(std::uint32_t choice, Finish finish, const std::string&) override {
    on_start(0, 0);  // one that was cancelled before may not have begun
    write(choice, {}, nullptr, finish_reason(finish));
  }

  void on_done(const Usage& usage) override {
    if (options_.include_usage) {
      json::object piece = piece_json(json::array());
      piece["usage"] = usage_json(usage);
      piece["timings"] = timings_json(usage);
      to_.exchange->write(data_event(piece));
    }
    to_.exchange->write(std::string(kDoneEvent));
    to_.exchange->end_stream();
    to_.watch->finish();
  }

  void on_error(const Error& error) override {
    if (begun_) {
      to_.exchange->write(data_event(error_document(error)));
      to_.exchange->end_stream();
    } else {
      respond_error(*to_.exchange, *to_.backend, error);
    }
    to_.watch->finish();
  }

 private:
  json::object piece_json(json::array choices) const {
    json::object piece = head_json(to_, "chat.completion.chunk");
    piece["choices"] = std::move(choices);
    if (options_.include_usage) piece["usage"] = nullptr;
    return piece;
  }

  void write(std::uint32_t choice, json::object delta, json::value logprobs, json::value finish) {
    const json::object entry = {{"index", choice},
                                {"delta", std::move(delta)},
                                {"logprobs", std::move(logprobs)},
                                {"finish_reason", std::move(finish)}};
    to_.exchange->write(data_event(piece_json({entry})));
  }

  const ReplyTo to_;
  const ChatReplyOptions options_;
  bool begun_ = false;
};

}  // namespace

std::shared_ptr<AnswerSink> make_chat_document(ReplyTo to, const ChatReplyOptions& options) {
  return std::make_shared<ChatDocument>(std::move(to), options);
}

std::shared_ptr<AnswerSink> make_chat_stream(ReplyTo to, const ChatReplyOptions& options) {
  return std::make_shared<ChatStream>(std::move(to), options);
}

const char* finish_reason(Finish finish) {
  switch (finish) {
    case Finish::kEnd:
    case Finish::kStop:
      return "stop";
    case Finish::kToolCalls:
      return "tool_calls";
    case Finish::kLength:
    case Finish::kCancelled:
      break;
  }
  return "length";
}

}  // namespace cistern::serve::openai
