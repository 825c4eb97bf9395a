// For tests of answers that stream in: runs an AnswerParser over pieces and puts its deltas together,
// checking on the way what every stream of them must keep to.
#pragma once

#include <boost/json/parse.hpp>
#include <string>
#include <vector>

#include "text/answer/answer_parser.h"
#include "text/answer/json_scanner.h"
#include "text/utf8.h"

namespace cistern::text {

inline bool operator==(const AnsweredCall& a, const AnsweredCall& b) {
  return a.name == b.name && a.arguments == b.arguments && a.id == b.id;
}
inline bool operator==(const Answer& a, const Answer& b) {
  return a.reasoning == b.reasoning && a.content == b.content && a.calls == b.calls;
}

struct Streamed {
  Answer answer;                         // the calls: those that ended
  std::vector<AnsweredCall> void_calls;  // those that were broken off
  std::string problem;                   // what is wrong with the deltas; empty: nothing
};

class DeltaCollector {
 public:
  void take(const std::vector<Delta>& deltas) {
    for (const Delta& delta : deltas) take(delta);
  }
  Streamed finish() {
    drop_open_call();
    return std::move(out_);
  }

 private:
  void take(const Delta& delta) {
    if (!is_valid_utf8(delta.text)) out_.problem = "text is no UTF-8";
    switch (delta.kind) {
      case Delta::Kind::kReasoning:
        out_.answer.reasoning += delta.text;
        break;
      case Delta::Kind::kContent:
        if (delta.text.empty()) out_.problem = "empty content";
        out_.answer.content += delta.text;
        drop_open_call();
        break;
      case Delta::Kind::kCallBegin:
        drop_open_call();
        if (delta.call != next_call_++) out_.problem = "calls are not counted";
        open_ = true;
        scanner_ = {};
        call_ = {.name = delta.name, .arguments = {}, .id = delta.id};
        break;
      case Delta::Kind::kCallArguments:
        if (!open_) out_.problem = "arguments of no call";
        for (const char c : delta.text) {
          if (scanner_.feed(c) == JsonScanner::State::kBad) out_.problem = "arguments are no JSON";
        }
        call_.arguments += delta.text;
        break;
      case Delta::Kind::kCallEnd: {
        boost::system::error_code error;
        const boost::json::value arguments = boost::json::parse(call_.arguments, error);
        if (!open_ || error || !arguments.is_object()) out_.problem = "arguments are no JSON object";
        if (!call_.id.empty() && call_.id != delta.id) out_.problem = "the id changed";
        call_.id = delta.id;
        out_.answer.calls.push_back(call_);
        open_ = false;
        break;
      }
    }
  }
  void drop_open_call() {
    if (open_) out_.void_calls.push_back(call_);
    open_ = false;
  }

  Streamed out_;
  AnsweredCall call_;
  JsonScanner scanner_;
  bool open_ = false;
  std::uint32_t next_call_ = 0;
};

inline Streamed stream(const AnswerOptions& options, const std::vector<std::string>& pieces) {
  AnswerParser parser(options);
  DeltaCollector collector;
  for (const std::string& piece : pieces) collector.take(parser.push(piece));
  collector.take(parser.finish());
  return collector.finish();
}

}  // namespace cistern::text
