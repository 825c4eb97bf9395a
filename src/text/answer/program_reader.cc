#include "text/answer/program_reader.h"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace cistern::text {
namespace {

constexpr std::size_t kMostNameBytes = 256;  // also of ids, keys of parameters and their attributes
constexpr std::string_view kSpaces = " \t\r\n";

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kSpaces);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpaces) - begin + 1);
}

// "functions.get_weather:0" -> "get_weather"
std::string_view plain_name(std::string_view id) {
  constexpr std::string_view kPrefix = "functions.";
  if (id.starts_with(kPrefix)) id.remove_prefix(kPrefix.size());
  return id.substr(0, id.rfind(':'));
}

}  // namespace

Progress ProgramReader::read(std::string_view input, bool at_end) {
  while (!steps_.empty()) {
    const Progress progress = step(steps_.front(), input, at_end);
    if (progress == Progress::kMore && at_end) {
      at_ = input.size();
      return Progress::kFailed;
    }
    if (progress != Progress::kDone) return progress;
    steps_ = steps_.subspan(1);
    in_step_ = false;
  }
  return Progress::kDone;
}

Progress ProgramReader::step(const Step& step, std::string_view input, bool at_end) {
  switch (step.kind) {
    case Step::Kind::kText:
      return literal(step.text, false, input, at_end);
    case Step::Kind::kMaybe:
      return literal(step.text, true, input, at_end);
    case Step::Kind::kSpace:
      at_ = std::min(input.find_first_not_of(kSpaces, at_), input.size());
      return at_ < input.size() || at_end ? Progress::kDone : Progress::kMore;
    case Step::Kind::kName:
    case Step::Kind::kId:
    case Step::Kind::kNumberedName:
      return word(step, input);
    case Step::Kind::kObject:
      return object_.read(input, at_, *tools_, call_);
    case Step::Kind::kArguments:
      return arguments(input);
    case Step::Kind::kParameters:
      return parameters(input, at_end);
    case Step::Kind::kString:
      return string(input);
  }
  return Progress::kFailed;
}

Progress ProgramReader::literal(std::string_view text, bool optional, std::string_view input, bool at_end) {
  const std::string_view here = input.substr(at_, text.size());
  if (here == text) {
    at_ += text.size();
    return Progress::kDone;
  }
  if (text.starts_with(here) && !at_end) return Progress::kMore;
  return optional ? Progress::kDone : Progress::kFailed;
}

Progress ProgramReader::word(const Step& step, std::string_view input) {
  const std::size_t end = input.find_first_of(step.text, at_);
  const std::string_view word = input.substr(at_, end == std::string_view::npos ? end : end - at_);
  if (word.size() > kMostNameBytes) return Progress::kFailed;
  if (end == std::string_view::npos) {
    // A name that no tool has is known for wrong before it ends.
    const std::string_view begun = word.substr(std::min(word.find_first_not_of(kSpaces), word.size()));
    const bool possible =
        step.kind != Step::Kind::kName || tools_->has_beginning(begun) || tools_->find(trimmed(word));
    return possible ? Progress::kMore : Progress::kFailed;
  }
  if (!take_word(step.kind, trimmed(word))) return Progress::kFailed;
  at_ = end;
  return Progress::kDone;
}

bool ProgramReader::take_word(Step::Kind kind, std::string_view word) {
  if (kind != Step::Kind::kName) call_.id = word;
  if (kind == Step::Kind::kId) return !word.empty();
  call_.tool = tools_->find(kind == Step::Kind::kName ? word : plain_name(word));
  return call_.tool != nullptr;
}

Progress ProgramReader::arguments(std::string_view input) {
  for (; at_ < input.size(); ++at_) {
    const char c = input[at_];
    if (call_.arguments.empty() && c != '{') return Progress::kFailed;
    const JsonScanner::State state = scanner_.feed(c);
    if (state == JsonScanner::State::kBad) return Progress::kFailed;
    call_.arguments += c;
    if (state == JsonScanner::State::kComplete) {
      ++at_;
      return Progress::kDone;
    }
  }
  return Progress::kMore;
}

