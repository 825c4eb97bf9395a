// What MODEL means to the plan command: a file, or only the beginning of one, since nothing but its header is
// read; a published config.json; or the name of a known model. Owner of everything its spec and inventory
// refer to.
#pragma once

#include <optional>
#include <string>

#include "base/error.h"
#include "file/inventory.h"
#include "spec/hub/paper_model.h"
#include "spec/model_spec.h"

namespace cistern::tools {

struct PlanModel {
  std::string name;
  std::string type;    // of most weights, or the quant that was asked for
  std::string source;  // where the figures are from; empty for a file
  std::string path;    // of the file; empty: there is none
  std::optional<spec::hub::PaperModel> paper;
  file::ModelFiles files;
  spec::ModelSpec spec;

  const file::Inventory& inventory() const { return files.inventory; }
  double parameters() const;
  double active_parameters() const;  // that a token is multiplied with
};

// Errors: those of opening a file, or kNotFound with the nearest names of known models.
Result<PlanModel> open_plan_model(const std::string& name);

}  // namespace cistern::tools
