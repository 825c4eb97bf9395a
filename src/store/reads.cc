#include "store/reads.h"

#include <fmt/format.h>

#include "sys/clock.h"

namespace cistern::store {

std::string where(std::span<const std::string> paths, const file::Extent& extent) {
  return fmt::format("{} at byte {}", paths[extent.file_index], extent.offset);
}

void Reads::submit(ReadClient& client, std::uint64_t tag, const file::Extent& extent, std::byte* into,
                   sys::ReadPriority priority) {
  if (free_.empty()) {
    free_.push_back(pending_.size());
    pending_.emplace_back();
  }
  const std::uint64_t slot = free_.back();
  free_.pop_back();
  pending_[slot] = {.client = &client, .tag = tag, .bytes = extent.bytes};
  reader_->submit({.file = static_cast<std::uint32_t>(extent.file_index),
                   .offset = extent.offset,
                   .into = {into, extent.bytes},
                   .needed_bytes = extent.needed_bytes,
                   .tag = slot},
                  priority);
}

void Reads::hand_out(sys::ReadCompletion completion) {
  const Pending pending = pending_[completion.tag];
  free_.push_back(completion.tag);
  if (!completion.error) bytes_read_ += pending.bytes;
  pending.client->read_done(pending.tag, std::move(completion.error));
}

void Reads::poll() {
  while (auto completion = reader_->next(0)) hand_out(*std::move(completion));
}

Result<void> Reads::wait_longer(const std::function<bool()>& done,
                                const std::function<std::string()>& where) {
  const double start = sys::steady_seconds();
  double last_answer = start;
  bool stalled = false;
  while (!done() && !stalled) {
    const double now = sys::steady_seconds();
    if (auto completion = reader_->next(last_answer + stall_s_ - now)) {
      hand_out(*std::move(completion));
      last_answer = sys::steady_seconds();
    } else {
      stalled = sys::steady_seconds() - last_answer >= stall_s_;
    }
  }
  waited_s_ += sys::steady_seconds() - start;
  if (!stalled) return {};
  return fail(ErrorCode::kIo,
              fmt::format("the disk has not answered for {:.3g} s; try again when it does", stall_s_),
              where());
}

}  // namespace cistern::store
