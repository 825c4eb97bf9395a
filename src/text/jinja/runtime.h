// The state of one render: its budgets (steps, memory, output, depth), the clock, and the factory of counted
// values. Every built-in receives it as the first argument and pays for its work through step(), work() and
// reserve() BEFORE doing it. Created by Template::render, one per render, used by one thread; values made by
// it die before it.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "text/jinja/limits.h"
#include "text/jinja/objects.h"
#include "text/jinja/value.h"

namespace cistern::text::jinja {

using LocalTime = std::chrono::local_time<std::chrono::microseconds>;

class Runtime {
 public:
  Runtime(const Limits& limits, LocalTime now) : limits_(limits), now_(now) {}
  Runtime(const Runtime&) = delete;
  ~Runtime();

  int line = 0;             // of the construct being evaluated, for error messages
  bool autoescape = false;  // inside {% autoescape true %}

  const Limits& limits() const { return limits_; }
  LocalTime now() const { return now_; }

  // One unit of work: a node evaluated, an element visited.
  void step(uint64_t count = 1) {
    steps_ += count;
    if (steps_ > limits_.max_steps) raise_out_of_steps();
  }
  // Work over this many bytes of text at the speed of copying; slower work pays for a multiple of its bytes.
  void work(std::size_t bytes) { step(bytes / 32); }
  // Raises when a value of this many bytes would break the memory limit.
  void reserve(std::size_t bytes) const {
    if (bytes > limits_.max_memory_bytes - std::min(limits_.max_memory_bytes, meter_.used_bytes))
      raise_out_of_memory();
  }
  // Size of `count` things of `bytes_each`; raises when it would break the memory limit.
  std::size_t reserve_many(uint64_t count, std::size_t bytes_each) const;

  // The bytes, counted for as long as the result lives.
  Charge charge(std::size_t bytes) {
    reserve(bytes);
    return Charge(&meter_, bytes);
  }

  Value string(std::string text, bool markup = false);
  Value list(std::vector<Value> items);
  Value tuple(std::vector<Value> items, bool is_group = false);
  // Raises for keys that Python cannot hash and for those that this interpreter does not support (NaN,
  // objects).
  Value dict(std::vector<Dict::Entry> entries);

  template <class T, class... Args>
  std::shared_ptr<T> object(Args&&... args) {
    reserve(sizeof(T) + kObjectOverhead);
    auto made = std::make_shared<T>(std::forward<Args>(args)...);
    check_depth(made->depth());
    made->set_charge(Charge(&meter_, sizeof(T) + kObjectOverhead));
    return made;
  }
  // A mutable object could hold itself: it is kept until the render ends and cleared then, so nothing leaks
  // and no chain of such objects is destroyed recursively.
  void keep(std::shared_ptr<Object> object) { kept_.push_back(std::move(object)); }

  // Counts text that is being captured or written; REQUIRES: release_output of the same bytes follows, or
  // none.
  void charge_output(std::size_t bytes) {
    output_bytes_ += bytes;
    if (output_bytes_ > limits_.max_output_bytes) raise_out_of_output();
  }
  void release_output(std::size_t bytes) { output_bytes_ -= bytes; }

  // Guards native recursion: evaluation, printing, comparing.
  class Depth {
   public:
    explicit Depth(Runtime& runtime) : runtime_(runtime) {
      if (++runtime_.depth_ > kMaxDepth) {
        --runtime_.depth_;
        raise_too_deep();
      }
    }
    Depth(const Depth&) = delete;
    ~Depth() { --runtime_.depth_; }

   private:
    Runtime& runtime_;
  };

 private:
  static constexpr std::size_t kObjectOverhead = 32;
  static constexpr int kMaxDepth = 1200;  // at up to 700 bytes of native stack each, less than 1 MB

  [[noreturn]] void raise_out_of_steps() const;
  [[noreturn]] void raise_out_of_memory() const;
  [[noreturn]] void raise_out_of_output() const;
  [[noreturn]] static void raise_too_deep();
  void check_depth(int depth) const;

  const Limits limits_;
  const LocalTime now_;
  uint64_t steps_ = 0;
  std::size_t output_bytes_ = 0;
  int depth_ = 0;
  MemoryMeter meter_;
  std::vector<std::shared_ptr<Object>> kept_;
};

}  // namespace cistern::text::jinja
