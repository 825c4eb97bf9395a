#include "file/split.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "file/printable.h"

namespace cistern::file {
namespace {

constexpr std::string_view kNoKey = "split.no";
constexpr std::string_view kCountKey = "split.count";
constexpr std::string_view kTensorsKey = "split.tensors.count";

// Exactly five digits, as the tools write them.
std::optional<std::uint64_t> parse_number(std::string_view digits) {
  if (!std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; })) return std::nullopt;
  std::uint64_t number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return number;
}

Result<void> check_part(const GgufPart& part, std::uint64_t index, std::uint64_t count) {
  const Metadata& metadata = part.metadata;
  CISTERN_TRY(const auto stated_count, metadata.uint(kCountKey));
  if (stated_count != count) {
    return fail(ErrorCode::kFormat, fmt::format("says {} parts, the other parts say {}", stated_count, count),
                metadata.where(kCountKey));
  }
  CISTERN_TRY(const auto stated_index, metadata.uint(kNoKey));
  if (stated_index != index) {
    return fail(ErrorCode::kFormat,
                fmt::format("is part {} by this key and part {} by its name", stated_index + 1, index + 1),
                metadata.where(kNoKey));
  }
  return {};
}

Result<void> check_tensor_count(const Inventory& inventory) {
  CISTERN_TRY(const auto stated, inventory.metadata.find_uint(kTensorsKey));
  const std::size_t found = inventory.tensors().size();
  if (!stated || *stated == found) return {};
  return fail(ErrorCode::kFormat, fmt::format("says {} tensors, the parts hold {}", *stated, found),
              inventory.metadata.where(kTensorsKey));
}

}  // namespace

std::optional<SplitName> parse_split_name(std::string_view path) {
  constexpr std::string_view kShape = "-iiiii-of-nnnnn.gguf";
  if (path.size() <= kShape.size()) return std::nullopt;
  const std::string_view tail = path.substr(path.size() - kShape.size());
  if (tail[0] != '-' || tail.substr(6, 4) != "-of-" || tail.substr(15) != ".gguf") return std::nullopt;
  const auto number = parse_number(tail.substr(1, 5));
  const auto count = parse_number(tail.substr(10, 5));
  if (!number || !count || *number < 1 || *number > *count) return std::nullopt;
  return SplitName{std::string(path.substr(0, path.size() - kShape.size())), *number - 1, *count};
}

std::string split_path(const std::string& prefix, std::uint64_t index, std::uint64_t count) {
  return fmt::format("{}-{:05}-of-{:05}.gguf", prefix, index + 1, count);
}

Result<std::uint64_t> split_count(const Metadata& metadata) {
  CISTERN_TRY(const auto count, metadata.find_uint(kCountKey));
  return std::max<std::uint64_t>(count.value_or(1), 1);
}

Result<void> append_tensors(Inventory& inventory, GgufPart& part, std::size_t file_index) {
  for (TensorInfo& info : part.tensors) {
    info.file_index = file_index;
    if (!inventory.insert(info)) {
      return fail(ErrorCode::kFormat, "another part of the split model has a tensor of this name",
                  fmt::format("{}: tensor '{}' at byte {}", part.metadata.where(), printable(info.name),
                              info.offset));
    }
  }
  return {};
}

Result<ModelFiles> open_split(const std::string& path, const Metadata& metadata, Contents contents) {
  CISTERN_TRY(const auto count, split_count(metadata));
  const auto name = parse_split_name(path);
  if (!name || name->count != count) {
    return fail(ErrorCode::kFormat,
                fmt::format("says that this is one of {} parts, but the file is not named like one "
                            "(NAME-00001-of-{:05}.gguf): keep the parts' original names",
                            count, count),
                metadata.where(kCountKey));
  }
  // A part that does not exist ends the loop, so the count is bounded by files that are really there.
  ModelFiles model;
  for (std::uint64_t i = 0; i < count; ++i) {
    CISTERN_TRY(sys::MappedFile file, sys::MappedFile::open(split_path(name->prefix, i, count)));
    CISTERN_TRY(GgufPart part, parse_gguf(file.bytes(), file.path(), contents));
    CISTERN_TRY_VOID(check_part(part, i, count));
    CISTERN_TRY_VOID(append_tensors(model.inventory, part, static_cast<std::size_t>(i)));
    if (i == 0) {
      model.inventory.metadata = std::move(part.metadata);
      model.inventory.version = part.version;
    }
    model.files.push_back(std::move(file));
  }
  CISTERN_TRY_VOID(check_tensor_count(model.inventory));
  return model;
}

}  // namespace cistern::file
