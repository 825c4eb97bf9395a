#include "engine/synthetic/metadata.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "engine/synthetic/habits.h"
#include "engine/synthetic/vocabulary.h"
#include "quant/format.h"

namespace cistern::engine {
namespace {

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};

// The keys of an architecture: the last value given to one counts.
class Keys {
 public:
  explicit Keys(const ModelShape& shape) : shape_(&shape) {}

  void set(const Trait& trait) {
    const auto same = std::ranges::find(traits_, trait.key, &Trait::key);
    if (same == traits_.end()) {
      traits_.push_back(trait);
    } else {
      *same = trait;
    }
  }
  void set(std::string_view key, std::uint32_t value) { set({key, exactly(value)}); }

  void write(file::GgufWriter& gguf) const {
    for (const Trait& trait : traits_) write(gguf, trait);
  }

 private:
  void write(file::GgufWriter& gguf, const Trait& trait) const {
    const std::string key = fmt::format("{}.{}", shape_->arch, trait.key);
    std::visit(Overloaded{[&](const Amount& amount) { gguf.add(key, amount.in(*shape_)); },
                          [&](const PerLayer& amounts) {
                            gguf.add(key, std::span<const std::int32_t>(spread(amounts)));
                          },
                          [&](const Ramp& ramp) { gguf.add(key, std::span<const float>(spread(ramp))); },
                          [&](const auto& plain) { gguf.add(key, plain); }},
               trait.value);
  }

  std::vector<std::int32_t> spread(const PerLayer& per_layer) const {
    std::vector<std::int32_t> values;
    for (std::uint32_t i = 0; values.size() < shape_->layers; ++i) {
      if (i == per_layer.n_amounts) i = per_layer.n_first;
      values.push_back(static_cast<std::int32_t>(per_layer.amounts[i].in(*shape_)));
    }
    return values;
  }

  std::vector<float> spread(const Ramp& ramp) const {
    std::vector<float> values(shape_->layers, ramp.rest);
    const auto n_first = std::min<std::size_t>(ramp.n_first.in(*shape_), values.size());
    std::fill_n(values.begin(), n_first, ramp.first);
    return values;
  }

  const ModelShape* shape_;
  std::deque<Trait> traits_;  // in the order of the file
};

void set_experts(Keys& keys, const ModelShape& shape) {
  keys.set("expert_count", shape.experts);
  keys.set("expert_used_count", shape.experts_used);
  keys.set("expert_feed_forward_length", shape.expert_ffn);
  if (shape.shared_experts == 0) return;
  keys.set("expert_shared_count", shape.shared_experts);
  keys.set("expert_shared_feed_forward_length", shape.shared_experts * shape.expert_ffn);
}

// The cache holds one row, that of all heads.
void set_latent_attention(Keys& keys, const ModelShape& shape) {
  keys.set("attention.kv_lora_rank", shape.kv_rank);
  keys.set("attention.head_count_kv", 1);
  keys.set("attention.key_length", shape.kv_rank + shape.rope_dim);
  keys.set("attention.value_length", shape.kv_rank);
  keys.set("attention.key_length_mla", shape.head_dim + shape.rope_dim);
  keys.set("attention.value_length_mla", shape.head_dim);
}

}  // namespace

void add_metadata(file::GgufWriter& gguf, const ModelShape& shape, DType dtype, std::uint64_t seed) {
  gguf.add("general.architecture", shape.arch);
  gguf.add("general.name", fmt::format("random {} {}", shape.name, quant::format_of(dtype).name));
  gguf.add("general.description", fmt::format("random weights of seed {}", seed));
  gguf.add("general.quantization_version", std::uint32_t{2});
  Keys keys(shape);
  keys.set("block_count", shape.layers + (shape.mtp ? 1 : 0));
  if (shape.mtp) keys.set("nextn_predict_layers", 1);
  keys.set("context_length", shape.context_tokens);
  keys.set("embedding_length", shape.dim);
  keys.set("feed_forward_length", shape.ffn);
  keys.set("attention.head_count", shape.heads);
  keys.set("attention.head_count_kv", shape.kv_heads);
  keys.set("attention.key_length", shape.head_dim);
  keys.set("attention.value_length", shape.head_dim);
  keys.set({"attention.layer_norm_rms_epsilon", 1e-5F});
  if (shape.window > 0) keys.set("attention.sliding_window", shape.window);
  keys.set("rope.dimension_count", shape.rope_dim);
  keys.set({"rope.freq_base", shape.rope_base});
  keys.set("vocab_size", shape.vocab);
  if (shape.experts > 0) set_experts(keys, shape);
  if (shape.q_rank > 0) keys.set("attention.q_lora_rank", shape.q_rank);
  if (shape.kv_rank > 0) set_latent_attention(keys, shape);
  for (const Trait& trait : habits_of(shape.arch).traits) keys.set(trait);
  for (const Trait& trait : shape.traits) keys.set(trait);
  keys.write(gguf);
  add_vocabulary(gguf, shape.vocab);
}

}  // namespace cistern::engine
