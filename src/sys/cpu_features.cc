#include "sys/cpu_features.h"

#include <fmt/format.h>

#include <string>

namespace cistern::sys {
namespace {

constexpr std::array<std::string_view, kAllIsas.size()> kNames = {
    "scalar", "avx2", "avx2-vnni", "avx512", "avx512-bf16", "neon", "neon-dotprod", "neon-i8mm"};

static_assert(kNames.back() == "neon-i8mm");

std::string host_names() {
  std::string names;
  for (const Isa isa : kAllIsas) {
    if (!host_has(isa)) continue;
    if (!names.empty()) names += ", ";
    names += name_of(isa);
  }
  return names;
}

}  // namespace

std::string_view name_of(Isa isa) noexcept {
  return kNames[static_cast<std::size_t>(isa)];
}

Result<Isa> parse_isa(std::string_view name) {
  for (const Isa isa : kAllIsas) {
    if (name_of(isa) == name) return isa;
  }
  return fail(ErrorCode::kUsage,
              fmt::format("no instruction set has this name; this machine has {}", host_names()),
              std::string(name.substr(0, 32)));
}

Isa best_isa() noexcept {
  Isa best = Isa::kScalar;
  for (const Isa isa : kAllIsas) {
    if (host_has(isa)) best = isa;
  }
  return best;
}

Result<Isa> choose_isa(std::optional<Isa> forced) {
  if (!forced) return best_isa();
  if (host_has(*forced)) return *forced;
  return fail(ErrorCode::kUnsupported, fmt::format("this machine lacks the instruction set {}; it has {}",
                                                   name_of(*forced), host_names()));
}

}  // namespace cistern::sys
