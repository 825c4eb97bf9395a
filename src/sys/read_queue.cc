#include "sys/read_queue.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace cistern::sys {

void ReadQueue::push(const ReadRequest& request, ReadPriority priority) {
  CISTERN_CHECK(request.offset % kReadAlignment == 0);
  CISTERN_CHECK(request.into.size() % kReadAlignment == 0);
  CISTERN_CHECK(reinterpret_cast<std::uintptr_t>(request.into.data()) % kReadAlignment == 0);
  CISTERN_CHECK(request.needed_bytes <= request.into.size());
  if (free_.first == kNone) {
    slots_.emplace_back();
    append(free_, static_cast<std::uint32_t>(slots_.size() - 1));
  }
  const std::uint32_t slot = remove_first(free_);
  slots_[slot] = {.request = request};
  ++unfinished_;
  List& waiting = priority == ReadPriority::kDemand ? demand_ : background_;
  append(request.into.empty() ? finished_ : waiting, slot);
}

ReadQueue::List* ReadQueue::list_to_read() {
  if (demand_.first != kNone) {
    return pieces_in_flight_ < depth_.pieces && bytes_in_flight_ < depth_.bytes ? &demand_ : nullptr;
  }
  if (background_.first == kNone) return nullptr;
  return pieces_in_flight_ < depth_.background_pieces && bytes_in_flight_ < depth_.background_bytes
             ? &background_
             : nullptr;
}

std::optional<ReadPiece> ReadQueue::take() {
  List* const list = list_to_read();
  if (list == nullptr) return {};
  const std::uint32_t index = list->first;
  Slot& slot = slots_[index];
  const ReadRequest& request = slot.request;
  const std::uint64_t begin = slot.begun_bytes;
  const std::uint64_t bytes = std::min(kReadPieceBytes, request.into.size() - begin);
  slot.begun_bytes += bytes;
  ++slot.pieces_in_flight;
  ++pieces_in_flight_;
  bytes_in_flight_ += bytes;
  if (all_begun(slot)) remove_first(*list);
  return ReadPiece{
      .request = index,
      .file = request.file,
      .offset = request.offset + begin,
      .into = request.into.subspan(begin, bytes),
      .needed_bytes = std::min(bytes, request.needed_bytes - std::min(request.needed_bytes, begin)),
      .background = list == &background_};
}

void ReadQueue::finish(ReadPiece&& piece) {
  Slot& slot = slots_[piece.request];
  --slot.pieces_in_flight;
  --pieces_in_flight_;
  bytes_in_flight_ -= piece.into.size();
  if (piece.error && !slot.error) slot.error = std::move(piece.error);
  if (all_begun(slot) && slot.pieces_in_flight == 0) append(finished_, piece.request);
}

std::optional<ReadCompletion> ReadQueue::pop() {
  if (finished_.first == kNone) return {};
  const std::uint32_t index = remove_first(finished_);
  ReadCompletion completion{.tag = slots_[index].request.tag, .error = std::move(slots_[index].error)};
  append(free_, index);
  --unfinished_;
  return completion;
}

void ReadQueue::append(List& list, std::uint32_t slot) {
  slots_[slot].next = kNone;
  (list.last == kNone ? list.first : slots_[list.last].next) = slot;
  list.last = slot;
}

std::uint32_t ReadQueue::remove_first(List& list) {
  const std::uint32_t slot = list.first;
  list.first = slots_[slot].next;
  if (list.first == kNone) list.last = kNone;
  return slot;
}

}  // namespace cistern::sys
