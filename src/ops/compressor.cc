#include "ops/compressor.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "quant/format.h"

namespace cistern::ops {
namespace {

class Compressor {
 public:
  Compressor(const Exec& exec, const CompressArgs& args)
      : exec_(exec),
        args_(args),
        cols_((args.overlap ? 2 : 1) * std::uint64_t{args.width}),
        slots_((args.overlap ? 2 : 1) * std::uint64_t{args.ratio}),
        values_(args.state.data()),
        gates_(args.state.data() + slots_ * cols_),
        row_(exec.scratch_of(0) + 4 * args.rotation.inv_freq.size()) {
    CISTERN_CHECK(args.state.size() == 2 * slots_ * cols_ &&
                  4 * args.rotation.inv_freq.size() + args.width <= exec.scratch_floats_per_thread);
  }

  void run() {
    for (std::uint64_t t = 0; t < args_.values.shape.rows(); ++t) {
      const std::uint64_t position = args_.first_position + t;
      keep(t, position);
      if ((position + 1) % args_.ratio == 0) emit(position / args_.ratio);
    }
  }

 private:
  void keep(std::uint64_t t, std::uint64_t position) {
    const std::uint64_t slot = position % slots_;
    std::copy_n(args_.values.row(t), cols_, values_ + slot * cols_);
    const float* bias = args_.positions.f32() + position % args_.ratio * cols_;
    for (std::uint64_t i = 0; i < cols_; ++i) gates_[slot * cols_ + i] = args_.gates.row(t)[i] + bias[i];
  }

  void emit(std::uint64_t row) {
    const std::uint64_t own = row * args_.ratio % slots_;
    const std::uint64_t own_col = args_.overlap ? args_.width : 0;
    const bool has_before = args_.overlap && row > 0;
    const std::uint64_t before = (own + args_.ratio) % slots_;
    for (std::uint32_t i = 0; i < args_.width; ++i) {
      float most = greatest(own, own_col + i);
      if (has_before) most = std::max(most, greatest(before, i));
      Sum sum;
      if (has_before) add(before, i, most, sum);
      add(own, own_col + i, most, sum);
      row_[i] = sum.value / sum.weight;
    }
    exec_.kernels->rms_norm(row_, args_.norm.f32(), args_.eps, row_, args_.width);
    const auto rotated = static_cast<std::uint32_t>(2 * args_.rotation.inv_freq.size());
    const TensorView view{.shape = Shape(args_.width), .data = reinterpret_cast<std::byte*>(row_)};
    rope(exec_, {view, args_.width - rotated, 1, rotated}, args_.rotation,
         static_cast<std::uint32_t>(row * args_.ratio));
    std::byte* place = args_.is_index ? args_.cache.index_row(row) : args_.cache.compressed_row(row);
    quant::format_of(args_.cache.type).quantize(row_, place, args_.width);
  }

  struct Sum {
    float value = 0, weight = 0;
  };

  float greatest(std::uint64_t slot, std::uint64_t col) const {
    float most = gates_[slot * cols_ + col];
    for (std::uint64_t i = 1; i < args_.ratio; ++i) most = std::max(most, gates_[(slot + i) * cols_ + col]);
    return most;
  }

  void add(std::uint64_t slot, std::uint64_t col, float most, Sum& sum) const {
    for (std::uint64_t i = 0; i < args_.ratio; ++i) {
      const std::uint64_t at = (slot + i) * cols_ + col;
      const float weight = std::exp(gates_[at] - most);
      sum.weight += weight;
      sum.value += weight * values_[at];
    }
  }

  const Exec& exec_;
  const CompressArgs& args_;
  std::uint64_t cols_;
  std::uint64_t slots_;
  float* values_;
  float* gates_;
  float* row_;
};

}  // namespace

void compress(const Exec& exec, const CompressArgs& args) {
  Compressor(exec, args).run();
}

}  // namespace cistern::ops
