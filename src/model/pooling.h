// One vector for a text, from the final hidden states of its tokens: their mean, or the first or last
// token's. Fed after every forward() of the text's chunks by the engine; allocates at its making only. Lives
// for one text, shorter than the decoder. Not thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/error.h"
#include "model/decoder.h"
#include "spec/model_spec.h"

namespace cistern::model {

class Pooler {
 public:
  // REQUIRES: kMean, kCls or kLast.
  Pooler(Decoder& decoder, std::uint32_t dim, spec::Pooling kind);

  // Takes in the n_tokens of the last forward(), all of this text.
  Result<void> add(std::uint32_t n_tokens);

  // The vector of what was added so far, valid while the Pooler lives. REQUIRES: add() was called.
  std::span<float> pooled();

 private:
  Decoder& decoder_;
  spec::Pooling kind_;
  std::uint64_t n_tokens_ = 0;
  std::vector<double> sums_;  // of the tokens that count
  std::vector<float> pooled_;
};

}  // namespace cistern::model
