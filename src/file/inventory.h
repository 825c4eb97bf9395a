// What a model on disk consists of: its files, metadata and tensors (names, types, shapes, where the bytes
// lie). Says nothing about what a tensor means. open_model() maps a GGUF file (and the other parts of a split
// one) and validates everything against the bytes that are really there: afterwards every TensorInfo::bytes
// range is inside its file, aligned and disjoint from the others. Lifetime: all views die with the
// ModelFiles.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "file/metadata.h"
#include "sys/mapped_file.h"
#include "tensor/dtype.h"
#include "tensor/shape.h"

namespace cistern::file {

struct TensorInfo {
  std::string_view name;
  DType dtype = DType::kF32;
  Shape shape;
  int n_dims = 1;
  std::size_t file_index = 0;        // which part of a split model
  std::uint64_t offset = 0;          // absolute, in that file
  std::uint64_t size_bytes = 0;      // of the packed values
  std::span<const std::byte> bytes;  // the packed values; empty where only the header was wanted

  std::uint64_t row_bytes() const { return size_bytes / shape.rows(); }
};

class Inventory {
 public:
  Metadata metadata;
  std::uint32_t version = 0;  // of the GGUF container

  bool insert(TensorInfo info);  // false: the name is there already
  const TensorInfo* find(std::string_view name) const;
  std::span<const TensorInfo> tensors() const { return tensors_; }  // in file order
  std::uint64_t tensor_bytes() const;                               // sum over all tensors
  std::optional<DType> main_type() const;  // that most bytes have; none: there are no bytes

 private:
  std::vector<TensorInfo> tensors_;
  std::map<std::string_view, std::size_t> by_name_;  // ordered: no crafted set of names makes look-ups slow
};

struct ModelFiles {
  std::vector<sys::MappedFile> files;
  Inventory inventory;

  // The first damage found in any mapped file (truncated while running, disk error).
  Result<void> check_intact() const;
};

// What has to be there of a file. With kHeader the tensors may end past its end, as in the first megabytes of
// a download or in a model that is yet to be written: they have sizes, and no bytes.
enum class Contents { kWhole, kHeader };

// A path to a GGUF file; of a split model any part may be named, the others are found beside it.
Result<ModelFiles> open_model(const std::string& path, Contents contents = Contents::kWhole);
// The same over bytes in memory (the embedded model, tests, fuzzers): one unsplit GGUF. Does not own `bytes`;
// tensors are as aligned in memory as offset and `bytes` are. `name` stands for the path in messages.
Result<ModelFiles> open_model(std::span<const std::byte> bytes, std::string name,
                              Contents contents = Contents::kWhole);

}  // namespace cistern::file
