// The memory through which streamed tensors pass: those of a layer lie in it together, and while they are in
// use those of the next layer are read into what is left. Layers alternate between the beginning and the end
// of the window, so that nothing is ever moved or split, and any window that holds the largest layer works.
// Begins again with the first layer after the last. Part of the streaming store. Not thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "file/inventory.h"
#include "file/placement.h"
#include "store/reads.h"

namespace cistern::store {

class StreamWindow final : public ReadClient {
 public:
  // The reads and the memory (placement.window_bytes) must outlive the window; paths are those of the files,
  // for messages. Begins to read.
  StreamWindow(const file::Inventory& inventory, const file::Placement& placement, Reads& reads,
               std::span<std::byte> memory, std::span<const std::string> paths);

  bool has(std::size_t tensor) const { return members_[tensor].has_value(); }

  // Where the tensor lies, until layer_done(). Out of the order of the layers it costs reading anew.
  // kIo: it cannot be read.
  Result<const std::byte*> acquire(std::size_t tensor);

  // The memory of the layer whose tensors were acquired takes what comes next.
  void layer_done();

  void read_done(std::uint64_t tag, std::optional<Error> error) override;

 private:
  struct Member {
    std::size_t layer = 0;  // position in layers_
    std::uint64_t place = 0;
    std::uint64_t bytes = 0;
  };
  struct Layer {
    std::vector<file::Extent> pieces;
    std::uint64_t bytes = 0;
  };
  enum class PieceState : std::uint8_t { kIdle, kReading, kThere, kFailed };
  // Layers in the order in which they are needed, numbered on and on: turn n is layer n modulo their number.
  struct Turn {
    std::uint64_t number = ~std::uint64_t{0};
    std::vector<PieceState> states;
    Error error;  // of a piece that failed
  };
  // The turn at hand, the next, and the one after it.
  static constexpr std::uint64_t kTurns = 3;

  const Layer& layer_of(std::uint64_t turn) const { return layers_[turn % layers_.size()]; }
  std::uint64_t base_of(std::uint64_t turn) const {
    return turn % 2 == 0 ? 0 : memory_.size() - layer_of(turn).bytes;
  }
  void fill();
  void submit_turn(std::uint64_t number);
  const file::Extent* first_reading() const;  // null: nothing is being read
  Result<void> jump_to(std::size_t layer);

  Reads& reads_;
  std::span<std::byte> memory_;
  std::span<const std::string> paths_;
  std::vector<std::optional<Member>> members_;  // by tensor
  std::vector<Layer> layers_;
  std::array<Turn, kTurns> turns_;  // turn n at n modulo kTurns
  std::uint64_t turn_ = 0;          // the first whose memory is not free
  bool at_hand_ = false;            // its tensors were acquired
};

}  // namespace cistern::store
