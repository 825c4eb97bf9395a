// Models with random weights of any shape, architecture and weight type, as GGUF: for benchmarks and tests,
// which need the sizes of a model and not its knowledge. Activations stay finite and logits have a standard
// deviation of about 1. Streamed: memory use does not grow with the file. Called by make-model, bench and
// tests; opens no files. Single-threaded.
#pragma once

#include <cstdint>
#include <vector>

#include "base/error.h"
#include "engine/synthetic/shape.h"
#include "engine/synthetic/weight_bank.h"
#include "engine/synthetic/weights.h"
#include "file/gguf_writer.h"
#include "spec/model_spec.h"
#include "tensor/dtype.h"

namespace cistern::engine {

struct SyntheticModel {
  ModelShape shape;
  DType dtype = DType::kF16;  // of all matrices; vectors and small tables are F32
  std::uint64_t seed = 1;
};

// A model that is laid out and can be written, once.
class SyntheticModelWriter {
 public:
  // Checks shape and type and lays the file out. Errors: kUsage names the option of make-model to change, or
  // the tensor whose rows are no whole number of blocks.
  static Result<SyntheticModelWriter> create(const SyntheticModel& model);

  std::uint64_t file_bytes() const { return gguf_.file_bytes(); }
  std::size_t n_tensors() const { return tensors_.size(); }
  std::uint64_t n_parameters() const;

  // The same model gives the same bytes. Models that differ in nothing but the type encode the same floats,
  // if the types have encoders.
  Result<void> write(const file::ByteSink& sink);

 private:
  struct Tensor {
    spec::TensorSpec spec;
    WeightDraw draw;
    DType dtype;
  };
  SyntheticModelWriter() = default;
  Result<void> lay_out();
  Result<DType> type_of(const Tensor& tensor) const;
  Result<void> write_floats(const Tensor& tensor, const file::ByteSink& sink);
  Result<void> write_indices(const Tensor& tensor, const file::ByteSink& sink);
  Result<void> write_ranks(const Tensor& tensor, const file::ByteSink& sink);
  Result<void> write_matrix(const Tensor& tensor, BankCache& banks, const file::ByteSink& sink);

  SyntheticModel model_;
  std::vector<Tensor> tensors_;  // in the order of the file
  file::GgufWriter gguf_;
};

// Whether make-model can write this type: those of weights, all of them.
bool is_weight_type(DType dtype) noexcept;

}  // namespace cistern::engine
