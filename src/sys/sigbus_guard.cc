#include "sys/sigbus_guard.h"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <limits>
#include <utility>

namespace cistern::sys {
namespace {

constexpr std::uint64_t kIntact = std::numeric_limits<std::uint64_t>::max();

struct Slot {
  std::atomic<bool> used{false};
  std::atomic<std::uintptr_t> begin{0};  // 0: not watched
  std::atomic<std::uintptr_t> end{0};
  std::atomic<std::uint64_t> damaged{kIntact};
};

// The handler may run in any thread at any moment: it must find these without locks.
std::array<Slot, GuardedRange::kMaxRanges> slots;
struct sigaction previous_action;
std::uintptr_t page_bytes = 4096;

static_assert(std::atomic<std::uint64_t>::is_always_lock_free && std::atomic<bool>::is_always_lock_free);

Slot* find_slot(std::uintptr_t address) {
  for (Slot& slot : slots) {
    const std::uintptr_t begin = slot.begin.load();
    if (begin == 0 || address < begin || address >= slot.end.load()) continue;
    if (slot.begin.load() == begin) return &slot;  // not replaced between the two loads
  }
  return nullptr;
}

void record_damage(Slot& slot, std::uint64_t offset) {
  std::uint64_t first = slot.damaged.load();
  while (offset < first && !slot.damaged.compare_exchange_weak(first, offset)) {
  }
}

void forward(int signal, siginfo_t* info, void* context) {
  if ((previous_action.sa_flags & SA_SIGINFO) != 0) {
    previous_action.sa_sigaction(signal, info, context);
  } else if (previous_action.sa_handler == SIG_DFL || previous_action.sa_handler == SIG_IGN) {
    // Back to the default: a fault repeats when we return and ends the process as it would have without us.
    struct sigaction default_action = {};
    default_action.sa_handler = SIG_DFL;
    sigaction(signal, &default_action, nullptr);
    if (info->si_code <= 0) raise(signal);  // sent by a process, nothing repeats it
  } else {
    previous_action.sa_handler(signal);
  }
}

void on_sigbus(int signal, siginfo_t* info, void* context) {
  const int saved_errno = errno;
  const auto address = reinterpret_cast<std::uintptr_t>(info->si_addr);
  Slot* slot = info->si_code > 0 ? find_slot(address) : nullptr;
  const std::uintptr_t page = address / page_bytes * page_bytes;
  if (slot == nullptr || mmap(reinterpret_cast<void*>(page), page_bytes, PROT_READ,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED) {
    forward(signal, info, context);
  } else {
    record_damage(*slot, page - slot->begin.load());
  }
  errno = saved_errno;
}

bool install_handler() {
  page_bytes = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  struct sigaction action = {};
  action.sa_sigaction = on_sigbus;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  return sigaction(SIGBUS, &action, &previous_action) == 0;
}

}  // namespace

std::optional<GuardedRange> GuardedRange::watch(const void* begin, std::size_t bytes) {
  static const bool installed = install_handler();
  if (!installed) return std::nullopt;
  for (std::size_t i = 0; i < slots.size(); ++i) {
    Slot& slot = slots[i];
    if (slot.used.exchange(true)) continue;
    const auto address = reinterpret_cast<std::uintptr_t>(begin);
    slot.damaged.store(kIntact);
    slot.end.store(address + bytes);
    slot.begin.store(address);  // last: from here on the handler sees the range
    return GuardedRange(i);
  }
  return std::nullopt;
}

GuardedRange::GuardedRange(GuardedRange&& other) noexcept : slot_(std::exchange(other.slot_, kMaxRanges)) {}

GuardedRange& GuardedRange::operator=(GuardedRange&& other) noexcept {
  std::swap(slot_, other.slot_);
  return *this;
}

GuardedRange::~GuardedRange() {
  if (slot_ == kMaxRanges) return;
  slots[slot_].begin.store(0);
  slots[slot_].end.store(0);
  slots[slot_].used.store(false);
}

std::optional<std::uint64_t> GuardedRange::damaged_offset() const noexcept {
  if (slot_ == kMaxRanges) return std::nullopt;
  const std::uint64_t offset = slots[slot_].damaged.load();
  if (offset == kIntact) return std::nullopt;
  return offset;
}

}  // namespace cistern::sys
