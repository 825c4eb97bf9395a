// A model of random bytes in two files, with tensors of every kind that a store tells apart, and a store over
// it that reads through a FaultyReader; for the tests of this folder. What a lease shows is compared with the
// mapped files. Nothing here depends on a clock: without threads, reads are done when somebody waits.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "base/rng.h"
#include "file/inventory.h"
#include "file/placement.h"
#include "store/streaming_store.h"
#include "support/faulty_reader.h"
#include "support/gguf_writer.h"
#include "support/temp_dir.h"

namespace cistern::store {

inline constexpr std::uint32_t kExperts = 12;
inline constexpr std::uint64_t kGateRows = 7;   // of an expert: 1120 bytes
inline constexpr std::uint64_t kDownRows = 30;  // 7680 bytes
inline constexpr std::uint32_t kTableRows = 50;
inline constexpr std::uint32_t kLookupTokens = 6;

using Names = std::vector<std::string>;

class TestModel {
 public:
  TestModel() {
    // What belongs together in memory lies apart in the files, and nothing begins at a page.
    write(1, {{"norm", {33}},
              {"l0.a", {3001}},
              {"l1.a", {550000}},
              {"l0.gate", {40, kGateRows, kExperts}},
              {"l2.a", {2000}},
              {"l2.b", {2000}},
              {"l0.b", {700}},
              {"l1.gate", {40, kGateRows, kExperts}}});
    write(2, {{"l2.c", {50000}},
              {"l0.down", {64, kDownRows, kExperts}},
              {"l1.b", {5}},
              {"table", {300, kTableRows}},
              {"l1.down", {64, kDownRows, kExperts}},
              {"head", {500, 20}},
              {"l0.up", {40, kGateRows, kExperts}},
              {"l1.up", {40, kGateRows, kExperts}},
              {"l3.a", {100}}});
    auto opened = file::open_model(paths_[0]);
    EXPECT_TRUE(opened) << describe(opened.error());
    files_ = std::move(*opened);
  }

  const file::Inventory& inventory() const { return files_.inventory; }
  const std::vector<std::string>& paths() const { return paths_; }
  const file::TensorInfo& info(const std::string& name) const { return *inventory().find(name); }
  TensorIndex index(const std::string& name) const {
    return static_cast<TensorIndex>(&info(name) - inventory().tensors().data());
  }
  std::vector<TensorIndex> indices(const Names& names) const {
    std::vector<TensorIndex> all;
    for (const std::string& name : names) all.push_back(index(name));
    return all;
  }

  // What each layer streams.
  static const std::vector<Names>& layers() {
    static const std::vector<Names> kLayers = {
        {"l0.a", "l0.b"}, {"l1.a", "l1.b"}, {"l2.c", "l2.a", "l2.b"}, {"l3.a"}};
    return kLayers;
  }
  static const Names& stacks() {
    static const Names kStacks = {"l0.gate", "l0.up", "l0.down", "l1.gate", "l1.up", "l1.down"};
    return kStacks;
  }
  static std::uint64_t rows_of(const std::string& stack) {
    return stack.ends_with("down") ? kDownRows : kGateRows;
  }

  // Some of the layers, in a window that holds the largest of them and so many bytes more.
  file::Placement placement(std::uint64_t window_extra, double cached_part, std::size_t n_layers = 4) const {
    file::Placement placement{.resident = indices({"norm", "head"}), .lookup_tokens = kLookupTokens};
    for (std::size_t li = 0; li < n_layers; ++li) {
      placement.streamed.push_back(indices(layers()[li]));
      placement.window_bytes =
          std::max(placement.window_bytes, file::lay_out(inventory(), placement.streamed[li]).bytes);
    }
    placement.window_bytes += window_extra;
    for (const std::string& name : stacks())
      placement.cached.push_back({.tensor = index(name), .slice_rows = rows_of(name), .used = 2});
    const std::uint64_t all = file::all_slots_bytes(file::slot_classes(inventory(), placement));
    placement.cache_bytes = static_cast<std::uint64_t>(static_cast<double>(all) * cached_part);
    placement.looked_up = {index("table")};
    return placement;
  }

