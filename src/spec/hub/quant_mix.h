// How the weights of a model are packed, by name: the mixtures of types that llama.cpp's quantizer makes
// (Q4_K_M and the like), and dialects of other programs, of which only bits per weight are known (4bit, AWQ,
// 4.25bpw, UD-Q4_K_XL). Names are taken as people write them. Used by paper_model to give tensors types and
// sizes. Plain value; pure functions.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "spec/hub/average.h"
#include "spec/hub/file_type.h"
#include "spec/model_spec.h"
#include "tensor/dtype.h"

namespace cistern::spec::hub {

struct QuantMix {
  std::string name;                     // in one spelling: "Q4_K_M", "4.25bpw"
  const FileType* file_type = nullptr;  // null: `bits` say it
  AverageBits bits;
  Scope scope = Scope::kModel;
  double total_bytes = 0;  // of the whole model, where that is what is known: then `bits` follow from it
};

// kUsage: not known, with the nearest name.
Result<QuantMix> find_quant(std::string_view name);

// Weights as they were trained: BF16.
QuantMix unquantized();

// So many bits for each weight of a matrix.
QuantMix bits_per_weight(double bits);

// As many as make the model so large.
QuantMix of_size(double bytes);

// How a tensor is packed. Where the mix has no type of GGUF, the nearest one, and the size by the bits.
struct Packing {
  DType dtype = DType::kF32;
  std::uint64_t size_bytes = 0;
};

// Of `tensors`, which are sorted by layer, in their order. Error: they cannot be made so large, or so small.
Result<std::vector<Packing>> pack(const QuantMix& mix, const ModelSpec& model,
                                  std::span<const TensorSpec> tensors);

}  // namespace cistern::spec::hub
