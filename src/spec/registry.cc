#include "spec/registry.h"

#include <array>

namespace cistern::spec {
namespace {

constexpr std::array kArchitectures = {
    Architecture{"llama", build_llama},   Architecture{"mistral", build_llama},
    Architecture{"qwen2", build_qwen2},   Architecture{"qwen3", build_qwen3},
    Architecture{"gemma", build_gemma},   Architecture{"gemma2", build_gemma2},
    Architecture{"gemma3", build_gemma3}, Architecture{"phi3", build_phi3},
};

}  // namespace

std::span<const Architecture> architectures() noexcept {
  return kArchitectures;
}

}  // namespace cistern::spec
