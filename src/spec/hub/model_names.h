// Names of models as people write them, brought to one form: lower case, without separators, and step by step
// without what does not matter to the dimensions (makers, "instruct", dates, a size that is said twice).
// Internal to spec/hub/. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cistern::spec::hub {

// Lower case letters and digits only.
std::string name_key(std::string_view name);

// In lower case and without remarks in brackets.
std::string plain_name(std::string_view typed);

struct NameKey {
  std::string key;
  std::optional<double> dropped_size_b;  // "14b" was left out: the model must be of about that size
};

// The keys that a typed name may stand for, most exact first.
std::vector<NameKey> name_candidates(std::string_view typed);

}  // namespace cistern::spec::hub
