#include "text/answer/object_reader.h"

#include <boost/json/parse.hpp>
#include <optional>

namespace cistern::text {
namespace {

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// REQUIRES: `json` has been scanned.
std::optional<std::string> decoded_string(std::string_view json) {
  boost::system::error_code error;
  const boost::json::value value = boost::json::parse(json, error);
  if (error || !value.is_string()) return std::nullopt;
  return std::string(value.get_string());
}

bool is_object(std::string_view text) {
  JsonScanner scanner;
  if (!text.starts_with('{')) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const JsonScanner::State state = scanner.feed(text[i]);
    if (state == JsonScanner::State::kBad) return false;
    if (state == JsonScanner::State::kComplete) return i + 1 == text.size();
  }
  return false;
}

}  // namespace

bool ObjectReader::begin_member(std::string_view key) {
  const auto once = [&](bool& has, Member member) {
    member_ = member;
    return !std::exchange(has, true);
  };
  if (key == "name" || key == "tool_name") return once(has_name_, Member::kName);
  if (key == "arguments" || key == "parameters") return once(has_arguments_, Member::kArguments);
  if (key == "id" || key == "tool_call_id" || key == "call_id") {
    member_ = Member::kId;
    return true;
  }
  member_ = Member::kOther;
  return !known_members_only_ || key == "type";
}

bool ObjectReader::end_value(std::string_view value, const ToolSet& tools, CallSoFar& call) {
  if (member_ == Member::kOther || (member_ == Member::kArguments && value.front() == '{')) return true;
  const std::optional<std::string> text = decoded_string(value);
  switch (member_) {
    case Member::kName:
      call.tool = text ? tools.find(*text) : nullptr;
      return call.tool != nullptr;
    case Member::kArguments:  // an object inside a string
      if (!text || !is_object(*text)) return false;
      call.arguments = *text;
      return true;
    default:
      if (text) call.id = *text;
      return true;
  }
}

Progress ObjectReader::punctuation(char c, std::size_t at, const CallSoFar& call) {
  const auto go = [&](bool right, Expect next) {
    if (right) expect_ = next;
    return right ? Progress::kMore : Progress::kFailed;
  };
  const bool complete = call.tool != nullptr && !call.arguments.empty();
  switch (expect_) {
    case Expect::kOpen:
      return go(c == '{', Expect::kFirstKey);
    case Expect::kFirstKey:
    case Expect::kKey:
      in_key_ = true;
      begin_ = at;
      scanner_ = {};
      static_cast<void>(scanner_.feed(c));
      return go(c == '"', Expect::kValue);
    case Expect::kColon:
      return go(c == ':', Expect::kValueBegin);
    default:  // kCommaOrEnd
      if (c == '}') return complete ? Progress::kDone : Progress::kFailed;
      return go(c == ',', Expect::kKey);
  }
}

Progress ObjectReader::value_byte(char c, std::string_view input, std::size_t& at, const ToolSet& tools,
                                  CallSoFar& call) {
  const JsonScanner::State state = scanner_.feed(c);
  if (state == JsonScanner::State::kBad) return Progress::kFailed;
  const bool is_arguments = !in_key_ && member_ == Member::kArguments && input[begin_] == '{';
  if (is_arguments) call.arguments += c;
  if (state == JsonScanner::State::kMore) return Progress::kMore;
  const std::size_t end = state == JsonScanner::State::kComplete ? at + 1 : at;
  const std::string_view value = input.substr(begin_, end - begin_);
  if (in_key_) {
    const std::optional<std::string> key = decoded_string(value);
    expect_ = Expect::kColon;
    in_key_ = false;
    return key && begin_member(*key) ? Progress::kMore : Progress::kFailed;
  }
  if (!end_value(value, tools, call)) return Progress::kFailed;
  expect_ = Expect::kCommaOrEnd;
  if (state == JsonScanner::State::kBefore && !is_space(c)) return punctuation(c, at, call);
  return Progress::kMore;
}

Progress ObjectReader::read(std::string_view input, std::size_t& at, const ToolSet& tools, CallSoFar& call) {
  for (; at < input.size(); ++at) {
    const char c = input[at];
    Progress progress = Progress::kMore;
    if (expect_ == Expect::kValue) {
      progress = value_byte(c, input, at, tools, call);
    } else if (expect_ == Expect::kValueBegin && !is_space(c)) {
      begin_ = at;
      scanner_ = {};
      expect_ = Expect::kValue;
      const bool wrong_arguments = member_ == Member::kArguments && c != '{' && c != '"';
      progress = wrong_arguments ? Progress::kFailed : value_byte(c, input, at, tools, call);
    } else if (!is_space(c) || expect_ == Expect::kOpen) {
      progress = punctuation(c, at, call);
    }
    if (progress == Progress::kFailed) return progress;
    if (progress == Progress::kDone) {
      ++at;
      return progress;
    }
  }
  return Progress::kMore;
}

}  // namespace cistern::text
