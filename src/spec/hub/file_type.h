// The mixtures of types that a GGUF file can be of, as llama.cpp's quantizer makes them: one type for most
// matrices, others for those that suffer more, which depends on the layer and on what the model is. One table
// of data; the types of a model's tensors follow from a row and the model. Facts of src/llama-quant.cpp of
// ggml-org/llama.cpp at 007dbbf3. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "spec/model_spec.h"
#include "tensor/dtype.h"

namespace cistern::spec::hub {

// Which of the tensors of a kind, counted through the layers.
enum class Where : std::uint8_t {
  kNowhere,
  kFirstTwo,
  kFirstFour,
  kFirstSixteenth,
  kFirstEighth,
  kMiddle,    // but for the first and last eighth
  kMoreBits,  // the first and last eighth, and every third between them
};

// A type for a kind of tensors, where it is not that of most, and another for some of them.
struct TypeRule {
  std::optional<DType> type = {};
  Where where = Where::kNowhere;
  std::optional<DType> there = {};
};

struct FileType {
  std::string_view name;
  DType base;                 // of most matrices
  DType head = DType::kQ6_K;  // output head, and an embedding that is the head too
  std::optional<DType> embedding = {};
  TypeRule values = {};                     // attn_v, attn_qkv
  std::optional<DType> shared_values = {};  // attn_v where 4 query heads or more share it
  std::optional<DType> keys_and_queries = {};
  TypeRule down = {};  // ffn_down
  TypeRule gate_and_up = {};
  std::optional<DType> out = {};       // attn_output
  std::optional<DType> out_of_8 = {};  // the same in mixtures of 8 experts
  bool few_bits = false;               // of those for which mixtures get better values and keys
};

std::span<const FileType> file_types() noexcept;

// The types of `tensors`, which are sorted by layer, in their order.
std::vector<DType> choose_types(const FileType& file_type, const ModelSpec& model,
                                std::span<const TensorSpec> tensors);

// Whether the tensor is a matrix that quantizers pack: no norm, no bias, no router, no small table.
bool is_packed(const TensorSpec& tensor) noexcept;

}  // namespace cistern::spec::hub
