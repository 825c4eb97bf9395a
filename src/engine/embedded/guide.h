// The default model that is linked into the program: the bytes of models/guide/cistern-guide-q8_0.gguf, whole
// and unchanged, so that the binary alone can answer. The loader opens them as it opens any GGUF in memory;
// nothing here knows what is in them. Read-only, page-aligned, valid for the life of the program, safe from
// any thread.
#pragma once

#include <cstddef>
#include <span>

namespace cistern::engine {

std::span<const std::byte> guide_model() noexcept;

}  // namespace cistern::engine
