#include "ops/indexer.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "quant/format.h"

namespace cistern::ops {
namespace {

struct Scored {
  float score;
  std::uint32_t position;

  // Whether this one is rather kept than the other.
  bool operator<(const Scored& other) const {
    return score > other.score || (score == other.score && position < other.position);
  }
};

// The best of one query: a heap whose top is the worst that is kept.
class Selection {
 public:
  Selection(const Exec& exec, const SelectArgs& args, float* scratch)
      : exec_(exec), args_(args), key_dim_(args.cache.shape.index_dim), key_(scratch) {
    best_ = {reinterpret_cast<Scored*>(scratch + key_dim_), args.top_k};
  }

  void run(std::uint64_t token) {
    const std::uint32_t end = (args_.first_position + static_cast<std::uint32_t>(token) + 1) / args_.ratio;
    for (std::uint32_t p = 0; p < end; ++p) {
      const Scored next{score(token, p), p};
      if (p < args_.top_k) {
        best_[p] = next;
        std::push_heap(best_.begin(), best_.begin() + p + 1);
      } else if (next < best_.front()) {
        std::pop_heap(best_.begin(), best_.end());
        best_.back() = next;
        std::push_heap(best_.begin(), best_.end());
      }
    }
    const std::span<std::uint32_t> out = args_.selected.subspan(token * args_.top_k, args_.top_k);
    std::ranges::transform(best_, out.begin(), &Scored::position);
    std::ranges::sort(out);
  }

 private:
  float score(std::uint64_t token, std::uint32_t position) {
    exec_.kernels->dequantize[static_cast<std::size_t>(args_.cache.type)](args_.cache.index_row(position),
                                                                          key_, key_dim_);
    const float* query = args_.queries.row(token);
    const float* weights = args_.weights.row(token);
    float sum = 0;
    for (std::size_t h = 0; h < args_.weights.shape.cols(); ++h) {
      sum += weights[h] * std::max(exec_.kernels->dot(query + h * key_dim_, key_, key_dim_), 0.0F);
    }
    return sum;
  }

  const Exec& exec_;
  const SelectArgs& args_;
  std::size_t key_dim_;
  float* key_;
  std::span<Scored> best_;
};

}  // namespace

void store_index_keys(const Exec& exec, const TensorView& keys, const kv::LayerView& cache,
                      std::uint32_t first_position) {
  CISTERN_CHECK(keys.shape.cols() == cache.shape.index_dim);
  const quant::QuantizeFn encode = quant::format_of(cache.type).quantize;
  for_shares(exec, keys.shape.rows(), 1, [&](int, Range tokens) {
    for (std::uint64_t t = tokens.begin; t < tokens.end; ++t)
      encode(keys.row(t), cache.index_row(first_position + t), keys.shape.cols());
  });
}

void select_tokens(const Exec& exec, const SelectArgs& args) {
  CISTERN_CHECK((args.first_position + 1) / args.ratio >= args.top_k &&
                select_scratch_floats(args.cache.shape.index_dim, args.top_k) <=
                    exec.scratch_floats_per_thread);
  for_shares(exec, args.queries.shape.rows(), 1, [&](int thread, Range tokens) {
    Selection selection(exec, args, exec.scratch_of(thread));
    for (std::uint64_t t = tokens.begin; t < tokens.end; ++t) selection.run(t);
  });
}

kv::LayerView gather_keys(const Exec& exec, const kv::LayerView& cache,
                          std::span<const std::uint32_t> positions, std::byte* memory) {
  CISTERN_CHECK(cache.shape.values_in_keys);
  for_shares(exec, positions.size(), 256, [&](int, Range rows) {
    for (std::uint64_t i = rows.begin; i < rows.end; ++i)
      std::memcpy(memory + i * cache.key_row_bytes, cache.key_row(positions[i]), cache.key_row_bytes);
  });
  return cache.over(memory, positions.size());
}

std::uint64_t select_scratch_floats(std::uint64_t key_dim, std::uint64_t top_k) noexcept {
  return key_dim + top_k * sizeof(Scored) / sizeof(float);
}

}  // namespace cistern::ops
