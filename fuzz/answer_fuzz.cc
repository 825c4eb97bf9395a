// Arbitrary bytes as a model's answer, in any format and cut anywhere: reading must end, and what comes out
// must be valid UTF-8 and valid JSON. The pieces must give what the whole gives: the same reasoning, content
// and complete calls. A text without marks comes back as it is.
#include <fuzzer/FuzzedDataProvider.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <string>
#include <vector>

#include "base/check.h"
#include "text/answer/answer_parser.h"
#include "text/answer/deltas_test.h"
#include "text/utf8.h"

namespace cistern::text {
namespace {

const ToolSet& offered_tools() {
  static const ToolSet tools(boost::json::parse(R"([
    {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {
      "s": {"type": "string"}, "i": {"type": "integer"}, "o": {"type": "object"}, "any": {},
      "r": {"$ref": "#/$defs/loop"}}, "$defs": {"loop": {"anyOf": [{"$ref": "#/$defs/loop"}]}}}}},
    {"type": "function", "function": {"name": "ping"}}])")
                                 .as_array());
  return tools;
}

void run(FuzzedDataProvider& data) {
  AnswerOptions options;
  options.format = &all_formats()[data.ConsumeIntegralInRange<std::size_t>(0, all_formats().size() - 1)];
  if (data.ConsumeBool()) options.tools = offered_tools();
  options.in_reasoning = data.ConsumeBool();
  const auto longest = data.ConsumeIntegralInRange<std::size_t>(1, 40);
  const auto seed = data.ConsumeIntegral<std::uint16_t>();
  const std::string text = data.ConsumeRemainingBytesAsString();

  std::vector<std::string> pieces;
  std::uint32_t state = seed;
  for (std::size_t at = 0; at < text.size();) {
    state = state * 1664525U + 1013904223U;
    const std::size_t size = 1 + (state >> 16U) % longest;
    pieces.push_back(text.substr(at, size));
    at += size;
  }
  const Streamed streamed = stream(options, pieces);
  CISTERN_CHECK(streamed.problem.empty());
  const Streamed whole = stream(options, {text});
  CISTERN_CHECK(whole.problem.empty());
  CISTERN_CHECK(streamed.answer == whole.answer);
  CISTERN_CHECK(whole.answer == parse_answer(options, text));
  const auto occurs = [&](std::string_view mark) { return text.contains(mark); };
  if (options.tools.empty() && !options.in_reasoning &&
      std::ranges::none_of(marks_of(*options.format), occurs))
    CISTERN_CHECK(whole.answer.content == repair_utf8(text));
}

}  // namespace
}  // namespace cistern::text

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  FuzzedDataProvider data(bytes, size);
  cistern::text::run(data);
  return 0;
}
