#include "text/answer/answer_parser.h"

#include <algorithm>

#include "base/check.h"
#include "text/utf8.h"

namespace cistern::text {
namespace {

constexpr std::string_view kSpaces = " \t\r\n";

// The mark that a program begins with; empty: none.
std::string_view first_mark(const Program& program) {
  const Step& first = program.steps.front();
  return first.kind == Step::Kind::kText ? first.text : std::string_view();
}

// The longest end of `text` that begins `mark` without being all of it.
std::size_t partial_mark(std::string_view text, std::string_view mark) {
  for (std::size_t n = std::min(text.size(), mark.size() - 1); n > 0; --n) {
    if (mark.starts_with(text.substr(text.size() - n))) return n;
  }
  return 0;
}

}  // namespace

AnswerParser::AnswerParser(AnswerOptions options)
    : options_(std::move(options)), next_{.gives = Program::Gives::kCall, .steps = options_.format->next} {
  for (const Program& program : options_.format->programs) {
    if (!usable(program)) continue;
    if (program.at_start) {
      first_.push_back(&program);
    } else {
      CISTERN_CHECK(!first_mark(program).empty());
      started_.push_back(&program);
    }
    if (program.gives == Program::Gives::kReasoning && until_.empty()) {
      until_ = program.until;
      repeated_mark_ = first_mark(program);
    }
  }
  if (options_.in_reasoning && !until_.empty()) {
    mode_ = Mode::kReasoning;
  } else {
    repeated_mark_ = {};
  }
}

bool AnswerParser::usable(const Program& program) const {
  const bool chooses = program.gives == Program::Gives::kCall || program.gives == Program::Gives::kResponse;
  return !chooses || !options_.tools.empty();
}

std::vector<Delta> AnswerParser::push(std::string_view piece) {
  cut_ += piece;
  const std::size_t complete = complete_prefix(cut_);
  text_ += repair_utf8(std::string_view(cut_).substr(0, complete));
  cut_.erase(0, complete);
  run(false);
  return std::exchange(out_, {});
}

std::vector<Delta> AnswerParser::finish() {
  text_ += repair_utf8(cut_);
  cut_.clear();
  run(true);
  if (mode_ == Mode::kText || (mode_ == Mode::kStart && !drop_spaces_))
    emit(Delta::Kind::kContent, std::exchange(spaces_, {}));
  return std::exchange(out_, {});
}

void AnswerParser::run(bool at_end) {
  while (pos_ < text_.size() && advance(at_end)) {
  }
  text_.erase(0, pos_);
  pos_ = 0;
}

bool AnswerParser::advance(bool at_end) {
  switch (mode_) {
    case Mode::kStart:
      return at_start();
    case Mode::kReasoning:
      return in_reasoning(at_end);
    case Mode::kText:
      return in_text(at_end);
    case Mode::kProgram:
      return in_program(at_end);
    case Mode::kAfterCall:
      return after_call(at_end);
  }
  return false;
}

void AnswerParser::take_spaces() {
  const std::size_t end = std::min(text_.find_first_not_of(kSpaces, pos_), text_.size());
  if (!drop_spaces_) spaces_.append(text_, pos_, end - pos_);
  pos_ = end;
}

bool AnswerParser::at_start() {
  take_spaces();
  if (rest().empty()) return false;
  drop_spaces_ = false;
  candidates_ = first_;
  otherwise_ = Mode::kText;
  try_candidates();
  return true;
}

// White space before the reasoning, and its mark where the prompt has it already. False: more text is needed.
bool AnswerParser::begin_reasoning(bool at_end) {
  while (true) {
    drop_spaces_ = true;
    take_spaces();
    drop_spaces_ = false;
    if (rest().empty() || (!at_end && repeated_mark_.starts_with(rest()))) return false;
    if (repeated_mark_.empty() || !rest().starts_with(repeated_mark_)) break;
    pos_ += repeated_mark_.size();
    repeated_mark_ = {};
  }
  reasoning_begun_ = true;
  return true;
}

bool AnswerParser::in_reasoning(bool at_end) {
  if (!reasoning_begun_ && !begin_reasoning(at_end)) return false;
  const std::string_view text = rest();
  const std::size_t end = text.find(until_);
  const bool ends = end != std::string_view::npos;
  const std::size_t sure = ends ? end : at_end ? text.size() : text.size() - partial_mark(text, until_);
  const std::string_view shown = text.substr(0, sure);
  const std::size_t last = shown.find_last_not_of(kSpaces);
  if (last != std::string_view::npos) {
    emit(Delta::Kind::kReasoning, std::exchange(spaces_, {}) + std::string(shown.substr(0, last + 1)));
    spaces_ = shown.substr(last + 1);
  } else {
    spaces_ += shown;
  }
  pos_ += sure;
  if (!ends) return false;
  pos_ += until_.size();
  spaces_.clear();
  drop_spaces_ = true;
  mode_ = Mode::kStart;
  return true;
}

// The first mark; of several at one place the longest. While a longer one may come, it is not decided.
AnswerParser::Mark AnswerParser::find_mark(std::string_view text, bool at_end) const {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::string_view here = text.substr(i);
    const Program* found = nullptr;
    for (const Program* program : started_) {
      const std::string_view mark = first_mark(*program);
      if (mark.front() != here.front()) continue;
      if (!at_end && here.size() < mark.size() && mark.starts_with(here)) return {.begin = i};
      if (here.starts_with(mark) && (!found || mark.size() > first_mark(*found).size())) found = program;
    }
    if (found) return {.begin = i, .found = found};
  }
  return {.begin = text.size()};
}

