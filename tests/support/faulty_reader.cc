#include "support/faulty_reader.h"

#include <algorithm>
#include <limits>

namespace cistern::testing {
namespace {

std::string place(const sys::ReadRequest& request, std::uint64_t bytes) {
  return "file " + std::to_string(request.file) + ": byte " + std::to_string(request.offset + bytes);
}

}  // namespace

FaultyReader::FaultyReader(std::unique_ptr<sys::FileReader> inner, std::vector<ReadFault> faults)
    : inner_(std::move(inner)) {
  for (const ReadFault& fault : faults) faults_.emplace_back(fault, 0);
}

void FaultyReader::submit(const sys::ReadRequest& request, sys::ReadPriority priority) {
  Request entry{.request = request, .faults = {}};
  for (auto& [fault, matched] : faults_) {
    const bool matches = fault.file.value_or(request.file) == request.file && request.offset < fault.end &&
                         request.offset + request.into.size() > fault.begin;
    if (!matches) continue;
    const std::uint64_t number = matched++;
    if (number >= fault.skip && number - fault.skip < fault.count) entry.faults.push_back(fault);
  }
  if (!entry.faults.empty()) ++hits_;
  sys::ReadRequest inner = request;
  inner.tag = requests_.size();
  requests_.push_back(std::move(entry));
  inner_->submit(inner, priority);
}

std::optional<sys::ReadCompletion> FaultyReader::next(double seconds) {
  for (Held& held : held_) {
    if (held.calls_left > 0) --held.calls_left;
  }
  if (auto completion = pop_held(0)) return completion;
  constexpr double kForever = std::numeric_limits<double>::infinity();
  while (auto completion = inner_->next(seconds > 0 ? kForever : 0)) {
    if (auto seen = finish(std::move(*completion))) return seen;
  }
  return seconds > 0 && inner_->unfinished() == 0 ? pop_held(UINT64_MAX) : std::nullopt;
}

// The next of those that have no more than so many calls left.
std::optional<sys::ReadCompletion> FaultyReader::pop_held(std::uint64_t calls_left) {
  const auto next = std::ranges::min_element(
      held_, {}, [&](const Held& held) { return std::pair(held.stalled && !released_, held.calls_left); });
  if (next == held_.end() || (next->stalled && !released_) || next->calls_left > calls_left) return {};
  sys::ReadCompletion completion = std::move(next->completion);
  held_.erase(next);
  return completion;
}

std::optional<sys::ReadCompletion> FaultyReader::finish(sys::ReadCompletion completion) {
  const Request& entry = requests_[completion.tag];
  const sys::ReadRequest& request = entry.request;
  completion.tag = request.tag;
  Held held;
  for (const ReadFault& fault : entry.faults) {
    switch (fault.kind) {
      case ReadFault::Kind::kIoError:
        completion.error = {ErrorCode::kIo, "Input/output error", place(request, 0)};
        break;
      case ReadFault::Kind::kEarlyEnd: {
        const std::uint64_t end = request.needed_bytes / 2;
        completion.error = {ErrorCode::kIo,
                            "the file ends at byte " + std::to_string(request.offset + end) +
                                ", before byte " + std::to_string(request.offset + request.needed_bytes) +
                                " that is needed",
                            place(request, end)};
        break;
      }
      case ReadFault::Kind::kDelay:
        held.calls_left = std::max(held.calls_left, fault.calls);
        break;
      case ReadFault::Kind::kStall:
        held.stalled = true;
        break;
      case ReadFault::Kind::kChange:
        changed_ = {ErrorCode::kIo, "the file was changed while in use", place(request, 0)};
        break;
    }
  }
  // Nobody may rely on what a failed request has left there.
  if (completion.error) std::ranges::fill(request.into, std::byte{0xEE});
  if (held.calls_left == 0 && (!held.stalled || released_)) return completion;
  held.completion = std::move(completion);
  held_.push_back(std::move(held));
  return {};
}

Result<void> FaultyReader::check_unchanged() const {
  if (changed_) return std::unexpected(*changed_);
  return inner_->check_unchanged();
}

}  // namespace cistern::testing
