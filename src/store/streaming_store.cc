#include "store/streaming_store.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "store/row_reads.h"
#include "store/slice_requests.h"
#include "store/stream_window.h"
#include "sys/buffer.h"

namespace cistern::store {
namespace {

// A request of what is read once.
constexpr std::uint64_t kLoadBytes = 8ULL << 20U;

class ResidentTensors final : public ReadClient {
 public:
  ResidentTensors(const file::Inventory& inventory, std::span<const std::size_t> tensors)
      : layout_(file::lay_out(inventory, tensors)), places_(inventory.tensors().size(), kNone) {
    for (std::size_t i = 0; i < tensors.size(); ++i) places_[tensors[i]] = layout_.places[i];
  }

  Result<void> read(Reads& reads, const StreamingOptions& options, std::span<const std::string> paths) {
    CISTERN_TRY(memory_, sys::Buffer::allocate(layout_.bytes));
    for (const file::Extent& extent : layout_.extents) {
      for (std::uint64_t begin = 0; begin < extent.bytes; begin += kLoadBytes) {
        const std::uint64_t bytes = std::min(kLoadBytes, extent.bytes - begin);
        const std::uint64_t needed =
            std::min(bytes, extent.needed_bytes - std::min(begin, extent.needed_bytes));
        pieces_.push_back({.file_index = extent.file_index,
                           .offset = extent.offset + begin,
                           .bytes = bytes,
                           .needed_bytes = needed});
        reads.submit(*this, pieces_.size() - 1, pieces_.back(),
                     memory_.bytes().data() + extent.place + begin);
      }
    }
    while (done_bytes_ < layout_.bytes && !error_) {
      const std::uint64_t before = done_bytes_;
      CISTERN_TRY_VOID(
          reads.wait([&] { return done_bytes_ > before; }, [&] { return first_missing(paths); }));
      if (options.progress) options.progress(done_bytes_, layout_.bytes);
    }
    if (error_) return std::unexpected(*error_);
    return {};
  }

  bool has(TensorIndex tensor) const { return places_[tensor] != kNone; }
  const std::byte* data(TensorIndex tensor) const { return memory_.bytes().data() + places_[tensor]; }

  void read_done(std::uint64_t piece, std::optional<Error> error) override {
    done_bytes_ += std::exchange(pieces_[piece].bytes, 0);
    if (error) error_ = std::move(error);
  }

 private:
  static constexpr std::uint64_t kNone = ~std::uint64_t{0};

  std::string first_missing(std::span<const std::string> paths) const {
    return where(paths, *std::ranges::find_if(pieces_, [](const file::Extent& e) { return e.bytes > 0; }));
  }

  file::Layout layout_;
  std::vector<std::uint64_t> places_;  // by tensor
  std::vector<file::Extent> pieces_;   // as they are asked for; without bytes once they are there
  sys::Buffer memory_;
  std::uint64_t done_bytes_ = 0;
  std::optional<Error> error_;
};

class Store final : public StreamingStore {
 public:
  Store(const file::Inventory& inventory, file::Placement placement, std::vector<std::string> paths,
        std::unique_ptr<sys::FileReader> reader, double stall_s)
      : inventory_(inventory),
        placement_(std::move(placement)),
        paths_(std::move(paths)),
        reads_(std::move(reader), stall_s),
        resident_(inventory, placement_.resident) {}
  // Nothing is read into memory that is gone, and nobody is told who is gone.
  ~Store() override { reads_.stop(); }

  Result<void> load(const StreamingOptions& options) {
    CISTERN_TRY_VOID(resident_.read(reads_, options, paths_));
    loaded_bytes_ = reads_.bytes_read();
    loaded_s_ = reads_.waited_s();
    CISTERN_TRY(window_memory_, sys::Buffer::allocate(placement_.window_bytes));
    CISTERN_TRY(cache_memory_, sys::Buffer::allocate(placement_.cache_bytes));
    CISTERN_TRY(row_memory_, sys::Buffer::allocate(file::lookup_bytes(inventory_, placement_)));
    window_.emplace(inventory_, placement_, reads_, window_memory_.bytes(), paths_);
    cache_.emplace(inventory_, placement_, reads_, cache_memory_.bytes(), paths_);
    rows_.emplace(inventory_, placement_, reads_, row_memory_.bytes(), paths_);
    return {};
  }

