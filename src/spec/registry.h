// The architectures Cistern knows: name in general.architecture -> builder. Adding one is a row in
// registry.cc and a file beside it. Used by read_model_spec() only.
#pragma once

#include <span>
#include <string_view>

#include "base/error.h"
#include "spec/builder.h"

namespace cistern::spec {

struct Architecture {
  std::string_view name;
  // Fills what is particular; `builder.model` starts with what every decoder has (builder.h).
  Result<void> (*build)(Builder& builder);
};

std::span<const Architecture> architectures() noexcept;

// One per file.
Result<void> build_llama(Builder& builder);
Result<void> build_qwen2(Builder& builder);
Result<void> build_qwen3(Builder& builder);
Result<void> build_gemma(Builder& builder);
Result<void> build_gemma2(Builder& builder);
Result<void> build_gemma3(Builder& builder);
Result<void> build_phi3(Builder& builder);

}  // namespace cistern::spec
