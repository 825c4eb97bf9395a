// Where weight bytes are. The decoder asks for a tensor by its index in the Inventory and gets a Lease: a
// view that is valid while the Lease lives. Of a stack of experts or a table of embeddings it asks for the
// slices it wants and gets a SliceLease, whose bytes may still be on their way. Whether they were mapped,
// resident or just read from disk is the store's business, and no result depends on it. One thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/error.h"
#include "tensor/view.h"

namespace cistern::store {

using TensorIndex = std::size_t;  // position in Inventory::tensors()

inline constexpr std::size_t kLotsHeld = 4;

class WeightStore;

class Lease {
 public:
  Lease() = default;  // leases nothing: an empty view
  Lease(WeightStore* store, TensorIndex tensor, WeightView view)
      : store_(store), tensor_(tensor), view_(view) {}
  Lease(Lease&& other) noexcept { *this = std::move(other); }
  Lease& operator=(Lease&& other) noexcept {
    std::swap(store_, other.store_);
    std::swap(tensor_, other.tensor_);
    std::swap(view_, other.view_);
    return *this;
  }
  ~Lease();

  const WeightView& view() const { return view_; }

 private:
  WeightStore* store_ = nullptr;
  TensorIndex tensor_ = 0;
  WeightView view_;
};

// What a SliceLease stands for: owned by the store, used again for the next one.
struct SliceRequest {
  TensorIndex tensor = 0;
  std::vector<std::uint32_t> slices;
  std::vector<const std::byte*> data;  // where each lies or will lie
  WeightSlices view;                   // over `data`
  std::vector<std::uint32_t> slots;    // of each, where the store has such
  std::optional<Error> error;          // why they cannot be had
};

class SliceLease {
 public:
  SliceLease() = default;  // leases nothing: no slices
  SliceLease(WeightStore* store, SliceRequest* request) : store_(store), request_(request) {}
  SliceLease(SliceLease&& other) noexcept { *this = std::move(other); }
  SliceLease& operator=(SliceLease&& other) noexcept {
    std::swap(store_, other.store_);
    std::swap(request_, other.request_);
    return *this;
  }
  ~SliceLease();

  // Until all of the slices are there. kIo when they cannot be had, naming file and offset.
  Result<void> wait();
  // The slices in the order asked for. REQUIRES: wait() said that they are there.
  WeightSlices view() const { return request_ == nullptr ? WeightSlices{} : request_->view; }

 private:
  WeightStore* store_ = nullptr;
  SliceRequest* request_ = nullptr;
};

class WeightStore {
 public:
  virtual ~WeightStore() = default;

  // kIo when the bytes cannot be had, naming file and offset.
  virtual Result<Lease> acquire(TensorIndex tensor) = 0;

  // Asks for some slices of a tensor, of slice_rows rows each, which are held from now on. At most kLotsHeld
  // times slices_at_once() of each tensor may be held at a time.
  virtual SliceLease begin(TensorIndex tensor, std::uint64_t slice_rows,
                           std::span<const std::uint32_t> slices) = 0;

  // How many slices of each of these tensors are best computed with together: a lot, while the next are on
  // their way.
  virtual std::size_t slices_at_once(std::span<const TensorIndex> /*tensors*/) const {
    return std::numeric_limits<std::size_t>::max();
  }

  // Whether it is of use to say beforehand what will be asked for.
  virtual bool wants_hints() const { return false; }
  // These slices of these tensors will probably be asked for soon, the first the most probably. A hint only:
  // the store reads as many of them as the disk has time for while something else is computed.
  virtual void hint(std::span<const TensorIndex> /*tensors*/, std::span<const std::uint32_t> /*slices*/) {}

  // Tensors acquired since the last call are not needed again before the others have had their turn.
  virtual void layer_done() {}

  // kIo when what it reads from is not any more what it was when the store was made.
  virtual Result<void> check_unchanged() const { return {}; }

 protected:
  friend class Lease;
  friend class SliceLease;
  virtual void release(TensorIndex tensor) noexcept = 0;
  virtual Result<void> wait(SliceRequest& request) = 0;
  virtual void release(SliceRequest& request) noexcept = 0;
};

inline Lease::~Lease() {
  if (store_ != nullptr) store_->release(tensor_);
}

inline SliceLease::~SliceLease() {
  if (store_ != nullptr) store_->release(*request_);
}

inline Result<void> SliceLease::wait() {
  return store_ == nullptr ? Result<void>() : store_->wait(*request_);
}

}  // namespace cistern::store
