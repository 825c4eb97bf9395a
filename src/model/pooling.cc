#include "model/pooling.h"

#include <algorithm>

#include "base/check.h"
#include "ops/pooling.h"

namespace cistern::model {

Pooler::Pooler(Decoder& decoder, std::uint32_t dim, spec::Pooling kind)
    : decoder_(decoder), kind_(kind), sums_(dim), pooled_(dim) {
  CISTERN_CHECK(kind == spec::Pooling::kMean || kind == spec::Pooling::kCls || kind == spec::Pooling::kLast);
}

Result<void> Pooler::add(std::uint32_t n_tokens) {
  const bool first_chunk = n_tokens_ == 0;
  n_tokens_ += n_tokens;
  if (kind_ == spec::Pooling::kCls && !first_chunk) return {};
  if (kind_ == spec::Pooling::kLast) std::ranges::fill(sums_, 0.0);
  const std::uint32_t first = kind_ == spec::Pooling::kLast ? n_tokens - 1 : 0;
  const std::uint32_t end = kind_ == spec::Pooling::kCls ? 1 : n_tokens;
  const std::uint32_t block = decoder_.block_tokens();
  for (std::uint32_t row = first; row < end; row += block) {
    CISTERN_TRY(const TensorView rows, decoder_.hidden(row, std::min(block, end - row)));
    ops::add_rows(decoder_.exec(), rows, sums_);
  }
  return {};
}

std::span<float> Pooler::pooled() {
  CISTERN_CHECK(n_tokens_ > 0);
  const double n = kind_ == spec::Pooling::kMean ? static_cast<double>(n_tokens_) : 1.0;
  std::ranges::transform(sums_, pooled_.begin(), [n](double sum) { return static_cast<float>(sum / n); });
  return pooled_;
}

}  // namespace cistern::model
