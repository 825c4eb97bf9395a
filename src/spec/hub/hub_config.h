// A published configuration (config.json, as Hugging Face's repositories have it) as the metadata that a
// converter would write of it, for models that are planned before they are there. Good enough for sizes and
// kinds of layers: what changes neither, such as a scale, may be left out. The text is untrusted. Called by
// paper_model. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "spec/hub/quant_mix.h"
#include "spec/model_spec.h"

namespace cistern::spec::hub {

struct HubModel {
  std::string arch;                     // general.architecture
  std::vector<std::byte> header;        // of a GGUF file without tensors and without tokens
  std::vector<Role> also;               // of the architecture's optional tensors, those that it has
  bool keys_are_values = false;         // layers without a window have no tensor of values
  bool own_further_embeddings = false;  // the layer that predicts further tokens has embedding and head
  std::optional<QuantMix> quant;        // what the configuration says of the weights' type
};

// `where` stands for the text in messages. kFormat: no configuration, or a field that is missing or absurd;
// kUnsupported: a model_type that is not known, with those that are.
Result<HubModel> read_hub_config(std::string_view text, const std::string& where);

}  // namespace cistern::spec::hub
