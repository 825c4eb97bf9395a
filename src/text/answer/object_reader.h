// Reads a call that is one JSON object, {"name": ..., "arguments": {...}}, as it streams in: members in any
// order, under the names that vendors use. Part of program_reader.h. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "text/answer/json_scanner.h"
#include "text/answer/tool_set.h"

namespace cistern::text {

// How far reading came.
enum class Progress : std::uint8_t { kMore, kDone, kFailed };

// A call as far as it is known.
struct CallSoFar {
  const Tool* tool = nullptr;
  std::string id;
  std::string arguments;
};

class ObjectReader {
 public:
  explicit ObjectReader(bool known_members_only) : known_members_only_(known_members_only) {}

  // Reads on in `input`, the answer's text, at `at`, which it moves behind what it has read: to the object's
  // end or to the byte that is wrong. `input` may have grown since the last call and must not have changed.
  Progress read(std::string_view input, std::size_t& at, const ToolSet& tools, CallSoFar& call);

 private:
  enum class Expect : std::uint8_t { kOpen, kFirstKey, kKey, kColon, kValueBegin, kValue, kCommaOrEnd };
  enum class Member : std::uint8_t { kName, kArguments, kId, kOther };

  bool begin_member(std::string_view key);
  bool end_value(std::string_view value, const ToolSet& tools, CallSoFar& call);
  Progress punctuation(char c, std::size_t at, const CallSoFar& call);
  Progress value_byte(char c, std::string_view input, std::size_t& at, const ToolSet& tools, CallSoFar& call);

  bool known_members_only_;
  Expect expect_ = Expect::kOpen;
  JsonScanner scanner_;
  bool in_key_ = false;
  std::size_t begin_ = 0;  // of the key or value that is being read
  Member member_ = Member::kOther;
  bool has_name_ = false, has_arguments_ = false;
};

}  // namespace cistern::text
