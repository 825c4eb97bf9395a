// Writes GGUF bytes for tests: good files in a line or two, and files that lie (wrong counts, raw values,
// records that do not fit their data). `GgufWriter().add("general.architecture", "llama").tensor("x", {2},
// {1, 2}).build()`. What is not overridden is consistent: counts, offsets, padding. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cistern::testing {

// Value and tensor type numbers of the format, for records that are written raw.
enum class GgufType : std::uint32_t {
  kU8,
  kI8,
  kU16,
  kI16,
  kU32,
  kI32,
  kF32,
  kBool,
  kString,
  kArray,
  kU64,
  kI64,
  kF64
};
inline constexpr std::uint32_t kGgmlF32 = 0;
inline constexpr std::uint32_t kGgmlF16 = 1;
inline constexpr std::uint32_t kGgmlQ4_0 = 2;
inline constexpr std::uint32_t kGgmlQ8_0 = 8;

// Little-endian bytes, appended one after the other.
class ByteWriter {
 public:
  template <class T>
  ByteWriter& number(T value) {
    const auto raw = std::as_bytes(std::span<const T, 1>(&value, 1));
    return bytes(raw);
  }
  ByteWriter& bytes(std::span<const std::byte> raw);
  ByteWriter& text(std::string_view raw);      // without a length
  ByteWriter& string(std::string_view value);  // 64-bit length, then the bytes
  ByteWriter& pad_to(std::size_t alignment);

  const std::vector<std::byte>& get() const { return bytes_; }

 private:
  std::vector<std::byte> bytes_;
};

struct TensorRecord {
  std::string name;
  std::vector<std::uint64_t> dims;
  std::uint32_t ggml_type = kGgmlF32;
  std::vector<std::byte> data;          // written as it is, whatever the dims say
  std::optional<std::uint64_t> offset;  // in the data section; default: behind the tensor before, aligned
  std::optional<std::uint32_t> n_dims;  // default: dims.size()
};

class GgufWriter {
 public:
  // Metadata. The C++ type decides the type in the file.
  GgufWriter& add(std::string_view key, std::string_view value);
  GgufWriter& add(std::string_view key, const char* value) { return add(key, std::string_view(value)); }
  GgufWriter& add(std::string_view key, bool value);
  GgufWriter& add(std::string_view key, std::uint8_t value) { return scalar(key, GgufType::kU8, value); }
  GgufWriter& add(std::string_view key, std::int8_t value) { return scalar(key, GgufType::kI8, value); }
  GgufWriter& add(std::string_view key, std::uint16_t value) { return scalar(key, GgufType::kU16, value); }
  GgufWriter& add(std::string_view key, std::int16_t value) { return scalar(key, GgufType::kI16, value); }
  GgufWriter& add(std::string_view key, std::uint32_t value) { return scalar(key, GgufType::kU32, value); }
  GgufWriter& add(std::string_view key, std::int32_t value) { return scalar(key, GgufType::kI32, value); }
  GgufWriter& add(std::string_view key, std::uint64_t value) { return scalar(key, GgufType::kU64, value); }
  GgufWriter& add(std::string_view key, std::int64_t value) { return scalar(key, GgufType::kI64, value); }
  GgufWriter& add(std::string_view key, float value) { return scalar(key, GgufType::kF32, value); }
  GgufWriter& add(std::string_view key, double value) { return scalar(key, GgufType::kF64, value); }
  GgufWriter& add(std::string_view key, const std::vector<std::string>& values);
  GgufWriter& add(std::string_view key, const std::vector<bool>& values);
  GgufWriter& add(std::string_view key, const std::vector<std::uint8_t>& v) {
    return array(key, GgufType::kU8, v);
  }
  GgufWriter& add(std::string_view key, const std::vector<std::uint32_t>& v) {
    return array(key, GgufType::kU32, v);
  }
  GgufWriter& add(std::string_view key, const std::vector<std::int32_t>& v) {
    return array(key, GgufType::kI32, v);
  }
  GgufWriter& add(std::string_view key, const std::vector<float>& v) { return array(key, GgufType::kF32, v); }
  // A key with a type number and the bytes behind it, unchecked.
  GgufWriter& add_raw(std::string_view key, std::uint32_t type, std::span<const std::byte> value);

  // Tensors. `values` become f32, as many as the dims say.
  GgufWriter& tensor(std::string_view name, std::vector<std::uint64_t> dims,
                     const std::vector<float>& values);
  GgufWriter& tensor(TensorRecord record);

  // Overrides of the header.
  GgufWriter& magic(std::string_view four_bytes);
  GgufWriter& version(std::uint32_t version);
  GgufWriter& n_tensors(std::uint64_t count);
  GgufWriter& n_keys(std::uint64_t count);
  // Of the data that build() lays out; adds no key.
  GgufWriter& alignment(std::size_t bytes);

  std::vector<std::byte> build() const;

 private:
  template <class T>
  GgufWriter& scalar(std::string_view key, GgufType type, T value) {
    return add_raw(key, static_cast<std::uint32_t>(type), ByteWriter().number(value).get());
  }
  template <class T>
  GgufWriter& array(std::string_view key, GgufType type, const std::vector<T>& values) {
    ByteWriter out;
    out.number(static_cast<std::uint32_t>(type)).number(std::uint64_t{values.size()});
    for (const T& value : values) out.number(value);
    return add_raw(key, static_cast<std::uint32_t>(GgufType::kArray), out.get());
  }

  std::string magic_ = "GGUF";
  std::uint32_t version_ = 3;
  std::size_t alignment_ = 32;
  std::optional<std::uint64_t> stated_tensors_;
  std::optional<std::uint64_t> stated_keys_;
  std::uint64_t keys_ = 0;
  ByteWriter metadata_;
  std::vector<TensorRecord> tensors_;
};

}  // namespace cistern::testing