bool AnswerParser::in_text(bool at_end) {
  const std::string_view text = rest();
  if (started_.empty()) {
    emit_content(text);
    pos_ = text_.size();
    return false;
  }
  const Mark mark = find_mark(text, at_end);
  const std::string_view shown = text.substr(0, mark.begin);
  const std::size_t last = shown.find_last_not_of(kSpaces);
  if (last != std::string_view::npos) {
    emit_content(shown.substr(0, last + 1));
    spaces_ = shown.substr(last + 1);
  } else {
    spaces_ += shown;
  }
  pos_ += mark.begin;
  if (!mark.found) return false;
  candidates_.clear();
  for (const Program* program : started_) {
    if (first_mark(*program) == first_mark(*mark.found)) candidates_.push_back(program);
  }
  otherwise_ = Mode::kProgram;
  try_candidates();
  return true;
}

void AnswerParser::try_candidates() {
  farthest_ = 0;
  if (candidates_.empty()) {
    mode_ = otherwise_;
    return;
  }
  mode_ = Mode::kProgram;
  reader_.emplace(*options_.format, candidates_.front()->steps, options_.tools);
}

void AnswerParser::try_next_candidate() {
  candidates_.erase(candidates_.begin());
  if (!candidates_.empty()) reader_.emplace(*options_.format, candidates_.front()->steps, options_.tools);
}

bool AnswerParser::in_program(bool at_end) {
  while (true) {
    const Progress progress = reader_->read(rest(), at_end);
    if (progress == Progress::kDone) {
      finish_program();
      return true;
    }
    if (progress == Progress::kMore) {
      if (reader_->begun()) tell_call();
      return false;
    }
    farthest_ = std::max(farthest_, reader_->at());
    // One that has begun may have been told: whether it has depends on how the text is cut, this must not.
    if (reader_->begun()) return give_up(reader_->at());
    try_next_candidate();
    if (!candidates_.empty()) continue;
    if (otherwise_ == Mode::kProgram) return give_up(farthest_);
    mode_ = otherwise_;
    return true;
  }
}

// What was read is no call after all: it is content.
bool AnswerParser::give_up(std::size_t read) {
  const std::string_view text = rest();
  const std::size_t size = std::clamp(read, length_by_lead(text.front()), text.size());
  emit_content(text.substr(0, size));
  pos_ += size;
  if (told_) ++calls_;
  told_ = false;
  told_bytes_ = 0;
  mode_ = Mode::kText;
  return true;
}

