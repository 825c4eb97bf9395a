#include "engine/ledger_keys.h"

#include <algorithm>
#include <array>

#include "base/rng.h"
#include "spec/registry.h"

namespace cistern::engine {
namespace {

// Depends on all that was added, and on the order. Not for secrets, nor against collisions made on purpose: a
// model that shares another's key spoils a forecast at most.
class Hash {
 public:
  // Every kind of key has a beginning of its own.
  explicit Hash(std::uint64_t kind) { add(kind); }

  void add(std::uint64_t value) {
    state_ ^= value;
    state_ = splitmix64(state_);
  }
  void add(std::string_view text) {
    add(text.size());
    for (const char c : text) add(static_cast<unsigned char>(c));
  }
  std::uint64_t value() const { return state_; }

 private:
  std::uint64_t state_ = 0;
};

constexpr std::uint64_t kMachineKind = 1;
constexpr std::uint64_t kModelKind = 2;
constexpr std::uint64_t kPlaceKind = 3;
constexpr std::uint64_t kGiB = 1ULL << 30U;

std::optional<std::uint16_t> row_of(std::string_view architecture) {
  const auto rows = spec::architectures();
  const auto row = std::ranges::find(rows, architecture, &spec::Architecture::name);
  if (row == rows.end()) return std::nullopt;
  return static_cast<std::uint16_t>(row - rows.begin());
}

}  // namespace

std::uint64_t machine_key(const MachineTraits& traits) {
  Hash hash(kMachineKind);
  hash.add(traits.processor);
  hash.add(static_cast<std::uint64_t>(traits.cores));
  hash.add((traits.memory_bytes + kGiB / 2) / kGiB);
  hash.add(traits.backend);
  return hash.value();
}

LedgerModel ledger_model(const file::Inventory& inventory) {
  const auto architecture = inventory.metadata.string("general.architecture");
  Hash hash(kModelKind);
  hash.add(architecture ? *architecture : std::string_view());
  for (const file::TensorInfo& tensor : inventory.tensors()) {
    hash.add(static_cast<std::uint64_t>(tensor.dtype));
    for (int i = 0; i < Shape::kMaxDims; ++i) hash.add(tensor.shape.dim(i));
  }
  LedgerModel model{.key = hash.value(), .type = inventory.main_type(), .bytes = inventory.tensor_bytes()};
  if (architecture) model.architecture = row_of(*architecture);
  return model;
}

std::uint64_t place_key(std::uint64_t machine, bool streaming) {
  Hash hash(kPlaceKind);
  hash.add(machine);
  hash.add(streaming ? 1U : 0U);
  return hash.value();
}

}  // namespace cistern::engine
