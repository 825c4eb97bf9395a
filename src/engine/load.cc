// From an opened file to a Runtime: the plan first, then memory, threads and decoder exactly as planned.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "engine/planning.h"
#include "engine/runtime.h"
#include "engine/streaming.h"
#include "sys/clock.h"
#include "sys/memory_limits.h"
#include "sys/prefault.h"
#include "sys/topology.h"

namespace cistern::engine {
namespace {

ops::Exec make_exec(Runtime& runtime) {
  const plan::ComputeLayout& layout = runtime.plan.compute;
  auto* scratch = reinterpret_cast<float*>(runtime.arena.bytes().data() + layout.scratch);
  return {.pool = runtime.pool.get(),
          .kernels = &kernels::resolve(runtime.isa),
          .packed = runtime.arena.bytes().subspan(layout.packed, layout.packed_bytes),
          .scratch = {scratch, layout.scratch_floats_per_thread * static_cast<std::size_t>(layout.threads)},
          .scratch_floats_per_thread = layout.scratch_floats_per_thread};
}

// Calls f for all pieces of the range, on all threads.
template <class Byte>
void for_pieces(sys::ThreadPool& pool, std::span<Byte> range, void (*f)(std::span<Byte>) noexcept) {
  constexpr std::uint64_t kPieceBytes = 16ULL << 20U;
  const std::uint64_t pieces = (range.size() + kPieceBytes - 1) / kPieceBytes;
  pool.run_chunks(static_cast<std::uint32_t>(pieces), [&](int, std::uint32_t piece) {
    const std::uint64_t begin = piece * kPieceBytes;
    f(range.subspan(begin, std::min(kPieceBytes, range.size() - begin)));
  });
}

// The plan said that all weights stay in memory, and the first step reads them all.
void prefault_files(sys::ThreadPool& pool, const file::ModelFiles& files) {
  for (const sys::MappedFile& file : files.files) for_pieces(pool, file.bytes(), sys::prefault);
}

// Who asks for a context by its length gets the memory for it now, or an error now.
void reserve_memory(Runtime& runtime) {
  for (kv::Cache& cache : runtime.caches) for_pieces(*runtime.pool, cache.memory(), sys::commit);
  for_pieces(*runtime.pool, runtime.arena.bytes(), sys::commit);
}

// Opens the adapters and puts their mappings to those of the model, so that they are watched and read ahead
// with them.
Result<std::vector<std::unique_ptr<LoadedAdapter>>> load_adapters(OpenModel& open,
                                                                  const spec::ModelSpec& model,
                                                                  const LoadOptions& options) {
  std::vector<std::unique_ptr<LoadedAdapter>> adapters;
  for (const AdapterOptions& asked : options.adapters) {
    if (!std::isfinite(asked.scale))
      return fail(ErrorCode::kUsage, "the scale of an adapter must be a finite number", asked.path);
    CISTERN_TRY(file::ModelFiles files, file::open_model(asked.path));
    auto adapter = std::make_unique<LoadedAdapter>();
    adapter->inventory = std::move(files.inventory);
    CISTERN_TRY(adapter->spec, spec::read_adapter(adapter->inventory, model, open.inventory(), asked.scale));
    adapter->store = store::make_mapped_store(adapter->inventory);
    std::ranges::move(files.files, std::back_inserter(open.files.files));
    adapters.push_back(std::move(adapter));
  }
  return adapters;
}

Result<void> make_store(Runtime& runtime, const LoadOptions& options) {
  if (!runtime.plan.streaming) {
    runtime.store = store::make_mapped_store(runtime.open.inventory());
    return {};
  }
  CISTERN_TRY(auto streaming, open_streaming_store(runtime.open, runtime.plan, options));
  runtime.streaming = streaming.get();
  runtime.memory_folder = options.memory_folder;
  runtime.store = std::move(streaming);
  warm_experts(runtime.memory_folder, runtime.open, *runtime.streaming);
  return {};
}

Result<void> make_caches(Runtime& runtime, std::uint32_t sequences) {
  const plan::MemoryPlan& plan = runtime.plan;
  if (plan.paged) {
    CISTERN_TRY(kv::PagePool pages, kv::PagePool::create(plan.cache, plan.paged->pages));
    runtime.pages = std::make_unique<kv::PagePool>(std::move(pages));
  }
  const std::uint32_t n = plan.paged ? plan.paged->caches : sequences;
  runtime.caches.reserve(n);
  while (runtime.caches.size() < n) {
    CISTERN_TRY(kv::Cache cache,
                plan.paged ? kv::Cache::create(plan.cache, *runtime.pages) : kv::Cache::create(plan.cache));
    runtime.caches.push_back(std::move(cache));
  }
  return {};
}

}  // namespace

Runtime::~Runtime() {
  if (streaming != nullptr) remember_experts(memory_folder, open, *streaming);
}

DiskUse Runtime::disk_use() const {
  if (streaming == nullptr) return {};
  const store::StreamingStats now = streaming->stats();
  return {.bytes_read = now.bytes_read,
          .waited_s = now.waited_s,
          .expert_hits = now.hits,
          .expert_misses = now.misses};
}

Result<std::unique_ptr<Runtime>> load_runtime(OpenModel open, const LoadOptions& options) {
  const double start = sys::steady_seconds();
  CISTERN_TRY(spec::ModelSpec model, spec::read_model_spec(open.inventory()));
  CISTERN_TRY(auto adapters, load_adapters(open, model, options));
  std::vector<spec::AdapterSpec> adapter_specs;
  for (const auto& adapter : adapters) adapter_specs.push_back(adapter->spec);
  CISTERN_TRY(PlannedRun planned, plan_run(open.files, open.path, std::move(model), options, adapter_specs));

  if (planned.plan.streaming && options.on_streaming) {
    const plan::StepWork token =
        plan::work_of(planned.model, open.inventory(), planned.plan.cache, kernels::resolve(planned.isa), {});
    CISTERN_TRY(const StreamingForecast forecast, forecast_streaming(open, planned.plan, token));
    options.on_streaming(forecast);
  }
  auto runtime =
      std::make_unique<Runtime>(std::move(open), std::move(planned.model), std::move(planned.plan));
  runtime->isa = planned.isa;
  CISTERN_TRY(runtime->arena, sys::Buffer::allocate(runtime->plan.buffer_bytes));
  CISTERN_TRY_VOID(make_caches(*runtime, options.sequences));
  CISTERN_TRY_VOID(make_store(*runtime, options));
  runtime->adapters = std::move(adapters);
  std::vector<model::Adapter> bound;
  for (const auto& adapter : runtime->adapters)
    bound.push_back({.spec = &adapter->spec, .store = adapter->store.get()});
  runtime->pool = std::make_unique<sys::ThreadPool>(planned.threads);
  if (runtime->streaming == nullptr) prefault_files(*runtime->pool, runtime->open.files);
  if (runtime->plan.reserved) reserve_memory(*runtime);
  runtime->decoder =
      std::make_unique<model::Decoder>(model::Decoder::Parts{.model = runtime->model,
                                                             .inventory = runtime->open.inventory(),
                                                             .store = *runtime->store,
                                                             .layout = runtime->plan.compute,
                                                             .arena = runtime->arena.bytes(),
                                                             .exec = make_exec(*runtime),
                                                             .adapters = bound});
  runtime->sequence = std::make_unique<Sequence>(*runtime->decoder, runtime->caches.front(), runtime->model,
                                                 runtime->open.files);
  if (runtime->model.mtp) {
    CISTERN_TRY(runtime->mtp, MtpDrafter::create(*runtime));
    runtime->sequence->set_follower(runtime->mtp.get());
  }
  runtime->load_s = sys::steady_seconds() - start + runtime->open.open_s;
  return runtime;
}

}  // namespace cistern::engine
