#include "serve/anthropic/message_events.h"

#include <gtest/gtest.h>

#include "serve/anthropic/error_document.h"

namespace cistern::serve::anthropic {
namespace {

using Kind = Delta::Kind;

MessageEvents events() {
  return MessageEvents({.id = "msg_1", .model = "m"});
}

TEST(MessageEvents, BeginWithAnEmptyMessageThatTellsThePrompt) {
  EXPECT_EQ(events().start(10, 4),
            "event: message_start\n"
            R"(data: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant",)"
            R"("model":"m","stop_reason":null,"stop_sequence":null,"content":[],"usage":{"input_tokens":6,)"
            R"("cache_creation_input_tokens":0,"cache_read_input_tokens":4,"output_tokens":0,)"
            R"("output_tokens_details":{"thinking_tokens":0}}}})"
            "\n\n"
            "event: ping\n"
            R"(data: {"type":"ping"})"
            "\n\n");
}

TEST(MessageEvents, OpenABlockOnceAndCloseItWhenAnotherKindComes) {
  MessageEvents events({.id = "msg_1", .model = "m"});
  EXPECT_EQ(
      events.deltas({{.kind = Kind::kReasoning, .text = "hm"}}),
      "event: content_block_start\n"
      R"(data: {"type":"content_block_start","index":0,"content_block":{"type":"thinking",)"
      R"("thinking":"","signature":""}})"
      "\n\n"
      "event: content_block_delta\n"
      R"(data: {"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"hm"}})"
      "\n\n");
  EXPECT_EQ(events.deltas({{.kind = Kind::kContent, .text = "a"}, {.kind = Kind::kContent, .text = "b"}}),
            "event: content_block_delta\n"
            R"(data: {"type":"content_block_delta","index":0,"delta":{"type":"signature_delta",)"
            R"("signature":"cistern"}})"
            "\n\n"
            "event: content_block_stop\n"
            R"(data: {"type":"content_block_stop","index":0})"
            "\n\n"
            "event: content_block_start\n"
            R"(data: {"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}})"
            "\n\n"
            "event: content_block_delta\n"
            R"(data: {"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"a"}})"
            "\n\n"
            "event: content_block_delta\n"
            R"(data: {"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"b"}})"
            "\n\n");
}

TEST(MessageEvents, EveryCallIsABlockOfItsOwn) {
  MessageEvents events({.id = "msg_1", .model = "m"});
  EXPECT_EQ(events.deltas({{.kind = Kind::kCallBegin, .call = 0, .name = "f", .id = "call_a"},
                           {.kind = Kind::kCallArguments, .text = R"({"x":1})", .call = 0},
                           {.kind = Kind::kCallEnd, .call = 0},
                           {.kind = Kind::kCallBegin, .call = 1, .name = "g", .id = ""},
                           {.kind = Kind::kCallEnd, .call = 1}}),
            "event: content_block_start\n"
            R"(data: {"type":"content_block_start","index":0,"content_block":{"type":"tool_use",)"
            R"("id":"toolu_call_a","name":"f","input":{}}})"
            "\n\n"
            "event: content_block_delta\n"
            R"(data: {"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta",)"
            R"("partial_json":"{\"x\":1}"}})"
            "\n\n"
            "event: content_block_stop\n"
            R"(data: {"type":"content_block_stop","index":0})"
            "\n\n"
            "event: content_block_start\n"
            R"(data: {"type":"content_block_start","index":1,"content_block":{"type":"tool_use",)"
            R"("id":"toolu_msg_1_1","name":"g","input":{}}})"
            "\n\n"
            "event: content_block_stop\n"
            R"(data: {"type":"content_block_stop","index":1})"
            "\n\n");
}

TEST(MessageEvents, EndWithTheReasonAndAllTokens) {
  MessageEvents events({.id = "msg_1", .model = "m"});
  events.deltas({{.kind = Kind::kContent, .text = "a"}});
  const Usage usage = {
      .prompt_tokens = 10, .cached_tokens = 4, .completion_tokens = 7, .reasoning_tokens = 2};
  EXPECT_EQ(events.finish({Finish::kStop, "###"}, usage),
            "event: content_block_stop\n"
            R"(data: {"type":"content_block_stop","index":0})"
            "\n\n"
            "event: message_delta\n"
            R"(data: {"type":"message_delta","delta":{"stop_reason":"stop_sequence","stop_sequence":"###"},)"
            R"("usage":{"input_tokens":6,"cache_creation_input_tokens":0,"cache_read_input_tokens":4,)"
            R"("output_tokens":7,"output_tokens_details":{"thinking_tokens":2}}})"
            "\n\n"
            "event: message_stop\n"
            R"(data: {"type":"message_stop"})"
            "\n\n");
}

TEST(MessageEvents, AnEmptyAnswerHasNoBlocks) {
  const std::string end = events().finish({.finish = Finish::kLength, .stop = {}}, {});
  EXPECT_TRUE(end.starts_with("event: message_delta\n")) << end;
  EXPECT_NE(end.find(R"("delta":{"stop_reason":"max_tokens","stop_sequence":null})"), std::string::npos)
      << end;
}

TEST(MessageEvents, AnErrorIsAnEvent) {
  EXPECT_EQ(error_event(error_document({ErrorCode::kTimeout, "took too long", ""}, "req_1")),
            "event: error\n"
            R"(data: {"type":"error","error":{"type":"timeout_error","message":"took too long"},)"
            R"("request_id":"req_1"})"
            "\n\n");
}

}  // namespace
}  // namespace cistern::serve::anthropic
