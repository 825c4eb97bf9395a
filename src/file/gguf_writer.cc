#include "file/gguf_writer.h"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <cstring>
#include <limits>
#include <utility>

#include "base/check.h"
#include "quant/format.h"

namespace cistern::file {
namespace {

static_assert(std::endian::native == std::endian::little, "GGUF is written in the byte order of the file");

using Bytes = std::vector<std::byte>;

void put_bytes(Bytes& out, std::span<const std::byte> bytes) {
  const std::size_t at = out.size();
  out.resize(at + bytes.size());
  if (!bytes.empty()) std::memcpy(out.data() + at, bytes.data(), bytes.size());
}

template <class T>
void put(Bytes& out, T value) {
  put_bytes(out, std::as_bytes(std::span<const T, 1>(&value, 1)));
}

void put_string(Bytes& out, std::string_view value) {
  put(out, std::uint64_t{value.size()});
  put_bytes(out, std::as_bytes(std::span(value)));
}

std::uint64_t aligned(std::uint64_t bytes) {
  return (bytes + GgufWriter::kAlignment - 1) / GgufWriter::kAlignment * GgufWriter::kAlignment;
}

std::uint32_t n_dims(const Shape& shape) {
  std::uint32_t n = Shape::kMaxDims;
  while (n > 1 && shape.dim(static_cast<int>(n) - 1) == 1) --n;
  return n;
}

}  // namespace

void GgufWriter::add_key(std::string_view key, ValueType type) {
  put_string(metadata_, key);
  put(metadata_, std::to_underlying(type));
  ++n_keys_;
}

void GgufWriter::add(std::string_view key, std::string_view value) {
  add_key(key, ValueType::kString);
  put_string(metadata_, value);
}

void GgufWriter::add(std::string_view key, std::uint32_t value) {
  add_key(key, ValueType::kU32);
  put(metadata_, value);
}

void GgufWriter::add(std::string_view key, float value) {
  add_key(key, ValueType::kF32);
  put(metadata_, value);
}

void GgufWriter::add(std::string_view key, bool value) {
  add_key(key, ValueType::kBool);
  put(metadata_, static_cast<std::uint8_t>(value));
}

template <class T>
void GgufWriter::add_array(std::string_view key, ValueType element, std::span<const T> values) {
  add_key(key, ValueType::kArray);
  put(metadata_, std::to_underlying(element));
  put(metadata_, std::uint64_t{values.size()});
  put_bytes(metadata_, std::as_bytes(values));
}

void GgufWriter::add(std::string_view key, std::span<const std::int32_t> values) {
  add_array(key, ValueType::kI32, values);
}

void GgufWriter::add(std::string_view key, std::span<const float> values) {
  add_array(key, ValueType::kF32, values);
}

void GgufWriter::add(std::string_view key, std::span<const std::string> values) {
  add_key(key, ValueType::kArray);
  put(metadata_, std::to_underlying(ValueType::kString));
  put(metadata_, std::uint64_t{values.size()});
  for (const std::string& value : values) put_string(metadata_, value);
}

Result<void> GgufWriter::add_tensor(std::string name, const Shape& shape, DType dtype) {
  const std::string where = fmt::format("tensor '{}'", name);
  auto row_bytes = quant::row_bytes(dtype, shape.cols());
  if (!row_bytes) return fail(row_bytes.error().code, row_bytes.error().message, where);
  // Half of the range leaves room for offsets and padding.
  constexpr std::uint64_t kMaxBytes = std::numeric_limits<std::uint64_t>::max() / 2;
  if (shape.rows() > (kMaxBytes - data_bytes_) / *row_bytes) {
    return fail(ErrorCode::kFormat, "the file would be larger than 2^63 bytes", where);
  }
  const std::uint64_t bytes = *row_bytes * shape.rows();
  tensors_.push_back({.name = std::move(name),
                      .shape = shape,
                      .ggml_type = quant::format_of(dtype).ggml_type,
                      .offset = data_bytes_,
                      .bytes = bytes});
  data_bytes_ += aligned(bytes);
  return {};
}

std::vector<std::byte> GgufWriter::header() const {
  Bytes out;
  put_bytes(out, std::as_bytes(std::span(std::string_view("GGUF"))));
  put(out, std::uint32_t{3});
  put(out, std::uint64_t{tensors_.size()});
  put(out, n_keys_);
  put_bytes(out, metadata_);
  for (const Record& tensor : tensors_) {
    put_string(out, tensor.name);
    put(out, n_dims(tensor.shape));
    for (std::uint32_t i = 0; i < n_dims(tensor.shape); ++i) put(out, tensor.shape.dim(static_cast<int>(i)));
    put(out, tensor.ggml_type);
    put(out, tensor.offset);
  }
  out.resize(aligned(out.size()));
  return out;
}

std::uint64_t GgufWriter::file_bytes() const {
  return header().size() + data_bytes_;
}

Result<void> GgufWriter::write_header(const ByteSink& sink) const {
  return sink(header());
}

Result<void> GgufWriter::write(std::span<const std::byte> piece, const ByteSink& sink) {
  CISTERN_CHECK(current_ < tensors_.size());
  const Record& tensor = tensors_[current_];
  CISTERN_CHECK(piece.size() <= tensor.bytes - written_);
  CISTERN_TRY_VOID(sink(piece));
  written_ += piece.size();
  if (written_ < tensor.bytes) return {};
  ++current_;
  written_ = 0;
  static constexpr std::array<std::byte, kAlignment> kZeros{};
  const std::uint64_t padding = aligned(tensor.bytes) - tensor.bytes;
  if (padding == 0) return {};
  return sink(std::span(kZeros).first(padding));
}

}  // namespace cistern::file
