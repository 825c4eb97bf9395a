// The order in which a FileReader reads: cuts requests into pieces, gives out demand before background, keeps
// no more in flight than a depth, and collects the pieces of a request until it is finished. Bookkeeping
// alone, it reads nothing; shared by the implementations of FileReader. Not thread-safe. Allocates only while
// more requests are unfinished than ever before.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "sys/file_reader.h"

namespace cistern::sys {

// A request is read in pieces so that several are in flight even of one, and a demand request waits for no
// more than a piece. docs/design-notes.md has what was measured.
inline constexpr std::uint64_t kReadPieceBytes = 1ULL << 20U;

struct ReadPiece {
  std::uint32_t request = 0;  // of the queue
  std::uint32_t file = 0;
  std::uint64_t offset = 0;
  std::span<std::byte> into;
  std::uint64_t needed_bytes = 0;
  std::uint64_t done_bytes = 0;
  bool background = false;
  bool direct = false;         // how its last read was begun
  std::optional<Error> error;  // set when it is over and failed
};

// What may be in flight at once.
struct ReadDepth {
  std::size_t pieces;
  std::uint64_t bytes;
  // Background begins nothing beyond these, so that a demand request that comes now waits for no more.
  std::size_t background_pieces;
  std::uint64_t background_bytes;
};

class ReadQueue {
 public:
  explicit ReadQueue(ReadDepth depth) : depth_(depth) {}

  void push(const ReadRequest& request, ReadPriority priority);
  // The next piece to read, if there is one and the depth allows it. It counts as in flight until finish().
  std::optional<ReadPiece> take();
  void finish(ReadPiece&& piece);
  // The next finished request, in the order in which they finished.
  std::optional<ReadCompletion> pop();

  bool has_finished() const { return finished_.first != kNone; }
  std::size_t unfinished() const { return unfinished_; }
  std::size_t in_flight() const { return pieces_in_flight_; }

 private:
  static constexpr std::uint32_t kNone = UINT32_MAX;

  struct Slot {
    ReadRequest request;
    std::uint64_t begun_bytes = 0;
    std::size_t pieces_in_flight = 0;
    std::optional<Error> error;  // the first
    std::uint32_t next = kNone;  // in the list where the slot is
  };
  struct List {  // of slots, first in first out
    std::uint32_t first = kNone;
    std::uint32_t last = kNone;
  };

  void append(List& list, std::uint32_t slot);
  std::uint32_t remove_first(List& list);
  List* list_to_read();
  bool all_begun(const Slot& slot) const { return slot.begun_bytes == slot.request.into.size(); }

  ReadDepth depth_;
  std::vector<Slot> slots_;
  List free_;
  List demand_;  // with pieces that were not begun
  List background_;
  List finished_;
  std::size_t unfinished_ = 0;
  std::size_t pieces_in_flight_ = 0;
  std::uint64_t bytes_in_flight_ = 0;
};

}  // namespace cistern::sys
