// Models that have a name here, with what their published configurations say that sizes follow from: the
// table known_models.jsonl, which is part of the program. A line's `source` says where its figures were read,
// and what is only recalled. Called by paper_model and by commands that list names. Pure; thread-safe; all
// that it hands out lives as long as the program.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace cistern::spec::hub {

struct KnownModel {
  std::string name;
  std::vector<std::string> aliases;
  double params_b = 0;  // billions of parameters, as published
  std::string source;
  std::string config;                          // JSON, for read_hub_config()
  std::map<std::string, double> published_gb;  // sizes of published files by mix, in 10^9 bytes
};

std::span<const KnownModel> known_models();

// The model that somebody means: case, separators, makers, dates and words such as "instruct" do not matter.
// kNotFound: none, with the nearest names.
Result<const KnownModel*> find_known_model(std::string_view typed);

}  // namespace cistern::spec::hub
