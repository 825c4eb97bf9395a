// Latent attention in metadata and tensors, for the architectures that have it on some layers or all. Used by
// the architecture files only.
#pragma once

#include "base/error.h"
#include "spec/builder.h"

namespace cistern::spec {

// From attention.kv_lora_rank and its kin; no rope yet, no indexer, every layer the same.
Result<MlaSpec> read_mla(const Builder& builder);

// The tensors of every layer that has latent attention, its norm included.
void add_mla(Builder& builder);

}  // namespace cistern::spec
