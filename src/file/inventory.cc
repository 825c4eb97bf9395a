#include "file/inventory.h"

#include <algorithm>
#include <array>
#include <new>
#include <utility>

#include "file/gguf.h"
#include "file/split.h"

namespace cistern::file {
namespace {

Result<ModelFiles> model_of(sys::MappedFile file, GgufPart part) {
  ModelFiles model;
  CISTERN_TRY_VOID(append_tensors(model.inventory, part, 0));
  model.inventory.metadata = std::move(part.metadata);
  model.inventory.version = part.version;
  model.files.push_back(std::move(file));
  return model;
}

// The indexes grow with the file (bounded in gguf.cc); a machine without that memory is an error, not a
// crash.
template <class Open>
Result<ModelFiles> catching_bad_alloc(const std::string& name, Open open) {
  try {
    return open();
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::kMemory, "not enough memory to index the model's metadata", name);
  }
}

}  // namespace

bool Inventory::insert(TensorInfo info) {
  if (!by_name_.emplace(info.name, tensors_.size()).second) return false;
  tensors_.push_back(info);
  return true;
}

const TensorInfo* Inventory::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : &tensors_[found->second];
}

std::uint64_t Inventory::tensor_bytes() const {
  std::uint64_t sum = 0;
  for (const TensorInfo& info : tensors_) sum += info.size_bytes;
  return sum;
}

std::optional<DType> Inventory::main_type() const {
  std::array<std::uint64_t, kDTypeCount> bytes{};
  for (const TensorInfo& info : tensors_) bytes[static_cast<std::size_t>(info.dtype)] += info.size_bytes;
  const auto most = std::ranges::max_element(bytes);
  if (*most == 0) return std::nullopt;
  return static_cast<DType>(most - bytes.begin());
}

Result<void> ModelFiles::check_intact() const {
  for (const sys::MappedFile& file : files) CISTERN_TRY_VOID(file.check_intact());
  return {};
}

Result<ModelFiles> open_model(const std::string& path, Contents contents) {
  return catching_bad_alloc(path, [&]() -> Result<ModelFiles> {
    CISTERN_TRY(sys::MappedFile file, sys::MappedFile::open(path));
    CISTERN_TRY(GgufPart part, parse_gguf(file.bytes(), path, contents));
    CISTERN_TRY(const auto count, split_count(part.metadata));
    if (count > 1) return open_split(path, part.metadata, contents);
    return model_of(std::move(file), std::move(part));
  });
}

Result<ModelFiles> open_model(std::span<const std::byte> bytes, std::string name, Contents contents) {
  return catching_bad_alloc(name, [&]() -> Result<ModelFiles> {
    CISTERN_TRY(GgufPart part, parse_gguf(bytes, name, contents));
    CISTERN_TRY(const auto count, split_count(part.metadata));
    if (count > 1) {
      return fail(ErrorCode::kUnsupported, "one part of a split model: only files on disk can be split",
                  part.metadata.where("split.count"));
    }
    return model_of(sys::MappedFile::borrow(bytes, name), std::move(part));
  });
}

}  // namespace cistern::file