 private:
  struct Tensor {
    std::string name;
    std::vector<std::uint64_t> dims;
  };
  void write(std::uint16_t part, const std::vector<Tensor>& tensors) {
    testing::GgufWriter writer;
    writer.add("general.architecture", "llama");
    writer.add("split.no", static_cast<std::uint16_t>(part - 1)).add("split.count", std::uint16_t{2});
    writer.add("split.tensors.count", std::int32_t{17});
    for (const Tensor& tensor : tensors) {
      std::uint64_t bytes = 4;
      for (const std::uint64_t dim : tensor.dims) bytes *= dim;
      std::vector<std::byte> data(bytes);
      for (std::byte& byte : data) byte = static_cast<std::byte>(rng_.next());
      writer.tensor({.name = tensor.name, .dims = tensor.dims, .data = std::move(data)});
    }
    paths_.push_back(dir_.write("m-0000" + std::to_string(part) + "-of-00002.gguf", writer.build()).string());
  }

  testing::TempDir dir_;
  Rng rng_{1};
  std::vector<std::string> paths_;
  file::ModelFiles files_;
};

// A store over the model, and its reader.
struct TestStore {
  TestStore(const TestModel& of, const file::Placement& placement,
            std::vector<testing::ReadFault> faults = {}, double stall_s = 30)
      : model(of) {
    auto opened = try_open(placement, std::move(faults), stall_s);
    EXPECT_TRUE(opened) << describe(opened.error());
    if (opened) store = std::move(*opened);
  }
  explicit TestStore(const TestModel& of) : model(of) {}

  Result<std::unique_ptr<StreamingStore>> try_open(const file::Placement& placement,
                                                   std::vector<testing::ReadFault> faults, double stall_s) {
    CISTERN_TRY(auto inner, sys::make_thread_reader(model.paths(), 0));
    auto faulty = std::make_unique<testing::FaultyReader>(std::move(inner), std::move(faults));
    reader = faulty.get();
    return StreamingStore::open(model.inventory(), placement, model.paths(), std::move(faulty),
                                {.stall_s = stall_s});
  }

  // What is wrong with the tensor that the store gives. Empty: nothing, it is the file's bytes.
  std::string wrong_tensor(const std::string& name) const {
    const auto lease = store->acquire(model.index(name));
    if (!lease) return describe(lease.error());
    const file::TensorInfo& info = model.info(name);
    const WeightView& view = lease->view();
    if (view.dtype != info.dtype || view.shape != info.shape ||
        view.row_bytes * info.shape.rows() != info.bytes.size())
      return name + ": another type or shape";
    return std::ranges::equal(info.bytes, std::span(view.data, info.bytes.size())) ? "" : name + ": bytes";
  }
  std::string wrong_layer(std::size_t li) const {
    for (const std::string& name : TestModel::layers()[li]) {
      if (std::string wrong = wrong_tensor(name); !wrong.empty()) return wrong;
    }
    store->layer_done();
    return {};
  }

  SliceLease begin(const std::string& name, const std::vector<std::uint32_t>& slices) const {
    return store->begin(model.index(name), slice_rows(name), slices);
  }
  // Waits for the slices of a lease; what is wrong with them.
  std::string wrong_slices(const std::string& name, SliceLease& lease,
                           const std::vector<std::uint32_t>& slices) const {
    if (const auto there = lease.wait(); !there) return describe(there.error());
    const file::TensorInfo& info = model.info(name);
    const std::uint64_t bytes = info.bytes.size() / info.shape.rows() * slice_rows(name);
    if (lease.view().size() != slices.size()) return name + ": another number of slices";
    for (std::size_t i = 0; i < slices.size(); ++i) {
      const WeightView view = lease.view()[i];
      if (view.row_bytes * view.shape.rows() != bytes) return name + ": another size";
      if (!std::ranges::equal(info.bytes.subspan(slices[i] * bytes, bytes), std::span(view.data, bytes)))
        return name + ": bytes of slice " + std::to_string(slices[i]);
    }
    return {};
  }
  std::string wrong_slices(const std::string& name, const std::vector<std::uint32_t>& slices) const {
    SliceLease lease = begin(name, slices);
    return wrong_slices(name, lease, slices);
  }

  static std::uint64_t slice_rows(const std::string& name) {
    return name == "table" || name == "head" ? 1 : TestModel::rows_of(name);
  }

  const TestModel& model;
  testing::FaultyReader* reader = nullptr;  // of the store
  std::unique_ptr<StreamingStore> store;
};

// Some different slices of a stack, in any order.
inline std::vector<std::uint32_t> some_slices(Rng& rng, std::size_t n) {
  std::vector<std::uint32_t> slices;
  while (slices.size() < n) {
    const auto slice = static_cast<std::uint32_t>(rng.next() % kExperts);
    if (std::ranges::find(slices, slice) == slices.end()) slices.push_back(slice);
  }
  return slices;
}

}  // namespace cistern::store
