// Everything a loaded model runs with, in the order of construction: plan, memory, threads, decoder, cache.
// Made by load.cc, owned by the Engine. Internal to engine/.
#pragma once

#include <atomic>
#include <memory>

#include "engine/draft_length.h"
#include "engine/drafter.h"
#include "engine/engine.h"
#include "engine/mtp_drafter.h"
#include "engine/sequence.h"
#include "kv/cache.h"
#include "model/decoder.h"
#include "plan/memory_plan.h"
#include "store/mapped_store.h"
#include "store/streaming_store.h"
#include "sys/buffer.h"
#include "sys/thread_pool.h"

namespace cistern::engine {

// An adapter's file, whose mapping is among those of the model's files.
struct LoadedAdapter {
  file::Inventory inventory;
  spec::AdapterSpec spec;
  std::unique_ptr<store::WeightStore> store;
};

// Pieces hold references to each other, so a Runtime never moves.
struct Runtime {
  Runtime(OpenModel opened, spec::ModelSpec model_spec, plan::MemoryPlan memory_plan)
      : open(std::move(opened)), model(std::move(model_spec)), plan(std::move(memory_plan)) {}
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;
  ~Runtime();

  DiskUse disk_use() const;  // since it was loaded

  OpenModel open;
  spec::ModelSpec model;
  plan::MemoryPlan plan;
  sys::Isa isa = sys::Isa::kScalar;
  double load_s = 0;
  sys::Buffer arena;
  std::unique_ptr<kv::PagePool> pages;  // that the caches share; null: they share none
  std::vector<kv::Cache> caches;        // one per sequence, and one more where they share; never resized
  std::unique_ptr<store::WeightStore> store;
  store::StreamingStore* streaming = nullptr;  // the store, when it streams
  std::string memory_folder;                   // see LoadOptions
  std::vector<std::unique_ptr<LoadedAdapter>> adapters;
  std::unique_ptr<sys::ThreadPool> pool;
  std::unique_ptr<model::Decoder> decoder;
  std::unique_ptr<Sequence> sequence;
  std::unique_ptr<Drafter> draft_model;  // guesses for this one; may be null
  std::unique_ptr<MtpDrafter> mtp;       // the same by a layer of its own
  DraftLength computed_length;           // how many guesses by either paid, in all generations
  std::atomic<bool> cancelled{false};
};

// Plans, then allocates exactly what was planned.
Result<std::unique_ptr<Runtime>> load_runtime(OpenModel open, const LoadOptions& options);

}  // namespace cistern::engine
