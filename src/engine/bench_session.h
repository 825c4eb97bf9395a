// A loaded model for measuring: prefill and decoding at any depth, of one or several sequences, repeated from
// the same state. Called by the bench command. Times are wall-clock; nothing is printed. Not thread-safe.
#pragma once

#include <functional>
#include <memory>

#include "engine/engine.h"
#include "plan/step_work.h"

namespace cistern::engine {

struct BenchOptions {
  LoadOptions load;        // context_tokens: the deepest measurement; sequences: the largest batch
  std::uint64_t seed = 1;  // of the token ids
  std::function<void(std::uint32_t done, std::uint32_t of)>
      progress;  // tokens read while filling; may be empty
};

class BenchSession {
 public:
  // The errors of Engine::load.
  static Result<std::unique_ptr<BenchSession>> load(OpenModel model, BenchOptions options);
  ~BenchSession();

  const OpenModel& model() const;
  const plan::MemoryPlan& plan() const;
  sys::Isa isa() const;
  int threads() const;
  double load_s() const;

  // Brings the first `sequences` sequences to `depth` tokens each; what they hold already is kept.
  Result<void> fill(std::uint32_t depth, std::uint32_t sequences);
  // Seconds to read `tokens` more tokens with one sequence and compute the last one's logits. The state is as
  // before when it returns.
  Result<double> prefill(std::uint32_t tokens);
  // Seconds per step, over `steps` steps of the filled sequences together, the likeliest token chosen each
  // time.
  Result<double> decode(std::uint32_t steps);

  // Since it was loaded.
  DiskUse disk_use() const;

  // What the next such step has to do.
  plan::StepWork work(std::uint32_t tokens) const;

 private:
  struct Impl;
  explicit BenchSession(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace cistern::engine
