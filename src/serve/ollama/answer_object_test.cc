#include "serve/ollama/answer_object.h"

#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>

namespace cistern::serve::ollama {
namespace {

using Kind = Delta::Kind;

AnswerHead head(Endpoint endpoint) {
  return {.endpoint = endpoint, .model = "m:latest", .created_at = "T"};
}

AnswerPiece collect(PieceCollector& collector, const std::vector<Delta>& deltas) {
  return collector.collect(deltas, {});
}

TEST(AnswerObject, APieceOfAChatIsAMessage) {
  PieceCollector collector;
  EXPECT_EQ(
      boost::json::serialize(
          piece_object(head(Endpoint::kChat), collect(collector, {{.kind = Kind::kContent, .text = "Hi"}}))),
      R"({"model":"m:latest","created_at":"T","message":{"role":"assistant","content":"Hi"},"done":false})");
  EXPECT_EQ(boost::json::serialize(piece_object(
                head(Endpoint::kChat), collect(collector, {{.kind = Kind::kReasoning, .text = "hm"}}))),
            R"({"model":"m:latest","created_at":"T","message":{"role":"assistant","content":"",)"
            R"("thinking":"hm"},"done":false})");
}

TEST(AnswerObject, APieceOfGenerateIsAResponse) {
  PieceCollector collector;
  EXPECT_EQ(boost::json::serialize(piece_object(
                head(Endpoint::kGenerate), collect(collector, {{.kind = Kind::kReasoning, .text = "hm"},
                                                               {.kind = Kind::kContent, .text = "Hi"}}))),
            R"({"model":"m:latest","created_at":"T","response":"Hi","thinking":"hm","done":false})");
}

TEST(AnswerObject, TheLastOneHasTheFiguresInNanoseconds) {
  const AnswerEnd end = {.finish = Finish::kLength,
                         .usage = {.prompt_tokens = 10,
                                   .cached_tokens = 3,
                                   .completion_tokens = 4,
                                   .prefill_s = 0.25,
                                   .decode_s = 2,
                                   .load_s = 0.5},
                         .total_ns = 3000000000};
  EXPECT_EQ(boost::json::serialize(final_object(head(Endpoint::kChat), {}, end)),
            R"({"model":"m:latest","created_at":"T","message":{"role":"assistant","content":""},"done":true,)"
            R"("done_reason":"length","total_duration":3000000000,"load_duration":500000000,)"
            R"("prompt_eval_count":10,"prompt_eval_duration":250000000,"eval_count":4,)"
            R"("eval_duration":2000000000})");
}

TEST(AnswerObject, OnlyTheLengthIsToldApartFromTheOtherReasons) {
  const std::vector<std::pair<Finish, std::string>> table = {
      {Finish::kEnd, "stop"},
      {Finish::kStop, "stop"},
      {Finish::kLength, "length"},
      {Finish::kToolCalls, "stop"},
  };
  for (const auto& [finish, expected] : table)
    EXPECT_EQ(final_object(head(Endpoint::kChat), {}, {.finish = finish, .usage = {}}).at("done_reason"),
              expected.c_str());
}

TEST(AnswerObject, AModelThatWasLoadedHasNoFiguresOfTokens) {
  EXPECT_EQ(boost::json::serialize(loaded_object(head(Endpoint::kGenerate), 7, 0.5)),
            R"({"model":"m:latest","created_at":"T","response":"","done":true,"done_reason":"load",)"
            R"("total_duration":7,"load_duration":500000000})");
}

TEST(PieceCollector, TellsACallWhenItIsWhole) {
  PieceCollector collector;
  EXPECT_TRUE(collect(collector, {{.kind = Kind::kCallBegin, .call = 0, .name = "f", .id = "call_a"},
                                  {.kind = Kind::kCallArguments, .text = R"({"x":)", .call = 0}})
                  .empty());
  const AnswerPiece piece =
      collect(collector, {{.kind = Kind::kCallArguments, .text = "1}", .call = 0},
                          {.kind = Kind::kCallEnd, .call = 0},
                          {.kind = Kind::kCallBegin, .call = 1, .name = "g", .id = "call_b"},
                          {.kind = Kind::kCallEnd, .call = 1}});
  EXPECT_EQ(boost::json::serialize(piece.tool_calls),
            R"([{"id":"call_a","function":{"index":0,"name":"f","arguments":{"x":1}}},)"
            R"({"id":"call_b","function":{"index":1,"name":"g","arguments":{}}}])");
  EXPECT_TRUE(collector.rest().empty());
}

TEST(PieceCollector, ACallThatWasCutOffIsText) {
  PieceCollector collector;
  collect(collector, {{.kind = Kind::kCallBegin, .call = 0, .name = "f", .id = "call_a"},
                      {.kind = Kind::kCallArguments, .text = R"({"x":)", .call = 0}});
  EXPECT_EQ(collector.rest().content, R"(f {"x":)");
  EXPECT_TRUE(collector.rest().empty());
}

TEST(PieceCollector, ACallWithoutAnObjectIsText) {
  PieceCollector collector;
  const AnswerPiece piece = collect(collector, {{.kind = Kind::kCallBegin, .call = 0, .name = "f", .id = "a"},
                                                {.kind = Kind::kCallArguments, .text = "3", .call = 0},
                                                {.kind = Kind::kCallEnd, .call = 0}});
  EXPECT_EQ(piece.content, "f 3");
  EXPECT_TRUE(piece.tool_calls.empty());
}

TEST(PieceCollector, TokensOfLogprobsAreTextAndBytes) {
  PieceCollector collector;
  const TokenLogprob half = {.id = 1, .bytes = "\xC3", .logprob = -0.5F};
  const TokenLogprob other = {.id = 2, .bytes = "a", .logprob = -1.5F};
  EXPECT_EQ(boost::json::serialize(collector.collect({}, {{.chosen = half, .top = {half, other}}}).logprobs),
            "[{\"token\":\"\xEF\xBF\xBD\",\"logprob\":-5E-1,\"bytes\":[195],\"top_logprobs\":["
            "{\"token\":\"\xEF\xBF\xBD\",\"logprob\":-5E-1,\"bytes\":[195]},"
            "{\"token\":\"a\",\"logprob\":-1.5E0,\"bytes\":[97]}]}]");
}

}  // namespace
}  // namespace cistern::serve::ollama
