#include "store/stream_window.h"

#include <algorithm>

#include "base/check.h"

namespace cistern::store {
namespace {

// Read at once: long enough for any disk, short enough that a freed range is soon of use.
constexpr std::uint64_t kPieceBytes = 2ULL << 20U;

std::vector<file::Extent> cut(const std::vector<file::Extent>& extents) {
  std::vector<file::Extent> pieces;
  for (const file::Extent& extent : extents) {
    for (std::uint64_t begin = 0; begin < extent.bytes; begin += kPieceBytes) {
      const std::uint64_t bytes = std::min(kPieceBytes, extent.bytes - begin);
      const std::uint64_t needed = extent.needed_bytes > begin ? extent.needed_bytes - begin : 0;
      pieces.push_back({.file_index = extent.file_index,
                        .offset = extent.offset + begin,
                        .bytes = bytes,
                        .needed_bytes = std::min(needed, bytes),
                        .place = extent.place + begin});
    }
  }
  return pieces;
}

bool overlap(std::uint64_t a, std::uint64_t a_bytes, std::uint64_t b, std::uint64_t b_bytes) {
  return a < b + b_bytes && b < a + a_bytes;
}

constexpr std::uint64_t kPieceBits = 32;

}  // namespace

StreamWindow::StreamWindow(const file::Inventory& inventory, const file::Placement& placement, Reads& reads,
                           std::span<std::byte> memory, std::span<const std::string> paths)
    : reads_(reads), memory_(memory), paths_(paths), members_(inventory.tensors().size()) {
  for (const std::vector<std::size_t>& tensors : placement.streamed) {
    const file::Layout layout = file::lay_out(inventory, tensors);
    CISTERN_CHECK(layout.bytes <= memory.size());
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      members_[tensors[i]] = {.layer = layers_.size(),
                              .place = layout.places[i],
                              .bytes = inventory.tensors()[tensors[i]].size_bytes};
    }
    layers_.push_back({.pieces = cut(layout.extents), .bytes = layout.bytes});
  }
  fill();
}

// Reads whatever has room beside the turns before it.
void StreamWindow::fill() {
  if (layers_.empty()) return;
  for (std::uint64_t i = 0; i < kTurns; ++i) submit_turn(turn_ + i);
}

void StreamWindow::submit_turn(std::uint64_t number) {
  Turn& turn = turns_[number % kTurns];
  const Layer& layer = layer_of(number);
  if (turn.number != number) {
    turn.number = number;
    turn.states.assign(layer.pieces.size(), PieceState::kIdle);
  }
  const std::uint64_t base = base_of(number);
  for (std::size_t i = 0; i < layer.pieces.size(); ++i) {
    const file::Extent& piece = layer.pieces[i];
    bool is_free = turn.states[i] == PieceState::kIdle;
    for (std::uint64_t before = turn_; is_free && before < number; ++before)
      is_free = !overlap(base + piece.place, piece.bytes, base_of(before), layer_of(before).bytes);
    if (!is_free) continue;
    turn.states[i] = PieceState::kReading;
    reads_.submit(*this, number % kTurns << kPieceBits | i, piece, memory_.data() + base + piece.place);
  }
}

void StreamWindow::read_done(std::uint64_t tag, std::optional<Error> error) {
  Turn& turn = turns_[tag >> kPieceBits];
  PieceState& state = turn.states[tag & ((std::uint64_t{1} << kPieceBits) - 1)];
  state = error ? PieceState::kFailed : PieceState::kThere;
  if (error) turn.error = *std::move(error);
}

const file::Extent* StreamWindow::first_reading() const {
  for (const Turn& turn : turns_) {
    const auto reading = std::ranges::find(turn.states, PieceState::kReading);
    if (reading != turn.states.end()) return &layer_of(turn.number).pieces[reading - turn.states.begin()];
  }
  return nullptr;
}

Result<const std::byte*> StreamWindow::acquire(std::size_t tensor) {
  const Member& member = *members_[tensor];
  if (turn_ % layers_.size() != member.layer) CISTERN_TRY_VOID(jump_to(member.layer));
  at_hand_ = true;
  Turn& turn = turns_[turn_ % kTurns];
  const std::vector<file::Extent>& pieces = layer_of(turn_).pieces;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    if (!overlap(pieces[i].place, pieces[i].bytes, member.place, member.bytes)) continue;
    CISTERN_TRY_VOID(reads_.wait([&] { return turn.states[i] != PieceState::kReading; },
                                 [&] { return where(paths_, pieces[i]); }));
    if (turn.states[i] == PieceState::kThere) continue;
    Error error = turn.error;
    std::ranges::replace(turn.states, PieceState::kFailed, PieceState::kIdle);
    fill();  // another request may have more luck
    return std::unexpected(std::move(error));
  }
  return memory_.data() + base_of(turn_) + member.place;
}

void StreamWindow::layer_done() {
  if (!at_hand_) return;
  at_hand_ = false;
  const Turn& turn = turns_[turn_ % kTurns];
  // Normally all of it was waited for; where it was not, jump_to() will.
  if (std::ranges::find(turn.states, PieceState::kReading) != turn.states.end()) return;
  ++turn_;
  fill();
}

// After an error, or where somebody wants tensors out of order.
Result<void> StreamWindow::jump_to(std::size_t layer) {
  CISTERN_TRY_VOID(reads_.wait([&] { return first_reading() == nullptr; },
                               [&] { return where(paths_, *first_reading()); }));
  turn_ += kTurns;
  while (turn_ % layers_.size() != layer) ++turn_;
  fill();
  return {};
}

}  // namespace cistern::store
