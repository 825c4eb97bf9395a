#include "ops/attention.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/check.h"
#include "ops/attention_block.h"
#include "quant/format.h"

namespace cistern::ops {
namespace {

constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();

// Bytes of the first `values` values of a row of `type`.
std::uint64_t packed_bytes(DType type, std::uint64_t values) {
  const quant::Format& format = quant::format_of(type);
  return values / format.block_values * format.block_bytes;
}

// The queries of one token that share a KV head, with their running softmax, in a thread's scratch.
class GroupAttention {
 public:
  GroupAttention(const Exec& exec, const AttentionArgs& args, int thread)
      : kernels_(*exec.kernels),
        args_(args),
        decode_(exec.kernels->dequantize[static_cast<std::size_t>(args.cache.type)]),
        group_(args.queries.n_heads / args.cache.shape.n_kv_heads),
        key_dim_(args.cache.shape.key_dim),
        value_dim_(args.cache.shape.value_dim) {
    block_ = exec.scratch_of(thread);
    scores_ = block_ + kKeyBlock * std::max(key_dim_, value_dim_);
    sums_ = scores_ + group_ * kKeyBlock;
    maxima_ = sums_ + group_;
    results_ = maxima_ + group_;
  }

  void run(std::uint64_t token, std::uint32_t kv_head) {
    const std::uint64_t position = args_.first_position + token;
    const std::uint64_t window = args_.cache.shape.window;
    const std::uint64_t first = window > 0 && position + 1 > window ? position + 1 - window : 0;
    std::fill_n(sums_, group_, 0.0F);
    std::fill_n(maxima_, group_, kMinusInfinity);
    std::fill_n(results_, group_ * value_dim_, 0.0F);
    for (std::uint64_t block = first / kKeyBlock * kKeyBlock; block <= position; block += kKeyBlock) {
      const std::uint64_t begin = std::max(block, first);
      const std::uint64_t count = std::min(block + kKeyBlock, position + 1) - begin;
      score(token, kv_head, begin, count);
      accumulate(kv_head, begin, count);
    }
    for (std::uint64_t g = 0; g < group_; ++g) {
      float* out = args_.out.row(token) + (kv_head * group_ + g) * value_dim_;
      const float inverse = 1.0F / sums_[g];
      for (std::uint64_t i = 0; i < value_dim_; ++i) out[i] = results_[g * value_dim_ + i] * inverse;
    }
  }

 private:
  // Scores of the block, turned into weights relative to the new running maximum of each head.
  void score(std::uint64_t token, std::uint32_t kv_head, std::uint64_t begin, std::uint64_t count) {
    const std::uint64_t offset = packed_bytes(args_.cache.type, std::uint64_t{kv_head} * key_dim_);
    for (std::uint64_t j = 0; j < count; ++j) {
      decode_(args_.cache.key_row(begin + j) + offset, block_ + j * key_dim_, key_dim_);
    }
    for (std::uint64_t g = 0; g < group_; ++g) {
      const float* query = args_.queries.head(token, static_cast<std::uint32_t>(kv_head * group_ + g));
      float* scores = scores_ + g * kKeyBlock;
      float maximum = maxima_[g];
      for (std::uint64_t j = 0; j < count; ++j) {
        scores[j] = kernels_.dot(query, block_ + j * key_dim_, key_dim_) * args_.scale;
        if (args_.softcap > 0) scores[j] = args_.softcap * std::tanh(scores[j] / args_.softcap);
        maximum = std::max(maximum, scores[j]);
      }
      if (maximum > maxima_[g]) {
        const float correction = std::exp(maxima_[g] - maximum);
        sums_[g] *= correction;
        kernels_.scale(correction, results_ + g * value_dim_, value_dim_);
        maxima_[g] = maximum;
      }
      for (std::uint64_t j = 0; j < count; ++j) {
        scores[j] = std::exp(scores[j] - maximum);
        sums_[g] += scores[j];
      }
    }
  }

  void accumulate(std::uint32_t kv_head, std::uint64_t begin, std::uint64_t count) {
    const std::uint64_t offset = packed_bytes(args_.cache.type, std::uint64_t{kv_head} * value_dim_);
    for (std::uint64_t j = 0; j < count; ++j) {
      decode_(args_.cache.value_row(begin + j) + offset, block_, value_dim_);
      for (std::uint64_t g = 0; g < group_; ++g) {
        kernels_.add_scaled(scores_[g * kKeyBlock + j], block_, results_ + g * value_dim_, value_dim_);
      }
    }
  }

  const kernels::KernelTable& kernels_;
  const AttentionArgs& args_;
  quant::DequantizeFn decode_;
  std::uint64_t group_;
  std::uint64_t key_dim_;
  std::uint64_t value_dim_;
  float* block_ = nullptr;    // kKeyBlock decoded keys, or one decoded value
  float* scores_ = nullptr;   // (kKeyBlock, group)
  float* sums_ = nullptr;     // (group)
  float* maxima_ = nullptr;   // (group)
  float* results_ = nullptr;  // (value_dim, group), not yet divided by the sums
};

}  // namespace

void store_kv(const Exec& exec, const HeadsView& keys, const HeadsView& values, const kv::LayerView& cache,
              std::uint32_t first_position) {
  const quant::QuantizeFn encode = quant::format_of(cache.type).quantize;
  CISTERN_CHECK(encode != nullptr);
  const std::uint64_t key_values = std::uint64_t{keys.n_heads} * keys.head_dim;
  const std::uint64_t value_values = std::uint64_t{values.n_heads} * values.head_dim;
  for_shares(exec, keys.rows.shape.rows(), 1, [&](int, Range tokens) {
    for (std::uint64_t t = tokens.begin; t < tokens.end; ++t) {
      encode(keys.head(t, 0), cache.key_row(first_position + t), key_values);
      encode(values.head(t, 0), cache.value_row(first_position + t), value_values);
    }
  });
}

void attention(const Exec& exec, const AttentionArgs& args) {
  const std::uint32_t n_kv_heads = args.cache.shape.n_kv_heads;
  CISTERN_CHECK(args.queries.n_heads % n_kv_heads == 0 && args.queries.head_dim == args.cache.shape.key_dim);
  const std::uint64_t tasks = args.queries.rows.shape.rows() * n_kv_heads;
  exec.pool->run([&](int thread, int threads) {
    GroupAttention group(exec, args, thread);
    // Later tokens see more keys: dealing tasks out one by one evens the load.
    for (auto i = static_cast<std::uint64_t>(thread); i < tasks; i += static_cast<std::uint64_t>(threads)) {
      group.run(i / n_kv_heads, static_cast<std::uint32_t>(i % n_kv_heads));
    }
  });
}

}  // namespace cistern::ops
