// Ctrl-C while an answer is being generated: the first one cancels the answer, a second one ends the program.
// The handler is installed while the object lives. At most one object at a time.
#pragma once

#include <csignal>

#include "engine/engine.h"

namespace cistern::tools {

class CancelOnInterrupt {
 public:
  explicit CancelOnInterrupt(engine::Engine& engine);
  ~CancelOnInterrupt();
  CancelOnInterrupt(const CancelOnInterrupt&) = delete;
  CancelOnInterrupt& operator=(const CancelOnInterrupt&) = delete;

 private:
  struct sigaction before_{};
};

// While this object lives Ctrl-C only makes reads from the terminal return (EINTR).
class InterruptReads {
 public:
  InterruptReads();
  ~InterruptReads();
  InterruptReads(const InterruptReads&) = delete;
  InterruptReads& operator=(const InterruptReads&) = delete;

 private:
  struct sigaction before_{};
};

}  // namespace cistern::tools
