// Ctrl-C while an answer is being generated: the first one cancels the answer, a second one ends the program.
// The handler is installed while the object lives. At most one object at a time.
#pragma once

#include <array>
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

// While this object lives Ctrl-C, a closed terminal and a request to end the program are remembered, so that
// work in pieces can stop between two of them and clean up. A second signal ends the program.
class InterruptFlag {
 public:
  InterruptFlag();
  ~InterruptFlag();
  InterruptFlag(const InterruptFlag&) = delete;
  InterruptFlag& operator=(const InterruptFlag&) = delete;

  bool raised() const;

 private:
  std::array<struct sigaction, 3> before_{};
};

// For a command that runs until it is told to end. While this object lives, Ctrl-C, a closed terminal and a
// request to end the program only wake up wait(). REQUIRES: made before any thread is, for threads inherit
// what it blocks.
class EndSignal {
 public:
  EndSignal();
  ~EndSignal();
  EndSignal(const EndSignal&) = delete;
  EndSignal& operator=(const EndSignal&) = delete;

  // Returns when one of them comes. After that the next one ends the program at once.
  void wait();

 private:
  sigset_t before_{};
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
