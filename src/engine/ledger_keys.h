// What tells machines and models apart in the ledger: hashes of what decides their speed. The same on every
// version and machine; what went in cannot be read out of them. Pure; thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "file/inventory.h"
#include "tensor/dtype.h"

namespace cistern::engine {

struct MachineTraits {
  std::string_view processor;      // its name, as sys::Topology has it
  int cores = 0;                   // that this process may use
  std::uint64_t memory_bytes = 0;  // RAM; counts in whole GiB, for a kernel's share of it changes
  std::string_view backend;        // what computes: the name of the instruction set
};
std::uint64_t machine_key(const MachineTraits& traits);

struct LedgerModel {
  // Of the architecture and of the types and shapes of all tensors: models that are equally fast share it. No
  // name, path or value of the file goes in.
  std::uint64_t key = 0;
  std::optional<std::uint16_t> architecture;  // its row in spec::architectures()
  std::optional<DType> type;                  // that most weight bytes have
  std::uint64_t bytes = 0;                    // of all tensors

  bool operator==(const LedgerModel&) const = default;
};
LedgerModel ledger_model(const file::Inventory& inventory);

// Where outcomes are comparable (plan::Outcome::place): a machine, and whether weights come from its disk.
std::uint64_t place_key(std::uint64_t machine, bool streaming);

}  // namespace cistern::engine
