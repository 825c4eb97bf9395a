#include "serve/ollama/answer_pieces.h"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <utility>

#include <fmt/format.h>
#include "serve/json_fields.h"
#include "text/utf8.h"

namespace cistern::serve::ollama {
namespace {

namespace json = boost::json;

json::object token_object(const TokenLogprob& token) {
  json::array bytes;
  for (const char byte : token.bytes) bytes.push_back(static_cast<unsigned char>(byte));
  return {{"token", text::repair_utf8(token.bytes)},
          {"logprob", json_number(token.logprob)},
          {"bytes", std::move(bytes)}};
}

json::object logprob_object(const ChosenLogprob& logprob) {
  json::object object = token_object(logprob.chosen);
  json::array top;
  for (const TokenLogprob& token : logprob.top) top.push_back(token_object(token));
  if (!top.empty()) object["top_logprobs"] = std::move(top);
  return object;
}

void move_to_end(json::array& from, json::array& to) {
  for (json::value& value : from) to.push_back(std::move(value));
}

}  // namespace

bool AnswerPiece::empty() const {
  return content.empty() && thinking.empty() && tool_calls.empty() && logprobs.empty();
}

void AnswerPiece::append(AnswerPiece piece) {
  content += piece.content;
  thinking += piece.thinking;
  move_to_end(piece.tool_calls, tool_calls);
  move_to_end(piece.logprobs, logprobs);
}

AnswerPiece PieceCollector::collect(const std::vector<Delta>& deltas,
                                    const std::vector<ChosenLogprob>& logprobs) {
  AnswerPiece piece;
  for (const Delta& delta : deltas) switch (delta.kind) {
      case Delta::Kind::kReasoning:
        piece.thinking += delta.text;
        break;
      case Delta::Kind::kContent:
        piece.content += delta.text;
        break;
      case Delta::Kind::kCallBegin:
        call_ = delta;
        break;
      case Delta::Kind::kCallArguments:
        if (call_) call_->text += delta.text;
        break;
      case Delta::Kind::kCallEnd:
        end_call(piece);
        break;
    }
  for (const ChosenLogprob& logprob : logprobs) piece.logprobs.push_back(logprob_object(logprob));
  return piece;
}

AnswerPiece PieceCollector::rest() {
  AnswerPiece piece;
  if (call_) piece.content = fmt::format("{} {}", call_->name, call_->text);
  call_.reset();
  return piece;
}

void PieceCollector::end_call(AnswerPiece& piece) {
  if (!call_) return;
  boost::system::error_code error;
  json::value arguments = call_->text.empty() ? json::object() : json::parse(call_->text, error);
  // What is no object cannot be called with; as text it is at least not lost.
  if (error || !arguments.is_object()) return piece.append(rest());
  piece.tool_calls.push_back(
      {{"id", call_->id},
       {"function", {{"index", call_->call}, {"name", call_->name}, {"arguments", std::move(arguments)}}}});
  call_.reset();
}

}  // namespace cistern::serve::ollama
