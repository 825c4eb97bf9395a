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

volatile std::sig_atomic_t interrupted = 0;

void remember(int) {
  interrupted = 1;
}

constexpr int kEndings[] = {SIGINT, SIGTERM, SIGHUP};

struct sigaction install(void (*handler)(int), int flags, int signal = SIGINT) {
  struct sigaction action{};
  struct sigaction before{};
  action.sa_handler = handler;
  action.sa_flags = flags;
  sigemptyset(&action.sa_mask);
  sigaction(signal, &action, &before);
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

InterruptFlag::InterruptFlag() {
  interrupted = 0;
  for (std::size_t i = 0; i < before_.size(); ++i) {
    before_.at(i) = install(remember, static_cast<int>(SA_RESETHAND) | SA_RESTART, kEndings[i]);
    // nohup and background jobs ignore signals on purpose.
    if (before_.at(i).sa_handler == SIG_IGN) sigaction(kEndings[i], &before_.at(i), nullptr);
  }
}

InterruptFlag::~InterruptFlag() {
  for (std::size_t i = 0; i < before_.size(); ++i) sigaction(kEndings[i], &before_.at(i), nullptr);
}

bool InterruptFlag::raised() const {
  return interrupted != 0;
}

EndSignal::EndSignal() {
  sigset_t endings;
  sigemptyset(&endings);
  for (const int signal : kEndings) sigaddset(&endings, signal);
  pthread_sigmask(SIG_BLOCK, &endings, &before_);
}

EndSignal::~EndSignal() {
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

void EndSignal::wait() {
  sigset_t endings;
  sigemptyset(&endings);
  for (const int signal : kEndings) sigaddset(&endings, signal);
  int signal = 0;
  sigwait(&endings, &signal);
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

InterruptReads::InterruptReads() : before_(install(do_nothing, 0)) {}
InterruptReads::~InterruptReads() {
  sigaction(SIGINT, &before_, nullptr);
}

}  // namespace cistern::tools
