// The GGUF container: bytes of one file -> metadata and tensor records, nothing copied. Versions 2 and 3,
// little endian; docs/file-formats.md states what is accepted. Everything is validated against the bytes that
// are there: counts and lengths before they are used, tensor ranges inside the file, aligned, disjoint.
// Called by inventory.cc and split.cc. Pure; views die with `bytes`. Format: ggml's docs/gguf.md.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "file/inventory.h"
#include "file/metadata.h"

namespace cistern::file {

// One GGUF file, parsed.
struct GgufPart {
  std::uint32_t version = 0;
  Metadata metadata;
  std::vector<TensorInfo> tensors;  // in the order of their records; names unique; file_index 0
};

// `name` stands for the file in messages.
Result<GgufPart> parse_gguf(std::span<const std::byte> bytes, const std::string& name,
                            Contents contents = Contents::kWhole);

// What bytes that are not GGUF look like ("a ZIP archive", "a text file"), for the message.
std::string describe_content(std::span<const std::byte> bytes);

}  // namespace cistern::file
