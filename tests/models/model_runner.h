// A model file with everything that a forward pass needs, for tests of whole models: the layers below
// engine/, so that ISA, threads, chunks, cache type and the arithmetic of products can be chosen freely.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "file/inventory.h"
#include "kernels/kernel_table.h"
#include "model/decoder.h"
#include "plan/memory_plan.h"
#include "store/weight_store.h"
#include "sys/buffer.h"
#include "sys/thread_pool.h"

namespace cistern::testing {

struct RunnerSetting {
  int threads = 1;
  sys::Isa isa = sys::best_isa();
  DType kv_type = DType::kF32;
  bool float_products = false;  // decode every weight to floats: the reference for packed arithmetic
  std::uint32_t sequences = 1;
  std::uint32_t context_tokens = 0;  // 0: the model's
  std::uint32_t block_tokens = 0;    // of a step that go through a block together; 0: all
};

class ModelRunner {
 public:
  // `inventory` and `model` must outlive it. Weights come from the store; null: from the mapped file.
  ModelRunner(const file::Inventory& inventory, const spec::ModelSpec& model, const RunnerSetting& setting,
              std::unique_ptr<store::WeightStore> store = nullptr);

  // Feeds `ids` to a sequence, `chunk` tokens at a time, and gives the logits after each of them.
  std::vector<float> logits(std::span<const std::uint32_t> ids, std::uint32_t chunk,
                            std::size_t sequence = 0);
  // The next token of every sequence in one step: the logits after each.
  std::vector<float> step(std::span<const std::uint32_t> next);
  // The next tokens of the first sequences in one step, those without any left out: the logits after each.
  std::vector<std::vector<float>> step(std::span<const std::vector<std::uint32_t>> next);
  // Of an encoder: the final hidden states of the tokens of a text.
  std::vector<float> hidden(std::span<const std::uint32_t> ids);
  void clear();

 private:
  std::vector<float> read_logits(std::uint32_t first, std::uint32_t rows);

  const spec::ModelSpec& model_;
  kernels::KernelTable kernels_;
  std::unique_ptr<store::WeightStore> store_;
  sys::ThreadPool pool_;
  plan::MemoryPlan plan_;
  std::vector<kv::Cache> caches_;
  sys::Buffer arena_;
  std::unique_ptr<model::Decoder> decoder_;
};

}  // namespace cistern::testing
