// Writes GGUF version 3 as a stream: metadata and tensor records first, then the data of the tensors in the
// order of their records, nothing held in memory but the header. Called by what makes model files; checks
// nothing about what the tensors mean. Order of calls: add(), add_tensor(), write_header(), write(). Bytes go
// to a sink, so the writer knows no files. Not thread-safe. Format: ggml's docs/gguf.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "file/metadata.h"
#include "tensor/dtype.h"
#include "tensor/shape.h"

namespace cistern::file {

// Takes the next bytes of a file; an error ends the writing.
using ByteSink = std::function<Result<void>(std::span<const std::byte>)>;

class GgufWriter {
 public:
  static constexpr std::uint64_t kAlignment = 32;

  // Metadata: the C++ type decides the type in the file. Keys are not checked for repetition.
  void add(std::string_view key, std::string_view value);
  void add(std::string_view key, const char* value) { add(key, std::string_view(value)); }
  void add(std::string_view key, std::uint32_t value);
  void add(std::string_view key, float value);
  void add(std::string_view key, bool value);
  void add(std::string_view key, std::span<const std::string> values);
  void add(std::string_view key, std::span<const std::int32_t> values);
  void add(std::string_view key, std::span<const float> values);

  // The next tensor. Trailing dimensions of 1 are not stored. Error: a row is no whole number of blocks, or
  // sizes overflow.
  Result<void> add_tensor(std::string name, const Shape& shape, DType dtype);

  std::size_t n_tensors() const { return tensors_.size(); }
  std::uint64_t file_bytes() const;  // of the whole file

  // Header, metadata and tensor records, padded to where the data begins.
  std::vector<std::byte> header() const;

  Result<void> write_header(const ByteSink& sink) const;
  // The data of the next tensor, in any pieces; padding follows its last byte. REQUIRES: not more than it
  // has.
  Result<void> write(std::span<const std::byte> piece, const ByteSink& sink);
  // Whether every tensor has all its bytes.
  bool complete() const { return current_ == tensors_.size(); }

 private:
  struct Record {
    std::string name;
    Shape shape;
    std::uint32_t ggml_type;
    std::uint64_t offset;  // in the data section
    std::uint64_t bytes;
  };

  void add_key(std::string_view key, ValueType type);
  template <class T>
  void add_array(std::string_view key, ValueType element, std::span<const T> values);

  std::vector<std::byte> metadata_;
  std::uint64_t n_keys_ = 0;
  std::vector<Record> tensors_;
  std::uint64_t data_bytes_ = 0;  // of all tensors, padded

  std::size_t current_ = 0;    // the tensor being written
  std::uint64_t written_ = 0;  // bytes of it
};

}  // namespace cistern::file
