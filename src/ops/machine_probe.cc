#include "ops/machine_probe.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <new>
#include <utility>

#include "base/check.h"
#include "sys/clock.h"
#include "sys/topology.h"

namespace cistern::ops {
namespace {

using kernels::Arithmetic;
using kernels::kReadStepBytes;
using kernels::PeakLoop;
using kernels::ReadLoop;

constexpr std::size_t kCacheLine = 64;
constexpr int kMostStreams = 16;
// 1 MiB or so, some 30 microseconds of reading; a prime number of steps, so that streams do not fall into the
// same cache sets.
constexpr std::size_t kChunkBytes = kMostStreams * kReadStepBytes * 257;
static_assert(kMinProbeBytes >= 4 * kChunkBytes);
constexpr std::uint32_t kChunksPerRound = 256;  // a round ends with a wait for the slowest: it must be long
constexpr std::size_t kPatternsKept = 3;
constexpr std::size_t kAheadBytes[] = {512, 1024, 2048, 4096, 8192};

// A loop's result must go somewhere, or the compiler leaves the loop out.
template <class T>
void keep(T value) noexcept {
  volatile T sink = value;
  static_cast<void>(sink);
}

bool may_run(sys::Isa needed, sys::Isa chosen) {
  return needed <= chosen && sys::host_has(needed);
}

}  // namespace

Result<ProbeMemory> ProbeMemory::create(sys::ThreadPool& pool, std::uint64_t n_bytes, Pages pages) {
  ProbeMemory memory;
  std::span<std::byte> bytes;
  memory.pages_ = pages;
  if (pages == Pages::kHuge) {
    CISTERN_TRY(memory.huge_, sys::Buffer::allocate(n_bytes));
    bytes = memory.huge_.bytes();
  } else {
    memory.small_.reset(new (std::nothrow) std::byte[n_bytes + kCacheLine]);
    if (memory.small_ == nullptr) {
      return fail(ErrorCode::kMemory, fmt::format("the system refused {} bytes of memory", n_bytes));
    }
    const auto misaligned = reinterpret_cast<std::uintptr_t>(memory.small_.get()) % kCacheLine;
    bytes = {memory.small_.get() + (kCacheLine - misaligned) % kCacheLine, n_bytes};
  }
  sys::interleave_pages(bytes);
  // Pages that were never written are all the same page of zeros.
  const auto chunks = static_cast<std::uint32_t>(n_bytes / kChunkBytes);
  pool.run_chunks(chunks, [&](int, std::uint32_t chunk) {
    std::memset(bytes.data() + chunk * kChunkBytes, static_cast<int>(chunk) | 1, kChunkBytes);
  });
  memory.bytes_ = bytes;
  return memory;
}

ProbeMemory ProbeMemory::borrow(std::span<const std::byte> bytes) {
  const auto misaligned = reinterpret_cast<std::uintptr_t>(bytes.data()) % kCacheLine;
  ProbeMemory memory;
  memory.pages_ = Pages::kSmall;
  memory.bytes_ = bytes.subspan(std::min(bytes.size(), (kCacheLine - misaligned) % kCacheLine));
  return memory;
}

ReadProbe::ReadProbe(sys::ThreadPool& pool, sys::Isa isa, const ProbeMemory& memory)
    : pool_(pool), memory_(memory) {
  CISTERN_CHECK(memory.bytes().size() >= kMinProbeBytes);
  sys::Isa widest = sys::Isa::kScalar;
  for (const ReadLoop& loop : kernels::read_loops()) {
    if (may_run(loop.isa, isa)) widest = std::max(widest, loop.isa);
  }
  for (const ReadLoop& loop : kernels::read_loops()) {
    if (loop.isa != widest) continue;
    if (!loop.prefetches) {
      patterns_.push_back({.loop = &loop});
      continue;
    }
    for (const std::size_t ahead : kAheadBytes) patterns_.push_back({.loop = &loop, .ahead_bytes = ahead});
  }
}

double ReadProbe::measure(const ReadPattern& pattern, double seconds) {
  const auto chunks = static_cast<std::uint32_t>(memory_.bytes().size() / kChunkBytes);
  const std::uint32_t per_round = std::min(chunks, kChunksPerRound);
  const double start = sys::steady_seconds();
  double now = start;
  double bytes = 0;
  while (now - start < seconds) {
    pool_.run_chunks(per_round, [&](int, std::uint32_t i) {
      const std::size_t chunk = (next_chunk_ + i) % chunks;
      keep(pattern.loop->run(memory_.bytes().data() + chunk * kChunkBytes, kChunkBytes, pattern.ahead_bytes));
    });
    next_chunk_ = (next_chunk_ + per_round) % chunks;
    bytes += static_cast<double>(per_round) * kChunkBytes;
    now = sys::steady_seconds();
  }
  return bytes / (now - start);
}

void ReadProbe::search(double seconds_per_pattern) {
  struct Measured {
    double speed;
    ReadPattern pattern;
  };
  std::vector<Measured> measured;
  for (const ReadPattern& pattern : patterns_)
    measured.push_back({measure(pattern, seconds_per_pattern), pattern});
  std::ranges::sort(measured, std::greater(), &Measured::speed);
  measured.resize(std::min(measured.size(), kPatternsKept));
  patterns_.clear();
  for (const Measured& m : measured) patterns_.push_back(m.pattern);
}

double ReadProbe::sample(double seconds) {
  double best = 0;
  const std::size_t n = std::min(patterns_.size(), kPatternsKept);
  for (std::size_t i = 0; i < n; ++i) {
    best = std::max(best, measure(patterns_[i], seconds / static_cast<double>(n)));
  }
  return best;
}

std::string ReadProbe::describe() const {
  const ReadPattern& best = patterns_.front();
  return fmt::format(
      "{} loads, {} stream{}, {}", sys::name_of(best.loop->isa), best.loop->streams,
      best.loop->streams == 1 ? "" : "s",
      best.ahead_bytes == 0 ? "no prefetch" : fmt::format("prefetch {} bytes ahead", best.ahead_bytes));
}

PeakProbe::PeakProbe(sys::ThreadPool& pool, sys::Isa isa, Arithmetic arithmetic) : pool_(pool) {
  constexpr double kTrySeconds = 0.003;
  // Far enough below the best that it is not one moment's noise.
  constexpr double kHopeless = 0.7;
  for (const Arithmetic wanted : {arithmetic, Arithmetic::kFloat}) {
    double best = 0;
    std::vector<std::pair<double, const PeakLoop*>> measured;
    for (const PeakLoop& loop : kernels::peak_loops()) {
      if (loop.arithmetic != wanted || !may_run(loop.isa, isa)) continue;
      measured.emplace_back(measure(loop, kTrySeconds), &loop);
      best = std::max(best, measured.back().first);
    }
    std::ranges::sort(measured, std::greater(), &std::pair<double, const PeakLoop*>::first);
    for (const auto& [speed, loop] : measured) {
      if (speed >= kHopeless * best) loops_.push_back(loop);
    }
    if (!loops_.empty()) break;
  }
  CISTERN_CHECK(!loops_.empty());  // scalar has floats
}

double PeakProbe::measure(const PeakLoop& loop, double seconds) {
  constexpr std::uint64_t kRoundsPerChunk = 20'000;  // some 40 microseconds
  const auto chunks = static_cast<std::uint32_t>(pool_.size()) * 64;
  const double start = sys::steady_seconds();
  double now = start;
  double macs = 0;
  do {
    pool_.run_chunks(chunks, [&](int, std::uint32_t) { keep(loop.run(kRoundsPerChunk)); });
    macs += static_cast<double>(loop.macs_per_round) * static_cast<double>(kRoundsPerChunk) * chunks;
    now = sys::steady_seconds();
  } while (now - start < seconds);
  return macs / (now - start);
}

double PeakProbe::sample(double seconds) {
  double best = 0;
  for (std::size_t i = 0; i < loops_.size(); ++i) {
    const double speed = measure(*loops_[i], seconds / static_cast<double>(loops_.size()));
    if (speed > best && i > 0) std::swap(loops_[0], loops_[i]);
    best = std::max(best, speed);
  }
  return best;
}

}  // namespace cistern::ops
