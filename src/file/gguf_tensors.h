// The second half of a GGUF file: tensor records and the data section. Called by gguf.cc with the reader
// behind the metadata. Internal to file/.
#pragma once

#include <cstdint>
#include <vector>

#include "base/error.h"
#include "file/gguf_reader.h"
#include "file/inventory.h"

namespace cistern::file {

// The smallest possible record: name length, one byte of name, one dimension, type, offset.
inline constexpr std::uint64_t kMinTensorRecordBytes = 8 + 1 + 4 + 8 + 4 + 8;

// Reads `count` records and finds their bytes. REQUIRES: alignment is a power of two.
Result<std::vector<TensorInfo>> read_tensors(GgufReader& in, std::uint64_t count, std::uint64_t alignment,
                                             Contents contents);

}  // namespace cistern::file
