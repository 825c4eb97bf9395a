#include "store/mapped_store.h"

#include "base/check.h"
#include "store/slice_requests.h"

namespace cistern::store {
namespace {

class MappedStore final : public WeightStore {
 public:
  explicit MappedStore(const file::Inventory& inventory) : inventory_(inventory) {}

  Result<Lease> acquire(TensorIndex tensor) override {
    const file::TensorInfo& info = info_of(tensor);
    return Lease(
        this, tensor,
        {.dtype = info.dtype, .shape = info.shape, .data = info.bytes.data(), .row_bytes = info.row_bytes()});
  }

  SliceLease begin(TensorIndex tensor, std::uint64_t slice_rows,
                   std::span<const std::uint32_t> slices) override {
    const file::TensorInfo& info = info_of(tensor);
    SliceRequest& request = requests_.take(info, tensor, slice_rows, slices);
    const std::uint64_t bytes = slice_bytes(info, slice_rows);
    for (std::size_t i = 0; i < slices.size(); ++i) request.data[i] = info.bytes.data() + slices[i] * bytes;
    return SliceLease(this, &request);
  }

 private:
  void release(TensorIndex) noexcept override {}
  Result<void> wait(SliceRequest&) override { return {}; }
  void release(SliceRequest& request) noexcept override { requests_.give_back(request); }

  const file::TensorInfo& info_of(TensorIndex tensor) const {
    CISTERN_CHECK(tensor < inventory_.tensors().size());
    return inventory_.tensors()[tensor];
  }

  const file::Inventory& inventory_;
  SliceRequests requests_;
};

}  // namespace

std::unique_ptr<WeightStore> make_mapped_store(const file::Inventory& inventory) {
  return std::make_unique<MappedStore>(inventory);
}

}  // namespace cistern::store
