#include "models/model_runner.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "store/mapped_store.h"

namespace cistern::testing {
namespace {

plan::MemoryPlan plan_of(const file::Inventory& inventory, const spec::ModelSpec& model,
                         const RunnerSetting& setting) {
  auto plan = plan::make_plan({.budget_bytes = 1ULL << 33U}, model, inventory,
                              {.context_tokens = setting.context_tokens,
                               .kv_type = setting.kv_type,
                               .threads = setting.threads,
                               .sequences = setting.sequences});
  EXPECT_TRUE(plan) << describe(plan.error());
  if (setting.block_tokens > 0) {
    plan->compute = plan::make_compute_layout(
        model, {.chunk_tokens = plan->compute.chunk_tokens,
                .block_tokens = std::min(setting.block_tokens, plan->compute.chunk_tokens),
                .max_sequences = setting.sequences,
                .threads = setting.threads,
                .context_tokens = plan->cache.context_tokens});
  }
  return *std::move(plan);
}

}  // namespace

ModelRunner::ModelRunner(const file::Inventory& inventory, const spec::ModelSpec& model,
                         const RunnerSetting& setting, std::unique_ptr<store::WeightStore> store)
    : model_(model),
      kernels_(kernels::resolve(setting.isa)),
      store_(store != nullptr ? std::move(store) : store::make_mapped_store(inventory)),
      pool_(setting.threads),
      plan_(plan_of(inventory, model, setting)),
      arena_(*sys::Buffer::allocate(plan_.compute.total_bytes)) {
  if (setting.float_products) kernels_.panel = {};
  for (std::uint32_t i = 0; i < setting.sequences; ++i) caches_.push_back(*kv::Cache::create(plan_.cache));
  const plan::ComputeLayout& layout = plan_.compute;
  const std::span<std::byte> bytes = arena_.bytes();
  const ops::Exec exec{
      .pool = &pool_,
      .kernels = &kernels_,
      .packed = bytes.subspan(layout.packed, layout.packed_bytes),
      .scratch = {reinterpret_cast<float*>(bytes.data() + layout.scratch),
                  layout.scratch_floats_per_thread * static_cast<std::size_t>(setting.threads)},
      .scratch_floats_per_thread = layout.scratch_floats_per_thread};
  decoder_ =
      std::make_unique<model::Decoder>(model::Decoder::Parts{model, inventory, *store_, layout, bytes, exec});
}

std::vector<float> ModelRunner::read_logits(std::uint32_t first, std::uint32_t rows) {
  std::vector<float> result;
  for (std::uint32_t row = first; row < first + rows; ++row) {
    const auto logits = decoder_->logits(row, 1);
    EXPECT_TRUE(logits);
    result.insert(result.end(), logits->begin(), logits->end());
  }
  return result;
}

std::vector<float> ModelRunner::logits(std::span<const std::uint32_t> ids, std::uint32_t chunk,
                                       std::size_t sequence) {
  std::vector<float> result;
  const bool long_rope = model_.needs_long_rope(ids.size());
  chunk = std::min(chunk, plan_.compute.chunk_tokens);
  for (std::size_t begin = 0; begin < ids.size(); begin += chunk) {
    const auto part = ids.subspan(begin, std::min<std::size_t>(chunk, ids.size() - begin));
    const model::SequenceTokens next{.ids = part, .cache = &caches_[sequence], .long_rope = long_rope};
    EXPECT_TRUE(decoder_->forward({&next, 1}));
    const std::vector<float> rows = read_logits(0, static_cast<std::uint32_t>(part.size()));
    result.insert(result.end(), rows.begin(), rows.end());
  }
  return result;
}

std::vector<float> ModelRunner::step(std::span<const std::uint32_t> next) {
  std::vector<model::SequenceTokens> tokens;
  for (std::size_t i = 0; i < next.size(); ++i) {
    tokens.push_back({.ids = next.subspan(i, 1),
                      .cache = &caches_[i],
                      .long_rope = model_.needs_long_rope(caches_[i].length() + 1)});
  }
  EXPECT_TRUE(decoder_->forward(tokens));
  const auto logits = decoder_->logits(0, static_cast<std::uint32_t>(next.size()));
  EXPECT_TRUE(logits);
  return {logits->begin(), logits->end()};
}

std::vector<std::vector<float>> ModelRunner::step(std::span<const std::vector<std::uint32_t>> next) {
  std::vector<model::SequenceTokens> tokens;
  for (std::size_t i = 0; i < next.size(); ++i) {
    if (next[i].empty()) continue;
    tokens.push_back({.ids = next[i],
                      .cache = &caches_[i],
                      .long_rope = model_.needs_long_rope(caches_[i].length() + next[i].size())});
  }
  EXPECT_TRUE(decoder_->forward(tokens));
  std::vector<std::vector<float>> result;
  std::uint32_t first = 0;
  for (const std::vector<std::uint32_t>& ids : next) {
    const auto rows = static_cast<std::uint32_t>(ids.size());
    result.push_back(read_logits(first, rows));
    first += rows;
  }
  return result;
}

std::vector<float> ModelRunner::hidden(std::span<const std::uint32_t> ids) {
  const model::SequenceTokens text{.ids = ids, .cache = caches_.data()};
  EXPECT_TRUE(decoder_->forward({&text, 1}));
  const auto hidden = decoder_->hidden(0, static_cast<std::uint32_t>(ids.size()));
  EXPECT_TRUE(hidden);
  return {hidden->f32(), hidden->f32() + hidden->shape.elements()};
}

void ModelRunner::clear() {
  for (kv::Cache& cache : caches_) cache.truncate(0);
}

}  // namespace cistern::testing
