#include "file/gguf_tensors.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <optional>
#include <utility>

#include "quant/format.h"

namespace cistern::file {
namespace {

// GGUF says 64 bytes; some writers go to 128.
constexpr std::uint64_t kMaxTensorNameBytes = 255;

struct Record {
  TensorInfo info;
  std::uint64_t at = 0;  // where the record begins in the file

  Field field() const { return {"tensor", info.name}; }
};

std::optional<std::uint64_t> checked_multiply(std::uint64_t a, std::uint64_t b) {
  std::uint64_t product = 0;
  if (__builtin_mul_overflow(a, b, &product)) return std::nullopt;
  return product;
}

Result<void> read_name(GgufReader& in, Record& record) {
  const std::uint64_t at = in.position();
  CISTERN_TRY(record.info.name, in.string({"tensor name"}));
  if (record.info.name.empty()) return in.bad({"tensor name"}, at, "empty: every tensor needs a name");
  if (record.info.name.size() > kMaxTensorNameBytes) {
    return in.bad(record.field(), at, fmt::format("names are limited to {} bytes", kMaxTensorNameBytes));
  }
  return {};
}

Result<void> read_shape(GgufReader& in, Record& record) {
  const std::uint64_t at = in.position();
  CISTERN_TRY(const auto n_dims, in.scalar<std::uint32_t>(record.field()));
  if (n_dims < 1 || n_dims > Shape::kMaxDims) {
    return in.bad(record.field(), at,
                  fmt::format("{} dimensions, expected 1 to {}", n_dims, Shape::kMaxDims));
  }
  std::array<std::uint64_t, Shape::kMaxDims> dims{1, 1, 1, 1};
  for (std::uint32_t i = 0; i < n_dims; ++i) {
    CISTERN_TRY(dims[i], in.scalar<std::uint64_t>(record.field()));
  }
  if (!Shape::checked_elements(dims)) {
    return in.bad(record.field(), at,
                  fmt::format("dimensions [{}, {}, {}, {}]: one is zero or their product overflows", dims[0],
                              dims[1], dims[2], dims[3]));
  }
  record.info.n_dims = static_cast<int>(n_dims);
  record.info.shape = Shape(dims[0], dims[1], dims[2], dims[3]);
  return {};
}

Result<void> read_type(GgufReader& in, Record& record) {
  const std::uint64_t at = in.position();
  CISTERN_TRY(const auto number, in.scalar<std::uint32_t>(record.field()));
  const quant::Format* format = quant::find_by_ggml_type(number);
  if (format == nullptr) {
    const std::string_view withdrawn = quant::withdrawn_type_name(number);
    return fail(ErrorCode::kUnsupported,
                withdrawn.empty() ? fmt::format("unknown tensor type {}: a newer version may know it", number)
                                  : fmt::format("tensor type {}: {}", number, withdrawn),
                in.where(record.field(), at));
  }
  record.info.dtype = format->dtype;

  const auto row = quant::row_bytes(format->dtype, record.info.shape.cols());
  if (!row) return in.bad(record.field(), record.at, row.error().message);
  const auto total = checked_multiply(*row, record.info.shape.rows());
  if (!total) return in.bad(record.field(), record.at, "the size of the tensor overflows");
  record.info.size_bytes = *total;
  return {};
}

Result<Record> read_record(GgufReader& in, std::uint64_t alignment) {
  Record record;
  record.at = in.position();
  CISTERN_TRY_VOID(read_name(in, record));
  CISTERN_TRY_VOID(read_shape(in, record));
  CISTERN_TRY_VOID(read_type(in, record));
  const std::uint64_t at = in.position();
  CISTERN_TRY(record.info.offset, in.scalar<std::uint64_t>(record.field()));
  if (record.info.offset % alignment != 0) {
    return in.bad(record.field(), at,
                  fmt::format("offset {} is no multiple of the alignment {}", record.info.offset, alignment));
  }
  return record;
}

// From an offset in the data section to the bytes in the file.
Result<void> locate(const GgufReader& in, std::uint64_t data_begin, Contents contents, Record& record) {
  const std::uint64_t file_bytes = in.bytes().size();
  const std::uint64_t room = data_begin < file_bytes ? file_bytes - data_begin : 0;
  TensorInfo& info = record.info;
  if (contents == Contents::kHeader) {
    std::uint64_t end = 0;
    if (__builtin_add_overflow(info.offset, data_begin, &info.offset) ||
        __builtin_add_overflow(info.offset, info.size_bytes, &end)) {
      return in.bad(record.field(), record.at, "its end is beyond any file");
    }
    return {};
  }
  if (info.offset > room || info.size_bytes > room - info.offset) {
    return in.bad(
        record.field(), record.at,
        fmt::format("its {} bytes at data offset {} end past the {} bytes of tensor data in the file: "
                    "it is truncated or damaged",
                    info.size_bytes, info.offset, room));
  }
  info.offset += data_begin;
  info.bytes = in.bytes().subspan(info.offset, info.size_bytes);
  return {};
}

std::vector<std::size_t> indices(const std::vector<Record>& records) {
  std::vector<std::size_t> order(records.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  return order;
}

Result<void> check_unique_names(const GgufReader& in, const std::vector<Record>& records) {
  auto order = indices(records);
  std::ranges::sort(order, {}, [&](std::size_t i) { return std::pair(records[i].info.name, i); });
  for (std::size_t i = 1; i < order.size(); ++i) {
    const Record& record = records[order[i]];
    if (record.info.name == records[order[i - 1]].info.name) {
      return in.bad(record.field(), record.at, "a second tensor of this name");
    }
  }
  return {};
}

Result<void> check_disjoint(const GgufReader& in, const std::vector<Record>& records) {
  auto order = indices(records);
  std::ranges::sort(order, {}, [&](std::size_t i) { return std::pair(records[i].info.offset, i); });
  for (std::size_t i = 1; i < order.size(); ++i) {
    const Record& before = records[order[i - 1]];
    const Record& record = records[order[i]];
    if (before.info.offset + before.info.size_bytes > record.info.offset) {
      return in.bad(record.field(), record.at,
                    fmt::format("shares bytes with tensor '{}'", printable(before.info.name)));
    }
  }
  return {};
}

}  // namespace

Result<std::vector<TensorInfo>> read_tensors(GgufReader& in, std::uint64_t count, std::uint64_t alignment,
                                             Contents contents) {
  std::vector<Record> records;
  for (std::uint64_t i = 0; i < count; ++i) {
    CISTERN_TRY(Record record, read_record(in, alignment));
    records.push_back(std::move(record));
  }
  const std::uint64_t data_begin = (in.position() + alignment - 1) / alignment * alignment;
  for (Record& record : records) CISTERN_TRY_VOID(locate(in, data_begin, contents, record));
  CISTERN_TRY_VOID(check_unique_names(in, records));
  CISTERN_TRY_VOID(check_disjoint(in, records));

  std::vector<TensorInfo> tensors;
  tensors.reserve(records.size());
  for (const Record& record : records) tensors.push_back(record.info);
  return tensors;
}

}  // namespace cistern::file
