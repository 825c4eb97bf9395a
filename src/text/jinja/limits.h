// What a template may cost. Templates come out of model files and are untrusted: every bound below is checked
// before the work is done, and exceeding one is an ordinary template error. Set by the caller of
// Template::parse; plain data.
#pragma once

#include <cstddef>
#include <cstdint>

namespace cistern::text::jinja {

struct Limits {
  uint64_t max_steps = 20'000'000;  // evaluated nodes, visited elements, 32-byte pieces of processed text
  std::size_t max_output_bytes = 16u << 20;   // rendered text, counting the captured text of open blocks
  std::size_t max_memory_bytes = 16u << 20;   // values alive at one time, without the caller's context
  std::size_t max_source_bytes = 512u << 10;  // of the template itself
  int max_call_depth = 150;                   // macros and recursive loops inside each other
  int max_nesting = 200;                      // of the parser, of expressions and of lists in lists
};

}  // namespace cistern::text::jinja