  Result<Lease> acquire(TensorIndex tensor) override {
    const file::TensorInfo& info = inventory_.tensors()[tensor];
    WeightView view{.dtype = info.dtype, .shape = info.shape, .row_bytes = info.row_bytes()};
    if (resident_.has(tensor)) {
      view.data = resident_.data(tensor);
    } else {
      CISTERN_CHECK(window_->has(tensor));
      CISTERN_TRY(view.data, window_->acquire(tensor));
    }
    return Lease(this, tensor, view);
  }

  SliceLease begin(TensorIndex tensor, std::uint64_t slice_rows,
                   std::span<const std::uint32_t> slices) override {
    const file::TensorInfo& info = inventory_.tensors()[tensor];
    SliceRequest& request = requests_.take(info, tensor, slice_rows, slices);
    if (cache_->has(tensor)) {
      cache_->begin(request);
    } else if (rows_->has(tensor)) {
      rows_->begin(request);
    } else {
      CISTERN_CHECK(resident_.has(tensor));
      const std::uint64_t bytes = slice_bytes(info, slice_rows);
      for (std::size_t i = 0; i < slices.size(); ++i)
        request.data[i] = resident_.data(tensor) + slices[i] * bytes;
    }
    return SliceLease(this, &request);
  }

  std::size_t slices_at_once(std::span<const TensorIndex> tensors) const override {
    return cache_->at_once(tensors);
  }
  void layer_done() override {
    window_->layer_done();
    cache_->layer_done();
  }

  // Who gives hints reads tensors of layers to come, which a window would have to jump for.
  bool wants_hints() const override { return placement_.streamed.empty() && !cache_->holds_all(); }
  void hint(std::span<const TensorIndex> tensors, std::span<const std::uint32_t> slices) override {
    cache_->hint(tensors, slices);
  }

  StreamingStats stats() const override {
    return {.bytes_read = reads_.bytes_read() - loaded_bytes_,
            .waited_s = reads_.waited_s() - loaded_s_,
            .hits = cache_->hits(),
            .misses = cache_->misses()};
  }
  Result<void> check_unchanged() const override { return reads_.reader().check_unchanged(); }
  std::string describe_reader() const override { return reads_.reader().describe(); }
  void warm(std::span<const SliceCache::SliceId> slices) override { cache_->warm(slices); }
  std::vector<SliceCache::SliceId> most_wanted() const override { return cache_->most_wanted(); }

 private:
  void release(TensorIndex) noexcept override {}
  Result<void> wait(SliceRequest& request) override {
    if (cache_->has(request.tensor)) return cache_->wait(request);
    return rows_->has(request.tensor) ? rows_->wait(request) : Result<void>();
  }
  void release(SliceRequest& request) noexcept override {
    if (cache_->has(request.tensor)) cache_->release(request);
    requests_.give_back(request);
  }

  const file::Inventory& inventory_;
  file::Placement placement_;
  std::vector<std::string> paths_;
  sys::Buffer window_memory_, cache_memory_, row_memory_;
  Reads reads_;
  ResidentTensors resident_;
  std::optional<StreamWindow> window_;
  std::optional<SliceCache> cache_;
  std::optional<RowReads> rows_;
  SliceRequests requests_;
  std::uint64_t loaded_bytes_ = 0;
  double loaded_s_ = 0;
};

}  // namespace

Result<std::unique_ptr<StreamingStore>> StreamingStore::open(const file::Inventory& inventory,
                                                             file::Placement placement,
                                                             std::vector<std::string> paths,
                                                             std::unique_ptr<sys::FileReader> reader,
                                                             const StreamingOptions& options) {
  auto store = std::make_unique<Store>(inventory, std::move(placement), std::move(paths), std::move(reader),
                                       options.stall_s);
  CISTERN_TRY_VOID(store->load(options));
  return std::unique_ptr<StreamingStore>(std::move(store));
}

}  // namespace cistern::store
