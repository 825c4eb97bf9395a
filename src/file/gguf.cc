#include "file/gguf.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "file/gguf_reader.h"
#include "file/gguf_tensors.h"

namespace cistern::file {
namespace {

// Far above any real file (about 100 keys, some thousand tensors); they bound the memory of the indexes.
constexpr std::uint64_t kMaxKeys = 1U << 16U;
constexpr std::uint64_t kMaxTensors = 1U << 18U;
constexpr std::uint64_t kMaxStrings = 1U << 22U;  // in an array; the largest vocabularies have some 10^5
constexpr std::uint64_t kMaxKeyBytes = 65535;     // the format's own limit

// Smallest metadata pair: key length, one byte of key, type, one byte of value.
constexpr std::uint64_t kMinPairBytes = 8 + 1 + 4 + 1;
constexpr std::uint64_t kMinStringBytes = 8;
constexpr std::uint64_t kHeaderBytes = 24;

constexpr std::string_view kAlignmentKey = "general.alignment";
constexpr std::uint64_t kDefaultAlignment = 32;
constexpr std::uint64_t kMinAlignment = 8;  // GGUF: a multiple of 8
constexpr std::uint64_t kMaxAlignment = 4096;

struct Header {
  std::uint32_t version = 0;
  std::uint64_t n_tensors = 0;
  std::uint64_t n_keys = 0;
};

Result<void> check_version(const GgufReader& in, std::uint32_t version) {
  if (version == 2 || version == 3) return {};
  const bool swapped = version != 0 && (version & 0xFFFFU) == 0;
  const std::string message =
      swapped
          ? std::string("big-endian GGUF is not supported: convert the file to little-endian")
          : fmt::format("GGUF version {} is not supported (2 and 3 are): convert the model again", version);
  return fail(ErrorCode::kUnsupported, message, in.where({"version"}, 4));
}

Result<std::uint64_t> read_count(GgufReader& in, const Field& field, std::uint64_t limit,
                                 std::uint64_t min_bytes) {
  const std::uint64_t at = in.position();
  CISTERN_TRY(const auto count, in.scalar<std::uint64_t>(field));
  if (count > in.remaining() / min_bytes) {
    return in.bad(field, at,
                  fmt::format("{} do not fit into the {} bytes that follow: the file is truncated or damaged",
                              count, in.remaining()));
  }
  if (count > limit) return in.bad(field, at, fmt::format("{}, at most {} are allowed", count, limit));
  return count;
}

Result<Header> read_header(GgufReader& in) {
  const auto bytes = in.bytes();
  if (bytes.size() < 4 || std::memcmp(bytes.data(), "GGUF", 4) != 0) {
    return in.bad({"magic"}, 0, fmt::format("not a GGUF file: it looks like {}", describe_content(bytes)));
  }
  if (bytes.size() < kHeaderBytes) {
    return in.bad({"header"}, 0,
                  fmt::format("the file ends after {} bytes, a GGUF header has {}: it is truncated",
                              bytes.size(), kHeaderBytes));
  }
  CISTERN_TRY_VOID(in.take(4, {"magic"}));
  Header header;
  CISTERN_TRY(header.version, in.scalar<std::uint32_t>({"version"}));
  CISTERN_TRY_VOID(check_version(in, header.version));
  CISTERN_TRY(header.n_tensors, read_count(in, {"tensor count"}, kMaxTensors, kMinTensorRecordBytes));
  CISTERN_TRY(header.n_keys, read_count(in, {"metadata count"}, kMaxKeys, kMinPairBytes));
  return header;
}

Result<ValueType> read_type(GgufReader& in, const Field& field) {
  const std::uint64_t at = in.position();
  CISTERN_TRY(const auto number, in.scalar<std::uint32_t>(field));
  if (number > static_cast<std::uint32_t>(ValueType::kF64)) {
    return in.bad(field, at, fmt::format("unknown value type {}", number));
  }
  return static_cast<ValueType>(number);
}

Result<void> check_bools(const GgufReader& in, const Field& field, const Value& value) {
  const auto odd = std::ranges::find_if(value.data, [](std::byte b) { return b > std::byte{1}; });
  if (odd == value.data.end()) return {};
  const auto index = static_cast<std::uint64_t>(odd - value.data.begin());
  return in.bad(field, value.offset + index,
                fmt::format("a bool is 0 or 1, found {}", static_cast<int>(*odd)));
}

// `value.count` values of `value.element`, which is no array.
Result<void> read_elements(GgufReader& in, const Field& field, Value& value) {
  value.offset = in.position();
  const bool are_strings = value.element == ValueType::kString;
  const std::uint64_t min_bytes = are_strings ? kMinStringBytes : scalar_bytes(value.element);
  if (value.type == ValueType::kArray && value.count > in.remaining() / min_bytes) {
    return in.bad(field, value.offset,
                  fmt::format("{} elements of type {} do not fit into the {} bytes that are left",
                              value.count, name_of(value.element), in.remaining()));
  }
  if (!are_strings) {
    CISTERN_TRY(value.data, in.take(value.count * min_bytes, field));
    return value.element == ValueType::kBool ? check_bools(in, field, value) : Result<void>{};
  }
  if (value.count > kMaxStrings) {
    return in.bad(field, value.offset,
                  fmt::format("{} strings, at most {} are allowed", value.count, kMaxStrings));
  }
  // A lying count must not reserve memory: beyond this the vector grows with the strings that are really
  // there.
  value.strings.reserve(std::min<std::uint64_t>(value.count, 4096));
  for (std::uint64_t i = 0; i < value.count; ++i) {
    CISTERN_TRY(const auto text, in.string(field));
    value.strings.push_back(text);
  }
  return {};
}

Result<Value> read_value(GgufReader& in, const Field& field) {
  Value value;
  CISTERN_TRY(value.type, read_type(in, field));
  value.element = value.type;
  if (value.type == ValueType::kArray) {
    const std::uint64_t at = in.position();
    CISTERN_TRY(value.element, read_type(in, field));
    if (value.element == ValueType::kArray) {
      return fail(ErrorCode::kUnsupported, "arrays of arrays are not supported", in.where(field, at));
    }
    CISTERN_TRY(value.count, in.scalar<std::uint64_t>(field));
  }
  CISTERN_TRY_VOID(read_elements(in, field, value));
  return value;
}

Result<void> read_pair(GgufReader& in, Metadata& metadata) {
  const std::uint64_t at = in.position();
  CISTERN_TRY(const auto key, in.string({"metadata key"}));
  const Field field{"key", key};
  if (key.empty()) return in.bad({"metadata key"}, at, "empty: every key needs a name");
  if (key.size() > kMaxKeyBytes) {
    return in.bad(field, at, fmt::format("keys are limited to {} bytes", kMaxKeyBytes));
  }
  CISTERN_TRY(Value value, read_value(in, field));
  if (!metadata.insert(key, std::move(value))) return in.bad(field, at, "the key is there a second time");
  return {};
}

Result<std::uint64_t> read_alignment(const Metadata& metadata) {
  const Value* value = metadata.find(kAlignmentKey);
  if (value == nullptr) return kDefaultAlignment;
  if (value->type != ValueType::kU32) {
    return fail(ErrorCode::kFormat, fmt::format("expected u32, found {}", name_of(value->type)),
                metadata.where(kAlignmentKey));
  }
  CISTERN_TRY(const auto alignment, metadata.uint(kAlignmentKey));
  if (!std::has_single_bit(alignment) || alignment < kMinAlignment || alignment > kMaxAlignment) {
    return fail(ErrorCode::kFormat,
                fmt::format("{} is no power of two from {} to {}", alignment, kMinAlignment, kMaxAlignment),
                metadata.where(kAlignmentKey));
  }
  return alignment;
}

}  // namespace

Result<GgufPart> parse_gguf(std::span<const std::byte> bytes, const std::string& name, Contents contents) {
  GgufReader in(bytes, name);
  CISTERN_TRY(const Header header, read_header(in));
  GgufPart part{.version = header.version, .metadata = Metadata(name), .tensors = {}};
  for (std::uint64_t i = 0; i < header.n_keys; ++i) CISTERN_TRY_VOID(read_pair(in, part.metadata));
  CISTERN_TRY(const auto alignment, read_alignment(part.metadata));
  CISTERN_TRY(part.tensors, read_tensors(in, header.n_tensors, alignment, contents));
  return part;
}

}  // namespace cistern::file
