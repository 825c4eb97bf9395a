// What an answer took: times, tokens, memory, disk. Part of the door that engine.h is. Plain values.
#pragma once

#include <cstdint>

namespace cistern::engine {

// What streaming took while something was computed.
struct DiskUse {
  std::uint64_t bytes_read = 0;
  double waited_s = 0;            // while there was nothing to compute with
  std::uint64_t expert_hits = 0;  // experts' matrices that were in memory
  std::uint64_t expert_misses = 0;

  double hit_rate() const;  // 0 when no expert was asked for
};

struct Stats {
  double load_s = 0;
  std::uint32_t prompt_tokens = 0;
  std::uint32_t reused_tokens = 0;  // of the prompt, found in the KV cache
  double prefill_s = 0;
  std::uint32_t generated_tokens = 0;
  std::uint32_t decode_steps = 0;     // passes after the prompt's
  std::uint32_t decoded_tokens = 0;   // that they gave; the end token counts
  double decode_s = 0;                // what they took
  std::uint32_t drafted_tokens = 0;   // guesses that were checked
  std::uint32_t accepted_tokens = 0;  // of them, those that were right
  bool streaming = false;             // then:
  DiskUse prefill_disk, decode_disk;
  std::uint64_t peak_rss_bytes = 0;
  std::uint64_t planned_bytes = 0;

  double prefill_tok_s() const;  // 0 when nothing was measured
  double decode_tok_s() const;
};

}  // namespace cistern::engine
