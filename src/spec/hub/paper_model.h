// A model on paper: what a GGUF file of it would hold, without the file. Made from a published configuration
// or a known name, and the name of a quant; its inventory has tensors with names, types, shapes and sizes,
// but no data, so that the ordinary planner takes it. Does no I/O. Called by the plan command. Not copyable:
// the inventory is views into what the object owns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "file/inventory.h"
#include "spec/hub/quant_mix.h"
#include "spec/model_spec.h"

namespace cistern::spec::hub {

struct PaperModel {
  std::string name;
  std::string quant;              // in one spelling
  std::string source;             // of the figures: where the line of the table has them from; may be empty
  bool is_average = false;        // sizes by bits per weight, types only near
  std::vector<std::byte> header;  // of a GGUF file without tensors: what `inventory.metadata` refers to
  std::deque<std::string> names;  // of tensors
  file::Inventory inventory;      // no TensorInfo has bytes
  ModelSpec spec;

  PaperModel() = default;
  PaperModel(PaperModel&&) = default;
  PaperModel& operator=(PaperModel&&) = default;
  PaperModel(const PaperModel&) = delete;
  PaperModel& operator=(const PaperModel&) = delete;
  ~PaperModel() = default;

  std::uint64_t n_parameters() const;  // of all tensors
};

// From the text of a config.json. Without a quant: what the configuration says, else BF16. `where` stands for
// the text in messages. Errors: those of read_hub_config() and find_quant(), and of the architecture's
// reader.
Result<PaperModel> paper_model_of_config(std::string_view text, const std::string& where,
                                         std::string_view quant = {});

// From a name of known_models. Errors: kNotFound, and those of find_quant().
Result<PaperModel> paper_model_of_name(std::string_view name, std::string_view quant = {});

// "NAME:QUANT" or "NAME".
struct NameAndQuant {
  std::string_view name;
  std::string_view quant;  // empty where there is none
};
NameAndQuant split_quant(std::string_view text);

}  // namespace cistern::spec::hub
