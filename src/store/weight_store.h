// Where weight bytes are. The decoder asks for a tensor by its index in the Inventory and gets a Lease: a
// view that is valid while the Lease lives. Whether the bytes were mapped, resident or just read from disk is
// the store's business. acquire() may be called from one thread at a time.
#pragma once

#include <cstddef>
#include <utility>

#include "base/error.h"
#include "tensor/view.h"

namespace cistern::store {

using TensorIndex = std::size_t;  // position in Inventory::tensors()

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

class WeightStore {
 public:
  virtual ~WeightStore() = default;
  // kIo when the bytes cannot be had, naming file and offset.
  virtual Result<Lease> acquire(TensorIndex tensor) = 0;

 protected:
  friend class Lease;
  virtual void release(TensorIndex tensor) noexcept = 0;
};

inline Lease::~Lease() {
  if (store_ != nullptr) store_->release(tensor_);
}

}  // namespace cistern::store
