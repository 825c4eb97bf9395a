// The hostile set: GGUF files with one lie each, for tests that must not crash, hang or accept them. Stored
// as edits of one tiny good model (tests/data/hostile/cases.txt says how) and rebuilt in memory here.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace cistern::testing {

struct HostileCase {
  std::string name;    // "n_tensors-0"
  std::string expect;  // "ok", "error", "template-error" (loads, its template fails), "no-crash" (either)
  std::string about;   // what it lies about
  std::vector<std::byte> bytes;
};

// All cases, the good model "ok" first. Fails the test when the data is damaged.
std::vector<HostileCase> load_hostile_cases();

}  // namespace cistern::testing
