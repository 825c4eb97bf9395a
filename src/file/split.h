// Split models: NAME-00001-of-00003.gguf and its siblings, each a GGUF file of its own with the keys
// split.no, split.count and split.tensors.count. Finds the parts, checks that they belong together and joins
// them into one model: metadata of the first part, tensors of all. Called by open_model(); reads files, keeps
// no state.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "file/gguf.h"
#include "file/inventory.h"

namespace cistern::file {

struct SplitName {
  std::string prefix;       // path up to "-00001-of-00003.gguf"
  std::uint64_t index = 0;  // from 0
  std::uint64_t count = 0;
};

// Nothing when `path` is not of the form PREFIX-iiiii-of-nnnnn.gguf.
std::optional<SplitName> parse_split_name(std::string_view path);
std::string split_path(const std::string& prefix, std::uint64_t index, std::uint64_t count);

// How many parts the model has that this part belongs to: split.count; 1 when it is absent or 0.
Result<std::uint64_t> split_count(const Metadata& metadata);

// Opens every part of the split model that the file at `path`, with this metadata, is one of. REQUIRES:
// split_count(metadata) > 1.
Result<ModelFiles> open_split(const std::string& path, const Metadata& metadata, Contents contents);

// Adds the tensors of part `file_index` to the inventory. Error: a name that is there already.
Result<void> append_tensors(Inventory& inventory, GgufPart& part, std::size_t file_index);

}  // namespace cistern::file