Progress ProgramReader::string(std::string_view input) {
  if (!in_step_) begin_ = at_;
  in_step_ = true;
  for (; at_ < input.size(); ++at_) {
    if (at_ == begin_ && input[at_] != '"') return Progress::kFailed;
    const JsonScanner::State state = scanner_.feed(input[at_]);
    if (state == JsonScanner::State::kBad) return Progress::kFailed;
    if (state != JsonScanner::State::kComplete) continue;
    boost::system::error_code error;
    const boost::json::value value = boost::json::parse(input.substr(begin_, ++at_ - begin_), error);
    if (error || !value.is_string()) return Progress::kFailed;
    content_ = value.get_string();
    return Progress::kDone;
  }
  return Progress::kMore;
}

Progress ProgramReader::parameters(std::string_view input, bool at_end) {
  const ParameterMarks& marks = format_->parameter;
  while (true) {
    Progress progress = Progress::kDone;
    switch (part_) {
      case Part::kBetween: {
        const std::size_t next = input.find_first_not_of(kSpaces, at_);
        if (next == std::string_view::npos) return at_end ? Progress::kFailed : Progress::kMore;
        at_ = next;
        progress = literal(marks.open, false, input, at_end);
        if (progress == Progress::kFailed) {  // what follows is not a parameter
          call_.arguments += call_.arguments.empty() ? "{}" : "}";
          return Progress::kDone;
        }
        break;
      }
      case Part::kKey:
        progress = parameter_text(marks.key_end, input);
        if (progress == Progress::kDone) key_ = trimmed(found_);
        break;
      case Part::kValueBegin:  // attributes and white space may come before it
        if (!marks.value_begin.empty()) progress = parameter_text(marks.value_begin, input);
        break;
      case Part::kValue:
        progress = parameter_text(marks.close, input);
        if (progress == Progress::kDone) {
          value_ = found_;
          add_parameter();
        }
        break;
    }
    if (progress != Progress::kDone) return progress;
    part_ = part_ == Part::kValue ? Part::kBetween : static_cast<Part>(static_cast<int>(part_) + 1);
    in_step_ = false;
  }
}

// Finds `end`; found_ is the text before it, at_ behind it.
Progress ProgramReader::parameter_text(std::string_view end, std::string_view input) {
  if (!in_step_) begin_ = at_;
  in_step_ = true;
  const std::size_t found = input.find(end, at_);
  if (found == std::string_view::npos) {
    // Searched again from where the mark may have begun.
    const std::size_t searched = input.size() < end.size() ? 0 : input.size() - end.size() + 1;
    at_ = std::max(at_, searched);
    const bool too_long = part_ != Part::kValue && input.size() - begin_ > kMostNameBytes + end.size();
    if (too_long) at_ = begin_;
    return too_long ? Progress::kFailed : Progress::kMore;
  }
  found_ = input.substr(begin_, found - begin_);
  if (part_ != Part::kValue && found_.size() > kMostNameBytes) {
    at_ = begin_;
    return Progress::kFailed;
  }
  at_ = found + end.size();
  return Progress::kDone;
}

void ProgramReader::add_parameter() {
  std::string_view value = value_;
  const std::string_view padding = format_->parameter.padding;
  if (!padding.empty()) {
    if (value.starts_with(padding)) value.remove_prefix(padding.size());
    if (value.ends_with(padding)) value.remove_suffix(padding.size());
  }
  call_.arguments += call_.arguments.empty() ? "{" : ", ";
  call_.arguments += boost::json::serialize(boost::json::string(key_)) + ": ";
  call_.arguments += typed_value(types_of(*call_.tool, key_), value);
}

}  // namespace cistern::text
