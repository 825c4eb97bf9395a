#include "support/gguf_writer.h"

#include <algorithm>
#include <utility>

namespace cistern::testing {

ByteWriter& ByteWriter::bytes(std::span<const std::byte> raw) {
  bytes_.insert(bytes_.end(), raw.begin(), raw.end());
  return *this;
}

ByteWriter& ByteWriter::text(std::string_view raw) {
  return bytes(std::as_bytes(std::span(raw)));
}

ByteWriter& ByteWriter::string(std::string_view value) {
  return number(std::uint64_t{value.size()}).text(value);
}

ByteWriter& ByteWriter::pad_to(std::size_t alignment) {
  while (bytes_.size() % alignment != 0) bytes_.push_back(std::byte{0});
  return *this;
}

GgufWriter& GgufWriter::add_raw(std::string_view key, std::uint32_t type, std::span<const std::byte> value) {
  metadata_.string(key).number(type).bytes(value);
  ++keys_;
  return *this;
}

GgufWriter& GgufWriter::add(std::string_view key, std::string_view value) {
  return add_raw(key, static_cast<std::uint32_t>(GgufType::kString), ByteWriter().string(value).get());
}

GgufWriter& GgufWriter::add(std::string_view key, bool value) {
  return scalar(key, GgufType::kBool, static_cast<std::uint8_t>(value));
}

GgufWriter& GgufWriter::add(std::string_view key, const std::vector<std::string>& values) {
  ByteWriter out;
  out.number(static_cast<std::uint32_t>(GgufType::kString)).number(std::uint64_t{values.size()});
  for (const std::string& value : values) out.string(value);
  return add_raw(key, static_cast<std::uint32_t>(GgufType::kArray), out.get());
}

GgufWriter& GgufWriter::add(std::string_view key, const std::vector<bool>& values) {
  return array(key, GgufType::kBool, std::vector<std::uint8_t>(values.begin(), values.end()));
}

GgufWriter& GgufWriter::tensor(std::string_view name, std::vector<std::uint64_t> dims,
                               const std::vector<float>& values) {
  ByteWriter data;
  for (const float value : values) data.number(value);
  return tensor(
      {.name = std::string(name), .dims = std::move(dims), .data = data.get(), .offset = {}, .n_dims = {}});
}

GgufWriter& GgufWriter::tensor(TensorRecord record) {
  tensors_.push_back(std::move(record));
  return *this;
}

GgufWriter& GgufWriter::magic(std::string_view four_bytes) {
  magic_ = four_bytes;
  return *this;
}

GgufWriter& GgufWriter::version(std::uint32_t version) {
  version_ = version;
  return *this;
}

GgufWriter& GgufWriter::n_tensors(std::uint64_t count) {
  stated_tensors_ = count;
  return *this;
}

GgufWriter& GgufWriter::n_keys(std::uint64_t count) {
  stated_keys_ = count;
  return *this;
}

GgufWriter& GgufWriter::alignment(std::size_t bytes) {
  alignment_ = bytes;
  return *this;
}

std::vector<std::byte> GgufWriter::build() const {
  ByteWriter out;
  out.text(magic_).number(version_);
  out.number(stated_tensors_.value_or(tensors_.size())).number(stated_keys_.value_or(keys_));
  out.bytes(metadata_.get());
  ByteWriter data;
  for (const TensorRecord& record : tensors_) {
    out.string(record.name);
    out.number(record.n_dims.value_or(static_cast<std::uint32_t>(record.dims.size())));
    for (const std::uint64_t dim : record.dims) out.number(dim);
    out.number(record.ggml_type).number(record.offset.value_or(data.get().size()));
    data.bytes(record.data).pad_to(alignment_);
  }
  if (!tensors_.empty()) out.pad_to(alignment_);
  return out.bytes(data.get()).get();
}

}  // namespace cistern::testing
