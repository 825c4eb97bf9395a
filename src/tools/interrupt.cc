#include "tools/interrupt.h"

#include <atomic>

namespace cistern::tools {
namespace {

// A signal handler can only reach globals.
std::atomic<engine::Engine*> running_engine = nullptr;
static_assert(std::atomic<engine::Engine*>::is_always_lock_free);

void cancel_running(int) {
  if (engine::Engine* engine = running_engine.load()) engine->cancel();
}

void do_nothing(int) {}

struct sigaction install(void (*handler)(int), int flags) {
  struct sigaction action{};
  struct sigaction before{};
  action.sa_handler = handler;
  action.sa_flags = flags;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, &before);
  return before;
}

}  // namespace

CancelOnInterrupt::CancelOnInterrupt(engine::Engine& engine) {
  running_engine = &engine;
  // After the first signal the default action is back. Writes of the answer must go on: SA_RESTART.
  before_ = install(cancel_running, static_cast<int>(SA_RESETHAND) | SA_RESTART);
}

CancelOnInterrupt::~CancelOnInterrupt() {
  sigaction(SIGINT, &before_, nullptr);
  running_engine = nullptr;
}

InterruptReads::InterruptReads() : before_(install(do_nothing, 0)) {}
InterruptReads::~InterruptReads() {
  sigaction(SIGINT, &before_, nullptr);
}

}  // namespace cistern::tools
