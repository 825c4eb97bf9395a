// The one arithmetic of memory (contract 1): what a run needs, byte by byte, computed from the model's spec
// and its tensors before anything is allocated. The same MemoryPlan is printed, enforced by the loader and
// compared with what happened; kv/ and the compute arena allocate exactly the sizes it holds. Pure: does no
// I/O.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "file/inventory.h"
#include "file/placement.h"
#include "kv/cache_shape.h"
#include "plan/compute_layout.h"
#include "plan/describe_bytes.h"
#include "plan/mtp_plan.h"
#include "spec/model_spec.h"

namespace cistern::plan {

// What the machine lets this process have.
struct Machine {
  std::uint64_t budget_bytes = 0;   // all that the process may hold, what it holds already included
  std::string budget_source;        // which limit that is, for messages: "cgroup limit of 3.0 GiB"
  std::uint64_t process_bytes = 0;  // resident before loading: code, libraries, tokenizer
  // Of the budget, gone when weights are read into memory instead of mapped: where address space is what is
  // scarce, the mapping of the file takes its part.
  std::uint64_t mapping_bytes = 0;
};

struct Workload {
  std::uint32_t context_tokens = 0;  // exact, and taken while loading; 0: automatic, taken as it fills
  std::uint32_t wanted_tokens = 0;   // automatic: no more than this is useful; 0: the model's limit
  DType kv_type = DType::kF16;
  int threads = 1;
  std::uint32_t sequences = 1;  // that are decoded together, each with a cache of its own unless:
  bool paged = false;           // they share pages of keys and values (not those of encoders)
  std::span<const spec::AdapterSpec> adapters = {};
  bool may_stream = false;  // weights may stay on disk when they do not fit; not those of a model with an mtp
};

// How a model runs that is larger than the budget.
struct Streaming {
  file::Placement placement;
  std::uint64_t model_bytes = 0;     // of all weights that the model uses
  std::uint64_t resident_bytes = 0;  // of them kept in memory
  std::uint64_t token_bytes = 0;     // read from disk for each token, when experts are chosen as if at random
};

// Keys and values that sequences share, page by page (kv/page_pool.h).
struct PagedCache {
  std::uint32_t pages = 0;        // a full context at least
  std::uint32_t caches = 0;       // sequences, and one for what runs between their steps
  std::uint32_t checkpoints = 0;  // copies of what a sequence has beside its pages

  std::uint64_t bytes(const kv::CacheShape& shape) const {
    return pages * kv::page_bytes(shape) + (std::uint64_t{caches} + checkpoints) * kv::own_bytes(shape);
  }
};

struct LayerBytes {
  std::uint64_t weights = 0;
  std::uint64_t kv = 0;  // of all sequences; where layers share the memory, what each takes in its turn
};

struct MemoryPlan {
  std::vector<LayerBytes> layers;
  // Of all tensors that the model uses, layers and adapters included; when streaming, of the memory for them.
  std::uint64_t weights_bytes = 0;
  std::uint64_t adapter_bytes = 0;   // of weights_bytes: the adapters'
  std::uint64_t kv_bytes = 0;        // all layers, all sequences; with it that of `mtp`
  std::uint64_t buffer_bytes = 0;    // activations, logits, scratch: compute.total_bytes, or mtp->arena_bytes
  std::uint64_t overhead_bytes = 0;  // the process itself and small heap objects
  std::uint64_t budget_bytes = 0;
  std::string budget_source;
  bool reserved = false;               // cache and buffers are taken while loading, not as they fill
  std::optional<Streaming> streaming;  // nothing: all weights are in memory
  kv::CacheShape cache;                // of each sequence
  std::optional<PagedCache> paged;     // that they share; nothing: each has its own
  ComputeLayout compute;
  std::optional<MtpPlan> mtp;  // where the model has such a layer

  std::uint64_t total_bytes() const { return weights_bytes + kv_bytes + buffer_bytes + overhead_bytes; }
};

// Errors: kUsage (context beyond the model's limit, no KV type), kUnsupported (KV type and head size),
// kMemory (does not fit: the numbers, and the largest context that would).
Result<MemoryPlan> make_plan(const Machine& machine, const spec::ModelSpec& model,
                             const file::Inventory& inventory, const Workload& workload);

// "2.1 GiB of 3.8 GiB resident, 1.1 GiB read per token".
std::string describe(const Streaming& streaming);

// The plan as lines of text for people.
std::string describe(const MemoryPlan& plan);

}  // namespace cistern::plan