void AnswerParser::finish_program() {
  const Program& program = *candidates_.front();
  mode_ = Mode::kText;
  switch (program.gives) {
    case Program::Gives::kReasoning:
      spaces_.clear();
      until_ = program.until;
      repeated_mark_ = {};
      reasoning_begun_ = false;
      mode_ = Mode::kReasoning;
      break;
    case Program::Gives::kResponse:
      emit_content(reader_->content());
      break;
    case Program::Gives::kContent:
      break;
    case Program::Gives::kCall:
      tell_call();
      out_.push_back({.kind = Delta::Kind::kCallEnd,
                      .text = {},
                      .call = calls_++,
                      .name = {},
                      .id = reader_->call().id});
      told_ = false;
      told_bytes_ = 0;
      spaces_.clear();
      end_marks_ = 0;
      mode_ = Mode::kAfterCall;
      break;
  }
  pos_ += reader_->at();
}

void AnswerParser::tell_call() {
  const CallSoFar& call = reader_->call();
  if (!told_) {
    out_.push_back({.kind = Delta::Kind::kCallBegin,
                    .text = {},
                    .call = calls_,
                    .name = call.tool->name,
                    .id = call.id});
  }
  told_ = true;
  // Only whole characters are told: a reader stops at the end of one, since pieces do.
  const std::string piece = call.arguments.substr(told_bytes_);
  if (!piece.empty())
    out_.push_back(
        {.kind = Delta::Kind::kCallArguments, .text = piece, .call = calls_, .name = {}, .id = {}});
  told_bytes_ = call.arguments.size();
}

bool AnswerParser::after_call(bool at_end) {
  take_spaces();
  const std::string_view text = rest();
  if (text.empty()) return false;
  const Format& format = *options_.format;
  bool may_come = false;
  std::size_t index = 0;
  for (const std::span<const Step> marks : {format.call_end, format.section_end}) {
    for (const Step& step : marks) {
      if (step.kind == Step::Kind::kSpace || index++ < end_marks_) continue;
      if (text.starts_with(step.text)) {
        pos_ += step.text.size();
        spaces_.clear();
        end_marks_ = index;
        return true;
      }
      may_come = may_come || (!at_end && step.text.starts_with(text));
    }
  }
  if (may_come) return false;
  candidates_.clear();
  if (!format.next.empty()) candidates_.push_back(&next_);
  otherwise_ = Mode::kText;
  try_candidates();
  return true;
}

void AnswerParser::emit_content(std::string_view text) {
  if (text.empty()) return;
  emit(Delta::Kind::kContent, std::exchange(spaces_, {}) + std::string(text));
}

void AnswerParser::emit(Delta::Kind kind, std::string_view text) {
  if (!text.empty())
    out_.push_back({.kind = kind, .text = std::string(text), .call = 0, .name = {}, .id = {}});
}

Answer parse_answer(AnswerOptions options, std::string_view text) {
  AnswerParser parser(std::move(options));
  std::vector<Delta> deltas = parser.push(text);
  std::ranges::move(parser.finish(), std::back_inserter(deltas));
  Answer answer;
  AnsweredCall call;
  for (const Delta& delta : deltas) {
    switch (delta.kind) {
      case Delta::Kind::kReasoning:
        answer.reasoning += delta.text;
        break;
      case Delta::Kind::kContent:
        answer.content += delta.text;
        break;
      case Delta::Kind::kCallBegin:
        call = {.name = delta.name, .arguments = {}, .id = {}};
        break;
      case Delta::Kind::kCallArguments:
        call.arguments += delta.text;
        break;
      case Delta::Kind::kCallEnd:
        call.id = delta.id;
        answer.calls.push_back(std::move(call));
        break;
    }
  }
  return answer;
}

}  // namespace cistern::text
