#include "serve/anthropic/message_document.h"

#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>

namespace cistern::serve::anthropic {
namespace {

using Kind = Delta::Kind;

std::string content_of(const std::vector<Delta>& deltas) {
  MessageDocument document({.id = "msg_1", .model = "m"});
  for (const Delta& delta : deltas) document.add({delta});
  return boost::json::serialize(document.finish({}, {}).at("content"));
}

TEST(MessageDocument, IsTheMessageWithItsUsage) {
  MessageDocument document({.id = "msg_1", .model = "m"});
  document.add({{.kind = Kind::kContent, .text = "Hel"}});
  document.add({{.kind = Kind::kContent, .text = "lo"}});
  const Usage usage = {.prompt_tokens = 9, .cached_tokens = 0, .completion_tokens = 2, .reasoning_tokens = 0};
  EXPECT_EQ(boost::json::serialize(document.finish({.finish = Finish::kEnd, .stop = {}}, usage)),
            R"({"id":"msg_1","type":"message","role":"assistant","model":"m","stop_reason":"end_turn",)"
            R"("stop_sequence":null,"content":[{"type":"text","text":"Hello"}],)"
            R"("usage":{"input_tokens":9,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,)"
            R"("output_tokens":2,"output_tokens_details":{"thinking_tokens":0}}})");
}

TEST(MessageDocument, NamesWhyItEnded) {
  const std::vector<std::pair<MessageEnd, std::string>> table = {
      {{.finish = Finish::kEnd, .stop = {}}, R"("end_turn",null)"},
      {{.finish = Finish::kStop, .stop = "\n\n"}, R"("stop_sequence","\n\n")"},
      {{.finish = Finish::kLength, .stop = {}}, R"("max_tokens",null)"},
      {{.finish = Finish::kToolCalls, .stop = {}}, R"("tool_use",null)"},
  };
  for (const auto& [end, expected] : table) {
    const boost::json::object message = MessageDocument({.id = "msg_1", .model = "m"}).finish(end, {});
    EXPECT_EQ(boost::json::serialize(message.at("stop_reason")) + "," +
                  boost::json::serialize(message.at("stop_sequence")),
              expected);
  }
}

TEST(MessageDocument, KeepsBlocksInTheOrderInWhichTheyCame) {
  EXPECT_EQ(
      content_of({{.kind = Kind::kReasoning, .text = "h"},
                  {.kind = Kind::kReasoning, .text = "m"},
                  {.kind = Kind::kContent, .text = "Look:"},
                  {.kind = Kind::kCallBegin, .call = 0, .name = "f", .id = "toolu_a"},
                  {.kind = Kind::kCallArguments, .text = "{\"x\"", .call = 0},
                  {.kind = Kind::kCallArguments, .text = ":[1]}", .call = 0},
                  {.kind = Kind::kCallEnd, .call = 0},
                  {.kind = Kind::kContent, .text = "done"}}),
      R"([{"type":"thinking","thinking":"hm","signature":"cistern"},{"type":"text","text":"Look:"},)"
      R"({"type":"tool_use","id":"toolu_a","name":"f","input":{"x":[1]}},{"type":"text","text":"done"}])");
}

TEST(MessageDocument, ACallWithoutArgumentsHasAnEmptyInput) {
  EXPECT_EQ(content_of({{.kind = Kind::kCallBegin, .call = 0, .name = "f", .id = "a"},
                        {.kind = Kind::kCallEnd, .call = 0}}),
            R"([{"type":"tool_use","id":"toolu_a","name":"f","input":{}}])");
}

TEST(MessageDocument, ACallThatWasCutOffIsText) {
  EXPECT_EQ(content_of({{.kind = Kind::kCallBegin, .call = 0, .name = "rm", .id = "a"},
                        {.kind = Kind::kCallArguments, .text = R"({"path": "/tm)", .call = 0}}),
            R"([{"type":"text","text":"rm {\"path\": \"/tm"}])");
  EXPECT_EQ(content_of({{.kind = Kind::kCallBegin, .call = 0, .name = "f", .id = "a"},
                        {.kind = Kind::kCallArguments, .text = "[1]", .call = 0},
                        {.kind = Kind::kCallEnd, .call = 0}}),
            R"([{"type":"text","text":"f [1]"}])");
}

}  // namespace
}  // namespace cistern::serve::anthropic
