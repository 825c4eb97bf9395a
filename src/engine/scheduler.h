// Decides what runs in each step of a service and runs it: a token of every answer that is being decoded, and
// beside them chunks of prompts, so many tokens that answers go on meanwhile. Half of those go to the prompt
// that came first, half to the one with the least left, so neither long prompts nor short ones wait for the
// others. An answer that is decoded alone is guessed ahead by its own repetitions. When pages run out, those
// kept for later are given up, then the latest request is put off: it reads its tokens again when there is
// room. Used from the service's thread only. Internal to engine/.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "engine/prefix_cache.h"
#include "engine/runtime.h"
#include "engine/served_sequence.h"

namespace cistern::engine {

class Scheduler {
 public:
  // The runtime must be paged, and stay.
  static Result<std::unique_ptr<Scheduler>> create(Runtime& runtime);

  void add(std::unique_ptr<ServedSequence> sequence) { waiting_.push_back(std::move(sequence)); }
  void cancel(RequestId id);
  void cancel_all();

  bool idle() const { return running_.empty() && waiting_.empty(); }
  void step();

  // Frees pages for something else that runs between steps.
  bool make_room(std::uint32_t pages);

  // Adds what it knows: all but the queue before it.
  ServiceState state() const;
  std::uint32_t in_hand() const { return static_cast<std::uint32_t>(running_.size() + waiting_.size()); }

 private:
  using Sequence = ServedSequence;
  // A sequence's part of a step.
  struct Part {
    Sequence* sequence;
    std::uint32_t n_tokens;
    bool gives_token;  // it is all that was left
  };

  Scheduler(Runtime& runtime, PrefixCache prefixes);
  void expire();
  void admit();
  void begin(Sequence& sequence);
  bool waits_for_another(const Sequence& sequence) const;
  bool reserve(Sequence& sequence, std::uint32_t n_tokens);
  void put_off(Sequence& sequence);
  void add_decodes(std::vector<Part>& parts);
  void add_prompts(std::vector<Part>& parts);
  static void drop_put_off(std::vector<Part>& parts);
  void add_prompt(Sequence& sequence, std::uint32_t budget, std::vector<Part>& parts);
  void follow_long_rope(Sequence& sequence);
  Result<void> run(std::vector<Part>& parts);
  Sequence* lone_guesser() const;
  std::uint32_t most_guesses(const Sequence& sequence) const;
  Result<void> run_alone(Sequence& sequence);
  void remember(Sequence& sequence);
  bool give_token(Sequence& sequence);
  void end(Sequence& sequence, StopReason reason);
  void fail_with(Sequence& sequence, const Error& error);
  void release(Sequence& sequence);
  std::unique_ptr<Sequence> take(const Sequence& sequence);

  Runtime& runtime_;
  PrefixCache prefixes_;
  std::vector<kv::Cache*> free_caches_;
  std::deque<std::unique_ptr<Sequence>> waiting_;   // the next first
  std::vector<std::unique_ptr<Sequence>> running_;  // with a cache each, in the order of their ids mostly
  ServiceState counts_;
};

}  // namespace cistern::engine
