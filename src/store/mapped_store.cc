#include "store/mapped_store.h"

#include "base/check.h"

namespace cistern::store {
namespace {

class MappedStore final : public WeightStore {
 public:
  explicit MappedStore(const file::Inventory& inventory) : inventory_(inventory) {}

  Result<Lease> acquire(TensorIndex tensor) override {
    CISTERN_CHECK(tensor < inventory_.tensors().size());
    const file::TensorInfo& info = inventory_.tensors()[tensor];
    return Lease(this, tensor,
                 {.dtype = info.dtype,
                  .shape = info.shape,
                  .data = info.bytes.data(),
                  .row_bytes = info.bytes.size() / info.shape.rows()});
  }

 private:
  void release(TensorIndex) noexcept override {}

  const file::Inventory& inventory_;
};

}  // namespace

std::unique_ptr<WeightStore> make_mapped_store(const file::Inventory& inventory) {
  return std::make_unique<MappedStore>(inventory);
}

}  // namespace cistern::store
